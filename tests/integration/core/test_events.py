"""Everybody who watches hears of a change; a broker that is away delays nobody."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer
from pytest_django import Settings

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.sessions import services
from playground.sessions.events import owner_group, session_group
from playground.sessions.models import Profile
from playground.sessions.requests import SessionRequest
from playground.sessions.states import Reason
from tests.support.valkey import Valkey

REQUEST = SessionRequest("busybox")


@pytest.fixture
def valkey(installation: Path, settings: Settings) -> Iterator[Valkey]:
    """A broker of the test's own."""
    with Valkey(installation / "valkey.sock") as server:
        settings.CHANNEL_LAYERS = {
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": [server.url]},
            }
        }
        yield server


@pytest.fixture
async def heard(valkey: Valkey, ann: User) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
    """What somebody hears who watches ann's sessions."""
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add(owner_group(ann.pk), channel)
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def listen() -> None:
        while True:
            messages.put_nowait(await layer.receive(channel))

    task = asyncio.create_task(listen())
    yield messages
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await layer.flush()
    channel_layers.backends.clear()


async def test_changes_arrive_in_order(
    heard: asyncio.Queue[dict[str, Any]], ann: User, bob: User, image: Image, profile: Profile
) -> None:
    await in_database(services.create)(bob, REQUEST)
    session = await in_database(services.create)(ann, REQUEST)
    await in_database(services.patch)(session, name="Lesson 1")
    await in_database(services.stop)(session, Reason.USER)
    async with asyncio.timeout(10):
        messages = [await heard.get() for _ in range(3)]
    events = [message["event"] for message in messages]
    assert {message["type"] for message in messages} == {"site.event"}
    assert [event["kind"] for event in events] == ["created", "changed", "stopping"]
    assert {event["session"]["id"] for event in events} == {str(session.pk)}
    assert [event["session"]["state"] for event in events] == ["pending", "pending", "stopping"]
    sequences = [event["sequence"] for event in events]
    assert sequences == sorted(set(sequences))
    assert session_group(session.pk) != owner_group(ann.pk)


async def test_a_broker_that_is_away_delays_nobody(
    installation: Path, settings: Settings, ann: User, image: Image, profile: Profile
) -> None:
    begun = time.monotonic()
    for _ in range(3):
        await in_database(services.create)(ann, REQUEST)
    assert time.monotonic() - begun < 3, "a request waited for the broker"
