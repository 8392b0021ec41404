"""Paused and running again; the row says what is wanted, and the engine follows, whoever dies in between."""

import asyncio
import random
import time
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.sessions import ending, machines, pausing, reconcile, services
from playground.sessions.errors import SessionNotRunning, SessionPaused
from playground.sessions.lifetimes import push_deadline
from playground.sessions.making import DEADLINE_MARGIN, tell_deadline
from playground.sessions.models import Machine, Profile, Session
from playground.sessions.states import Reason, SessionState
from playground.sessions.transitions import transition
from runtime.engines.base import MachineState as EngineState
from runtime.errors import CapabilityUnavailable, EngineRefused, EngineUnavailable
from tests.integration.core.rows import make_session
from tests.integration.core.stories import ended, history, load, machine_of, on_engine, running
from tests.support.hooked_engine import Gate, HookedEngine, raises
from tests.support.hosts import found_on_host
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("image", "profile")
SECOND = timedelta(seconds=1)


async def _on_engine(engine: HookedEngine, session: Session) -> EngineState | None:
    status = await engine.inner.status((await machine_of(session)).pk.hex)
    return status.state if status else None


async def _run(session_id: UUID) -> int:
    """A command in the session, as the API has it."""
    return (await machines.execute(await load(session_id), machines.ExecRequest(["true"]))).exit_code


