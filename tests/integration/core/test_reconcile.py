"""The sweep finds what the database and the engine know of differently, and what the clock says."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.sessions import ending, leases, provisioning, reconcile, services, shutdown, watching
from playground.sessions.leftovers import leftovers
from playground.sessions.lifetimes import push_deadline
from playground.sessions.making import DEADLINE_MARGIN
from playground.sessions.models import Machine, Profile, Session
from playground.sessions.profiles import limits_of
from playground.sessions.states import MachineState, Reason, SessionState
from runtime.engines.base import Belonging, Egress, MachineSpec
from runtime.engines.base import MachineState as EngineState
from runtime.errors import EngineUnavailable
from tests.integration.core.rows import make_ready_machine, make_session
from tests.integration.core.stories import created, ended, load, machine_of, on_engine, running
from tests.support.asked import Asked
from tests.support.hooked_engine import HookedEngine, raises
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("image", "profile")
HOUR = timedelta(hours=1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the worker is asked for."""
    return Asked(monkeypatch)


async def reason_of(session: Session) -> str:
    """Why it is ending or has ended."""
    await session.arefresh_from_db()
    assert session.state in (SessionState.STOPPING, SessionState.ENDED), session.state
    return session.reason


@pytest.fixture
async def stranger(engine: HookedEngine, profile: Profile, image: Image) -> str:
    """A machine of this installation that no row knows."""
    machine_id = uuid4().hex
    await engine.inner.create(
        MachineSpec(machine_id, "stranger", image.reference, limits_of(profile), Egress.NONE, 600)
    )
    return machine_id


async def test_a_leak_is_removed(engine: HookedEngine, stranger: str, ann: User) -> None:
    session = await running(ann)
    machine = await machine_of(session)
    assert [str(each) for each in await leftovers()] == [f"machine {stranger}"]
    await reconcile.sweep()
    assert await on_engine(engine) == {machine.pk.hex}
    assert await leftovers() == []
    await ended(session.pk)


async def test_machines_say_whose_they_are(engine: HookedEngine, ann: User, bob: User) -> None:
    """By words that lead a reader of the host to nobody."""
    sessions = [await running(ann), await running(ann), await running(bob)]
    labels = {status.labels["playground.session"]: status.labels for status in await engine.inner.machines()}
    owners = [labels[session.pk.hex]["playground.owner"] for session in sessions]
    assert owners[0] == owners[1] != owners[2]
    assert all(len(owner) == 16 and owner not in ("ann", "bob") for owner in owners)
    for session in sessions:
        await ended(session.pk)


