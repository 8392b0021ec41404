"""From everywhere to `stopping`, and from there to `ended` with nothing left."""

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from playground.accounts.models import User
from playground.database import in_database
from playground.sessions import ending, leases, reconcile, services
from playground.sessions.models import Machine, Session
from playground.sessions.states import MachineState, Reason, SessionState
from tests.integration.core.stories import history, lapse, load, machine_of, on_engine, running
from tests.support.hooked_engine import Gate, HookedEngine
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("image", "profile")


async def test_stop_is_idempotent(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    assert await in_database(services.stop)(session, Reason.USER)
    assert not await in_database(services.stop)(session, Reason.ADMIN)
    await ending.destroy(session.pk)
    assert not await in_database(services.stop)(session, Reason.ADMIN)
    session = await load(session.pk)
    assert (session.state, session.reason) == (SessionState.ENDED, Reason.USER)
    assert session.ended_at is not None


async def test_two_workers_destroy(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await in_database(services.stop)(session, Reason.USER)
    await asyncio.gather(*(ending.destroy(session.pk) for _ in range(3)))
    await ending.destroy(session.pk)
    assert (await history(session.pk)).count("ended") == 1
    assert await on_engine(engine) == set()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_dies_while_it_removes(engine: HookedEngine, ann: User, when: str, unrenewed: None) -> None:
    session = await running(ann)
    await in_database(services.stop)(session, Reason.USER)
    gate = Gate()
    hooks = getattr(engine, when)
    hooks["remove"] = gate
    dead = asyncio.create_task(ending.destroy(session.pk))
    await gate.reached.wait()
    hooks.clear()
    await ending.destroy(session.pk)
    assert (await load(session.pk)).state == SessionState.STOPPING
    await lapse(session.pk)
    await ending.destroy(session.pk)
    assert (await load(session.pk)).state == SessionState.ENDED
    gate.opened.set()
    await dead
    assert (await history(session.pk)).count("ended") == 1
    assert await on_engine(engine) == set()


async def test_a_worker_that_takes_long_keeps_what_it_removes(
    engine: HookedEngine, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease is short, so that others soon do what the dead began, and is renewed as long as it lives."""
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.01)
    session = await running(ann)
    await in_database(services.stop)(session, Reason.USER)
    gate = Gate()
    engine.before["remove"] = gate
    slow = asyncio.create_task(ending.destroy(session.pk))
    await gate.reached.wait()
    await lapse(session.pk)

    async def held() -> bool:
        lease = (await load(session.pk)).lease_until
        return lease is not None and timezone.now() < lease <= timezone.now() + timedelta(seconds=10)

    await until(held, "the lease is renewed, for as long as work that was half done waits")
    await ending.destroy(session.pk)
    assert engine.calls.count("remove") == 1
    gate.opened.set()
    await slow
    assert (await load(session.pk)).state == SessionState.ENDED


async def test_engine_away(engine: HookedEngine, ann: User) -> None:
    """The session waits a while, then ends all the same; its machine is removed when the engine is back."""
    session = await running(ann)
    machine = await machine_of(session)
    await in_database(services.stop)(session, Reason.USER)
    engine.down = True
    await ending.destroy(session.pk)
    assert (await load(session.pk)).state == SessionState.STOPPING
    long_ago = timezone.now() - ending.STOPPING_DEADLINE - timedelta(seconds=1)
    await Session.objects.aupdate(state_changed_at=long_ago)
    await ending.destroy(session.pk)
    assert (await load(session.pk)).state == SessionState.ENDED
    await machine.arefresh_from_db()
    assert machine.state == MachineState.REMOVING
    assert await on_engine(engine) == {machine.pk.hex}
    engine.down = False
    await Machine.objects.aupdate(state_changed_at=long_ago)
    await reconcile.sweep()
    await machine.arefresh_from_db()
    assert machine.state == MachineState.REMOVED
    assert await on_engine(engine) == set()
