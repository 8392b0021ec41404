"""Open terminals hear of what happens to their session, in whatever order they come and go."""

import asyncio

import pytest

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.sessions.events import record
from playground.sessions.models import Profile
from playground.sessions.news import Follower, News, last_event
from playground.sessions.states import SessionState
from playground.sessions.transitions import load
from runtime.asgi import Message
from tests.integration.core.rows import make_session
from tests.support.waiting import WITHIN

pytestmark = pytest.mark.usefixtures("broker")
TURNS = 40


async def first_told(follower: Follower) -> Message:
    """The first message that it is sent."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    await follower.after_greeting(lambda message: asyncio.sleep(0))({"type": "websocket.send", "bytes": b""})
    delivering = asyncio.create_task(follower.deliver(told.put))
    try:
        async with asyncio.timeout(WITHIN):
            return await told.get()
    finally:
        delivering.cancel()


async def test_who_comes_when_the_last_has_gone(ann: User, image: Image, profile: Profile) -> None:
    session = await in_database(make_session)(ann, image, profile, SessionState.RUNNING)
    news = News()
    for turn in range(TURNS):
        seen = await in_database(last_event)(session.pk)
        async with news.followed(session.pk, seen) as follower:
            await in_database(record)(await in_database(load)(session.pk), "paused", {})
            assert b"paused" in (await first_told(follower))["bytes"]
        # Something happens that nobody follows: the listener ends, and is so far with it when the next one comes.
        await in_database(record)(await in_database(load)(session.pk), "paused", {})
        for _ in range(turn):
            await asyncio.sleep(0)