async def test_paused_and_resumed(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    for _ in range(2):
        paused = await pausing.pause(session.pk)
        assert paused.state == SessionState.PAUSED
        assert await _on_engine(engine, session) is EngineState.PAUSED
    await reconcile.sweep()
    assert await _on_engine(engine, session) is EngineState.PAUSED
    for _ in range(2):
        resumed = await pausing.resume(session.pk)
        assert resumed.state == SessionState.RUNNING
        assert await _on_engine(engine, session) is EngineState.RUNNING
    assert await _run(session.pk) == 0
    assert (await history(session.pk))[-2:] == ["paused", "running"]
    await ended(session.pk)


async def test_what_is_refused_meanwhile(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await pausing.pause(session.pk)
    with pytest.raises(SessionPaused):
        await _run(session.pk)
    with pytest.raises(SessionPaused):
        await machines.list_files(await load(session.pk), "/")
    with pytest.raises(SessionPaused):
        await machines.open_terminal(await load(session.pk))
    await ended(session.pk)


@pytest.mark.parametrize("state", set(SessionState) - {SessionState.RUNNING, SessionState.PAUSED})
async def test_only_what_runs(
    engine: HookedEngine, ann: User, image: Image, profile: Profile, state: SessionState
) -> None:
    session = await in_database(make_session)(ann, image, profile, state)
    for act in (pausing.pause, pausing.resume):
        with pytest.raises(SessionNotRunning):
            await act(session.pk)
    assert (await load(session.pk)).state == state


async def test_a_host_that_can_not(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await in_database(found_on_host)(pause=False)
    with pytest.raises(CapabilityUnavailable):
        await pausing.pause(session.pk)
    await in_database(found_on_host)(pause=True)
    engine.down = True
    with pytest.raises(EngineUnavailable):
        await pausing.pause(session.pk)
    engine.down = False
    assert (await load(session.pk)).state == SessionState.RUNNING
    await ended(session.pk)


@pytest.mark.parametrize("act", ["pause", "resume"])
async def test_whoever_changed_the_row_died_then(engine: HookedEngine, ann: User, act: str) -> None:
    session = await running(ann)
    target, seen = SessionState.PAUSED, EngineState.PAUSED
    if act == "resume":
        await pausing.pause(session.pk)
        target, seen = SessionState.RUNNING, EngineState.RUNNING
    await in_database(transition)(session.pk, target)
    assert await _on_engine(engine, session) is not seen
    await reconcile.sweep()
    assert await _on_engine(engine, session) is seen
    assert (await load(session.pk)).state == target
    await ended(session.pk)


@pytest.mark.parametrize("act", ["pause", "resume"])
async def test_an_engine_that_fails_is_asked_again(engine: HookedEngine, ann: User, act: str) -> None:
    session = await running(ann)
    if act == "resume":
        await pausing.pause(session.pk)
    engine.before[act] = raises(EngineRefused("not now"))
    changed = await getattr(pausing, act)(session.pk)
    engine.before.clear()
    await reconcile.sweep()
    seen = EngineState.PAUSED if act == "pause" else EngineState.RUNNING
    assert await _on_engine(engine, session) is seen
    assert (await load(session.pk)).state == changed.state
    await ended(session.pk)


async def test_a_machine_that_somebody_else_paused_goes_on(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await engine.inner.pause((await machine_of(session)).pk.hex)
    await reconcile.sweep()
    assert await _on_engine(engine, session) is EngineState.RUNNING
    await ended(session.pk)


async def test_who_freezes_late_finds_it_resumed(engine: HookedEngine, ann: User) -> None:
    """The slower of two requests does its part after the faster one has undone it."""
    session = await running(ann)
    gate = Gate()
    engine.before["pause"] = gate
    slow = asyncio.create_task(pausing.pause(session.pk))
    await gate.reached.wait()
    await pausing.resume(session.pk)
    gate.opened.set()
    await slow
    assert (await load(session.pk)).state == SessionState.RUNNING
    assert await _on_engine(engine, session) is EngineState.RUNNING
    await ended(session.pk)


async def test_who_thaws_late_finds_it_paused(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await pausing.pause(session.pk)
    gate = Gate()
    engine.before["resume"] = gate
    slow = asyncio.create_task(pausing.resume(session.pk))
    await gate.reached.wait()
    await pausing.pause(session.pk)
    gate.opened.set()
    await slow
    assert (await load(session.pk)).state == SessionState.PAUSED
    assert await _on_engine(engine, session) is EngineState.PAUSED
    await ended(session.pk)


async def test_its_idle_clock_stops(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await pausing.pause(session.pk)
    long_ago = timezone.now() - timedelta(hours=3)
    await Session.objects.aupdate(last_activity_at=long_ago)
    await reconcile.sweep()
    assert (await load(session.pk)).state == SessionState.PAUSED
    resumed = await pausing.resume(session.pk)
    assert resumed.last_activity_at is not None
    assert resumed.last_activity_at > timezone.now() - 10 * SECOND
    await reconcile.sweep()
    assert (await load(session.pk)).state == SessionState.RUNNING
    await ended(session.pk)


async def test_its_lifetime_goes_on(engine: HookedEngine, ann: User) -> None:
    """sandboxd is frozen and can't end it: the sweep does, at its time and not later."""
    session = await running(ann)
    await pausing.pause(session.pk)
    await Session.objects.aupdate(expires_at=timezone.now() - SECOND)
    await reconcile.sweep()
    await ending.destroy(session.pk)
    session = await load(session.pk)
    assert (session.state, session.reason) == (SessionState.ENDED, Reason.EXPIRED)
    assert await on_engine(engine) == set()


async def test_a_machine_that_is_lost_while_paused(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await pausing.pause(session.pk)
    await engine.inner.remove((await machine_of(session)).pk.hex)
    await reconcile.sweep()
    await ending.destroy(session.pk)
    assert (await load(session.pk)).reason == Reason.ENGINE_LOST


async def test_a_row_without_a_machine_does_not_stay_paused(
    engine: HookedEngine, ann: User, image: Image, profile: Profile
) -> None:
    session = await in_database(make_session)(ann, image, profile, SessionState.PAUSED)
    await reconcile.sweep()
    await ending.destroy(session.pk)
    assert (await load(session.pk)).reason == Reason.ENGINE_LOST


async def test_its_machine_does_not_end_when_it_wakes_after_its_deadline(engine: HookedEngine, ann: User) -> None:
    """Extended while it was paused: sandboxd, which could not be told, must not find its time over."""
    session = await running(ann)
    machine = await machine_of(session)
    # Long enough to be paused before, also where the machine that tests run on stands still for a moment.
    await tell_deadline(machine.pk, 8)
    over = time.monotonic() + 8.5
    await pausing.pause(session.pk)
    await in_database(services.extend)(session, 7200)
    await machine.arefresh_from_db()
    assert machine.deadline_at > timezone.now() + timedelta(hours=7)

    async def is_over() -> bool:
        return time.monotonic() > over

    await until(is_over, "the old deadline is over")
    resumed = await pausing.resume(session.pk)
    assert await _run(session.pk) == 0
    await machine.arefresh_from_db()
    assert resumed.expires_at is not None
    assert machine.deadline_at == resumed.expires_at + DEADLINE_MARGIN
    await ended(session.pk)


async def test_a_deadline_that_is_too_late_is_mended(engine: HookedEngine, ann: User) -> None:
    """Whoever resumed it died before it told the machine."""
    session = await running(ann)
    await Machine.objects.aupdate(deadline_at=timezone.now() + timedelta(hours=8))
    await push_deadline(session.pk)
    machine = await machine_of(session)
    session = await load(session.pk)
    assert session.expires_at is not None
    assert machine.deadline_at == session.expires_at + DEADLINE_MARGIN
    await ended(session.pk)


@pytest.mark.parametrize("seed", range(6))
async def test_everything_at_once(engine: HookedEngine, ann: User, seed: int) -> None:
    """Whatever order it comes in: the row and the engine agree in the end, and an end is an end."""
    chance = random.Random(seed)
    session = await running(ann)
    stops = seed % 2 == 0

    async def extend() -> None:
        await in_database(services.extend)(session, 7200)

    async def stop() -> None:
        await in_database(services.stop)(session.pk, Reason.USER)

    acts = [
        pausing.pause(session.pk),
        pausing.resume(session.pk),
        extend(),
        pausing.pause(session.pk),
        reconcile.sweep(),
    ]
    acts += [stop()] if stops else [pausing.resume(session.pk)]
    chance.shuffle(acts)
    results = await asyncio.gather(*acts, return_exceptions=True)
    unexpected = [
        each for each in results if isinstance(each, BaseException) and not isinstance(each, SessionNotRunning)
    ]
    assert unexpected == []
    await reconcile.sweep()
    found = await load(session.pk)
    if stops:
        await ending.destroy(session.pk)
        assert (await load(session.pk)).state == SessionState.ENDED
        assert await on_engine(engine) == set()
        return
    seen = {SessionState.PAUSED: EngineState.PAUSED, SessionState.RUNNING: EngineState.RUNNING}
    assert await _on_engine(engine, session) is seen[SessionState(found.state)]
    await ended(session.pk)
