"""A disk that is full: the session is paused in its row, measured and ended, whoever dies or interferes in between."""

import asyncio

import pytest

from playground.accounts.models import User
from playground.database import in_database
from playground.sessions import ending, pausing, reconcile, sampling
from playground.sessions.models import Profile, Session
from playground.sessions.states import Reason, SessionState
from runtime.engines.base import MachineState as EngineState
from tests.integration.core.stories import history, load, machine_of, on_engine, running
from tests.support.hooked_engine import Gate, HookedEngine, raises
from tests.support.hosts import found_on_host
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("image")
MIB = 1 << 20
FILL = ["/bin/sh", "-c", "dd if=/dev/zero of=$HOME/f bs=1048576 count=3; while :; do sleep 0.1; done"]


async def _filled(engine: HookedEngine, owner: User, profile: Profile) -> Session:
    """A session that holds more than it may, and that nobody has looked at yet."""
    await Profile.objects.filter(pk=profile.pk).aupdate(disk_bytes=2 * MIB)
    session = await running(owner, command=FILL)
    machine = await machine_of(session)

    async def is_over() -> bool:
        found = await engine.inner.disk_usage(machine.pk.hex, 10 * MIB)
        return found is not None and found.used_bytes >= 3 * MIB

    await until(is_over, "it has written 3 MiB")
    return session


async def _on_engine(engine: HookedEngine, session: Session) -> EngineState | None:
    status = await engine.inner.status((await machine_of(session)).pk.hex)
    return status.state if status else None


async def _is_ended_for_its_disk(engine: HookedEngine, session: Session) -> None:
    stopped = await load(session.pk)
    assert (stopped.state, stopped.reason) == (SessionState.STOPPING, Reason.QUOTA_DISK)
    assert (await history(session.pk)).count("disk_full") == 1
    await ending.destroy(session.pk)
    assert (await load(session.pk)).state == SessionState.ENDED
    assert await on_engine(engine) == set()


async def test_it_is_paused_and_then_ended(engine: HookedEngine, ann: User, profile: Profile) -> None:
    session = await _filled(engine, ann, profile)
    await sampling.sample()
    told = await history(session.pk)
    assert told.index("paused") < told.index("stopping") < told.index("disk_full")
    assert await _on_engine(engine, session) is EngineState.PAUSED
    await _is_ended_for_its_disk(engine, session)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_whoever_froze_it_died_then(engine: HookedEngine, ann: User, profile: Profile, when: str) -> None:
    session = await _filled(engine, ann, profile)
    hooks = engine.before if when == "before" else engine.after
    hooks["pause"] = raises(RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        await sampling.sample()
    hooks.clear()
    for _ in range(2):
        found = await load(session.pk)
        assert found.state == SessionState.PAUSED
        assert "allows 2 MiB." in found.message
        await reconcile.sweep()
        assert await _on_engine(engine, session) is EngineState.PAUSED
    await sampling.sample()
    await _is_ended_for_its_disk(engine, session)


async def test_a_sweep_meanwhile_thaws_nothing(engine: HookedEngine, ann: User, profile: Profile) -> None:
    session = await _filled(engine, ann, profile)
    gate = Gate()
    engine.after["pause"] = gate
    ending_it = asyncio.create_task(sampling.sample())
    await gate.reached.wait()
    await reconcile.sweep()
    assert await _on_engine(engine, session) is EngineState.PAUSED
    gate.opened.set()
    await ending_it
    await _is_ended_for_its_disk(engine, session)


async def test_who_resumes_it_meanwhile_keeps_nothing(engine: HookedEngine, ann: User, profile: Profile) -> None:
    session = await _filled(engine, ann, profile)
    gate = Gate()
    engine.after["pause"] = gate
    ending_it = asyncio.create_task(sampling.sample())
    await gate.reached.wait()
    await pausing.resume(session.pk)
    gate.opened.set()
    await ending_it
    await _is_ended_for_its_disk(engine, session)


async def test_where_nothing_can_be_paused(engine: HookedEngine, ann: User, profile: Profile) -> None:
    session = await _filled(engine, ann, profile)
    await in_database(found_on_host)(pause=False)
    await sampling.sample()
    assert "paused" not in await history(session.pk)
    await _is_ended_for_its_disk(engine, session)