async def test_belongings_without_an_owner_are_removed(
    engine: HookedEngine, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await running(ann)
    machine = await machine_of(session)
    dead, gone = uuid4().hex, []
    listed = [
        Belonging("volume", "of a machine", machine_id=machine.pk.hex),
        Belonging("volume", "of a dead machine", machine_id=dead),
        Belonging("network", "of a session", session_id=session.pk.hex),
        Belonging("network", "of a dead session", session_id=dead),
        Belonging("volume", "of the site", of_site=True),
        Belonging("container", "of nobody"),
        Belonging("network", "of somebody who looks at the host just now", is_passing=True),
    ]

    async def belongings() -> list[Belonging]:
        return [each for each in listed if each.name not in gone]

    async def discard(belonging: Belonging) -> None:
        gone.append(belonging.name)

    monkeypatch.setattr(engine.inner, "belongings", belongings)
    monkeypatch.setattr(engine.inner, "discard", discard)
    expected = ["container of nobody", "network of a dead session", "volume of a dead machine"]
    assert [str(each) for each in await leftovers()] == expected
    await reconcile.sweep()
    assert sorted(gone) == ["of a dead machine", "of a dead session", "of nobody"]
    assert await leftovers() == []
    await ended(session.pk)
    monkeypatch.undo()


async def test_belongings_wait_for_an_engine_that_is_away(engine: HookedEngine, ann: User) -> None:
    engine.before["belongings"] = raises(EngineUnavailable("The engine does not answer."))
    await reconcile.sweep()
    engine.before.clear()


async def test_a_lost_machine_ends_its_session(engine: HookedEngine, ann: User) -> None:
    session, other = await running(ann), await running(ann)
    await engine.inner.remove((await machine_of(session)).pk.hex)
    await reconcile.sweep()
    assert await reason_of(session) == Reason.ENGINE_LOST
    assert (await load(other.pk)).state == SessionState.RUNNING
    await ended(session.pk)
    await ended(other.pk)


async def test_a_claimed_machine_that_died_is_replaced(
    engine: HookedEngine, ann: User, image: Image, profile: Profile
) -> None:
    """The session has not begun with it: its owner waits a moment longer, and loses nothing."""
    dead = await in_database(make_ready_machine)(image, profile)
    session_id = await created(ann)
    await dead.arefresh_from_db()
    assert dead.session_id == session_id
    await reconcile.sweep()
    session = await load(session_id)
    assert session.state == SessionState.PENDING, session.message
    await provisioning.provision(session_id)
    session = await load(session_id)
    assert session.state == SessionState.RUNNING
    assert (await machine_of(session)).pk != dead.pk
    await ended(session_id)


async def test_nothing_is_lost_while_the_engine_is_away(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    engine.down = True
    await reconcile.sweep()
    assert (await load(session.pk)).state == SessionState.RUNNING
    engine.down = False
    await reconcile.sweep()
    assert (await load(session.pk)).state == SessionState.RUNNING
    await ended(session.pk)


async def test_engine_goes_away_during_the_sweep(engine: HookedEngine, ann: User) -> None:
    """Its list was empty, and then it does not answer: nothing is concluded from that."""
    session = await running(ann)
    await engine.inner.remove((await machine_of(session)).pk.hex)

    async def vanish() -> None:
        engine.down = True

    engine.after["machines"] = vanish
    await reconcile.sweep()
    assert (await load(session.pk)).state == SessionState.RUNNING
    engine.down = False
    engine.after.clear()
    await reconcile.sweep()
    assert await reason_of(session) == Reason.ENGINE_LOST
    await ended(session.pk)


async def test_a_main_process_that_ended(engine: HookedEngine, ann: User) -> None:
    session = await running(ann, command=["/bin/sh", "-c", "exit 3"])
    machine = await machine_of(session)

    async def exited() -> bool:
        status = await engine.inner.status(machine.pk.hex)
        return status is not None and status.state == EngineState.EXITED

    await until(exited, "the machine has exited")
    await reconcile.check_machine(machine.pk.hex)
    assert await reason_of(session) == Reason.EXITED
    assert session.exit_code == 3
    assert "3" in session.message
    await ended(session.pk)


async def test_expired(engine: HookedEngine, ann: User) -> None:
    session, other = await running(ann), await running(ann)
    await Session.objects.filter(pk=session.pk).aupdate(expires_at=timezone.now())
    await reconcile.sweep()
    assert await reason_of(session) == Reason.EXPIRED
    assert (await load(other.pk)).state == SessionState.RUNNING
    await ended(session.pk)
    await ended(other.pk)


async def test_idle(engine: HookedEngine, ann: User) -> None:
    session, other = await running(ann, idle_timeout_seconds=60), await running(ann)
    minutes_ago = timezone.now() - timedelta(seconds=61)
    await Session.objects.aupdate(last_activity_at=minutes_ago)
    await in_database(services.note_activity)(other.pk)
    await reconcile.sweep()
    assert await reason_of(session) == Reason.IDLE
    assert (await load(other.pk)).state == SessionState.RUNNING
    await ended(session.pk)
    await ended(other.pk)


async def test_extended_while_it_is_being_expired(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await in_database(services.extend)(session, 7200)
    await reconcile.sweep()
    assert (await load(session.pk)).state == SessionState.RUNNING
    await ended(session.pk)


async def test_asks_again_for_what_nobody_works_on(engine: HookedEngine, ann: User, asked: Asked) -> None:
    pending, stopping = await created(ann), await created(ann)
    await in_database(services.stop)(stopping, Reason.USER)
    asked.clear()
    await Session.objects.aupdate(queued_at=timezone.now())
    await reconcile.sweep()
    assert asked.tasks == []
    await Session.objects.aupdate(queued_at=timezone.now() - timedelta(seconds=7))
    await reconcile.sweep()
    assert sorted(asked.tasks) == [("destroy", stopping.hex), ("provision", pending.hex)]
    asked.clear()
    await reconcile.sweep()
    assert asked.tasks == []
    await ended(pending)
    await ended(stopping)


async def test_does_not_ask_for_what_somebody_works_on(engine: HookedEngine, ann: User, asked: Asked) -> None:
    pending = await created(ann)
    now = timezone.now()
    await Session.objects.aupdate(queued_at=now - HOUR, lease_until=now + timedelta(minutes=1))
    asked.clear()
    await reconcile.sweep()
    assert asked.tasks == []
    await ended(pending)


@pytest.mark.parametrize("state", [SessionState.PENDING, SessionState.STARTING])
async def test_a_session_that_never_starts_ends(engine: HookedEngine, ann: User, state: SessionState) -> None:
    session_id = await created(ann)
    await Session.objects.aupdate(created_at=timezone.now() - HOUR, state=state)
    await reconcile.sweep()
    assert await reason_of(await load(session_id)) == Reason.FAILED
    await ended(session_id)


async def test_a_running_session_without_machine_ends(
    engine: HookedEngine, ann: User, image: Image, profile: Profile
) -> None:
    session = await in_database(make_session)(ann, image, profile, SessionState.RUNNING)
    await reconcile.sweep()
    assert await reason_of(session) == Reason.ENGINE_LOST
    await ended(session.pk)


async def test_a_paused_session_expires(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await Session.objects.aupdate(state=SessionState.PAUSED, expires_at=timezone.now())
    await reconcile.sweep()
    assert await reason_of(session) == Reason.EXPIRED
    await ended(session.pk)


async def test_a_session_that_can_not_be_cleaned_up_ends_on_time(engine: HookedEngine, ann: User) -> None:
    """Nobody can be asked, and the engine is away: the session ends, and its machine goes when the engine is back."""
    session = await running(ann)
    machine = await machine_of(session)
    engine.down = True
    await in_database(services.stop)(session, Reason.USER)
    await reconcile.sweep()
    assert (await load(session.pk)).state == SessionState.STOPPING
    await Session.objects.aupdate(state_changed_at=timezone.now() - ending.STOPPING_DEADLINE - timedelta(seconds=1))
    await reconcile.sweep()
    assert ((await load(session.pk)).state, (await load(session.pk)).reason) == (SessionState.ENDED, Reason.USER)
    await machine.arefresh_from_db()
    assert machine.state == MachineState.REMOVING
    engine.down = False
    await Machine.objects.aupdate(state_changed_at=timezone.now() - HOUR)
    await reconcile.sweep()
    await machine.arefresh_from_db()
    assert machine.state == MachineState.REMOVED
    assert await on_engine(engine) == set()


async def test_a_machine_of_an_ended_session_is_removed(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    await Session.objects.aupdate(state=SessionState.ENDED)
    await reconcile.sweep()
    assert await on_engine(engine) == set()
    assert await Machine.objects.filter(session=session, state=MachineState.REMOVED).aexists()


@pytest.mark.parametrize("state", list(SessionState))
async def test_an_administrator_forces_the_end_of_anything(
    engine: HookedEngine, ann: User, state: SessionState
) -> None:
    session = await running(ann)
    engine.down = True
    await Session.objects.aupdate(state=state, environment={"SECRET": "x"})
    assert await in_database(ending.force_end)(session.pk) is (state != SessionState.ENDED)
    row = await load(session.pk)
    assert row.state == SessionState.ENDED
    if state != SessionState.ENDED:
        assert (row.reason, row.environment) == (Reason.ADMIN, {})
        assert row.message == ending.MESSAGES[Reason.ADMIN]
    engine.down = False
    await Machine.objects.aupdate(state_changed_at=timezone.now() - HOUR)
    await reconcile.sweep()
    assert await on_engine(engine) == set()


async def test_a_dead_pool_machine_is_removed(engine: HookedEngine, image: Image, profile: Profile) -> None:
    machine = await in_database(make_ready_machine)(image, profile)
    await reconcile.sweep()
    await machine.arefresh_from_db()
    assert machine.state == MachineState.REMOVED


async def test_a_half_made_machine_is_removed(
    engine: HookedEngine, stranger: str, image: Image, profile: Profile
) -> None:
    now = timezone.now()
    await Machine.objects.acreate(
        pk=UUID(stranger), hostname="x", image=image, profile=profile, deadline_at=now + HOUR, state_changed_at=now
    )
    await reconcile.sweep()
    assert await on_engine(engine) == {stranger}, "a worker may be making it"
    await Machine.objects.aupdate(state_changed_at=now - HOUR)
    await reconcile.sweep()
    assert await on_engine(engine) == set()
    assert (await Machine.objects.aget()).state == MachineState.REMOVED


async def test_pushes_a_deadline_that_was_not_pushed(engine: HookedEngine, ann: User, asked: Asked) -> None:
    session = await running(ann)
    await in_database(services.extend)(session, 7200)
    asked.clear()
    await reconcile.sweep()
    assert asked.tasks == [("push_deadline", session.pk.hex)]
    await push_deadline(session.pk)
    machine, session = await machine_of(session), await load(session.pk)
    assert session.expires_at is not None
    assert machine.deadline_at == session.expires_at + DEADLINE_MARGIN
    asked.clear()
    await reconcile.sweep()
    assert asked.tasks == []
    await ended(session.pk)


async def test_one_sweep_at_a_time(engine: HookedEngine, transactional_db: None) -> None:
    token = await in_database(leases.acquire)("sweep")
    assert token is not None
    assert not await reconcile.sweep()
    await in_database(leases.release)("sweep", token)
    assert await reconcile.sweep()


async def test_a_worker_sweeps_by_itself_when_nobody_asks(engine: HookedEngine, stranger: str) -> None:
    assert await in_database(reconcile.is_due)()
    by_itself = asyncio.create_task(watching.sweep_when_due())

    async def swept() -> bool:
        return await on_engine(engine) == set()

    await until(swept, "the worker has swept")
    assert not await in_database(reconcile.is_due)(), "it would sweep again at once"
    by_itself.cancel()
    await asyncio.gather(by_itself, return_exceptions=True)


async def test_end_all(engine: HookedEngine, stranger: str, ann: User) -> None:
    session, pending = await running(ann), await created(ann)
    assert await shutdown.end_all() == (2, 2)
    assert await on_engine(engine) == set()
    for session_id in (session.pk, pending):
        row = await load(session_id)
        assert (row.state, row.reason) == (SessionState.ENDED, Reason.ADMIN)
    await ending.destroy(session.pk)
