"""Everybody who watches hears of a change; a broker that is away delays nobody."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import get_channel_layer
from pytest_django import Settings

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.sessions import events, services
from playground.sessions.events import owner_group, session_group
from playground.sessions.models import Profile
from playground.sessions.requests import SessionRequest
from playground.sessions.states import Reason
from tests.support.valkey import Valkey
from tests.support.waiting import WITHIN

REQUEST = SessionRequest("busybox")


@pytest.fixture
async def heard(broker: Valkey, ann: User) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
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


async def test_changes_arrive_in_order(
    heard: asyncio.Queue[dict[str, Any]],
    ann: User,
    bob: User,
    image: Image,
    profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So that none is given up on a machine that stands still for a moment.
    monkeypatch.setattr(events, "SEND_SECONDS", WITHIN)
    await in_database(services.create)(bob, REQUEST)
    session = await in_database(services.create)(ann, REQUEST)
    await in_database(services.patch)(session, name="Lesson 1")
    await in_database(services.stop)(session, Reason.USER)
    async with asyncio.timeout(WITHIN):
        messages = [await heard.get() for _ in range(3)]
    told = [message["event"] for message in messages]
    assert {message["type"] for message in messages} == {"site.event"}
    assert [event["kind"] for event in told] == ["created", "changed", "stopping"]
    assert {event["session"]["id"] for event in told} == {str(session.pk)}
    assert [event["session"]["state"] for event in told] == ["pending", "pending", "stopping"]
    sequences = [event["sequence"] for event in told]
    assert sequences == sorted(set(sequences))
    assert session_group(session.pk) != owner_group(ann.pk)


async def test_a_broker_that_is_away_delays_nobody(
    installation: Path, settings: Settings, ann: User, image: Image, profile: Profile
) -> None:
    took = []
    for _ in range(3):
        begun = time.monotonic()
        await in_database(services.create)(ann, REQUEST)
        took.append(time.monotonic() - begun)
    # One may have met a moment in which the machine stood still.
    assert min(took) < 1, f"the requests waited for the broker: {took}"
