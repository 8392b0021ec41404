"""Who waits for a session's start hears of it, also without a broker, and however many wait."""

import asyncio

import pytest
from django.utils import timezone

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.sessions import starts as module
from playground.sessions.models import Profile, Session
from playground.sessions.starts import Starts
from playground.sessions.states import SessionState
from playground.sessions.transitions import transition
from tests.integration.core.rows import make_session
from tests.support.valkey import Valkey
from tests.support.waiting import WITHIN, until

pytestmark = pytest.mark.usefixtures("broker")
MANY = 20


@pytest.fixture
def waiting(ann: User, image: Image, profile: Profile) -> list[Session]:
    """Sessions that wait for their machines."""
    return [make_session(ann, image, profile, SessionState.PENDING) for _ in range(MANY)]


def started(session: Session) -> None:
    """It runs, and everybody is told."""
    now = timezone.now()
    assert transition(session.pk, SessionState.RUNNING, changes={"started_at": now, "expires_at": now})


def started_silently(session: Session) -> None:
    """It runs, and nobody is told."""
    Session.objects.filter(pk=session.pk).update(state=SessionState.RUNNING)


async def test_the_layer_tells(waiting: list[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 2 * WITHIN)
    starts = Starts()
    asked = [asyncio.create_task(starts.wait(session.pk, 2 * WITHIN)) for session in waiting[:2]]

    async def told() -> bool:
        # Again and again: who has just come may not be heard by the layer yet.
        await in_database(Session.objects.filter(pk=waiting[0].pk).update)(state=SessionState.PENDING)
        await in_database(started)(waiting[0])
        return asked[0].done()

    await until(told, "who waits was told")
    assert not asked[1].done()
    await in_database(transition)(waiting[1].pk, SessionState.STOPPING)
    async with asyncio.timeout(WITHIN):
        await asked[1]


async def test_without_a_broker_it_looks(waiting: list[Session], broker: Valkey) -> None:
    broker.__exit__(None, None, None)
    starts = Starts()
    asked = asyncio.create_task(starts.wait(waiting[0].pk, 2 * WITHIN))
    await asyncio.sleep(0)
    await in_database(started_silently)(waiting[0])
    async with asyncio.timeout(WITHIN):
        await asked


async def test_what_has_started_already(waiting: list[Session]) -> None:
    await in_database(started_silently)(waiting[0])
    async with asyncio.timeout(WITHIN):
        await Starts().wait(waiting[0].pk, 2 * WITHIN)


async def test_waits_no_longer_than_it_was_asked_to(waiting: list[Session]) -> None:
    async with asyncio.timeout(WITHIN):
        await Starts().wait(waiting[0].pk, 0)


async def test_who_comes_when_the_last_has_gone(waiting: list[Session]) -> None:
    starts = Starts()
    for session in waiting:
        # The one before has just been answered, and its listener ends.
        asked = asyncio.create_task(starts.wait(session.pk, 2 * WITHIN))
        await asyncio.sleep(0)
        await in_database(started_silently)(session)
        async with asyncio.timeout(WITHIN):
            await asked


async def test_all_of_many(waiting: list[Session]) -> None:
    starts = Starts()
    asked = [asyncio.create_task(starts.wait(session.pk, 2 * WITHIN)) for session in waiting]
    twice = asyncio.create_task(starts.wait(waiting[0].pk, 2 * WITHIN))
    for session in waiting:
        await in_database(started)(session)
    async with asyncio.timeout(WITHIN):
        await asyncio.gather(*asked, twice)
