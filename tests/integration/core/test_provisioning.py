"""From `pending` to `running`, and all that can happen on the way."""

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image, ImageState
from playground.sessions import ending, provisioning, reconcile, services
from playground.sessions.models import LIVE_MACHINE_STATES, Machine, Profile, Session, Terminal
from playground.sessions.states import MachineState, Reason, SessionState
from runtime.errors import CapacityExceeded, EngineRefused, ImageUnavailable
from tests.integration.core.stories import created, ended, history, lapse, load, machine_of, on_engine, running
from tests.support.hooked_engine import Gate, HookedEngine, raises

pytestmark = pytest.mark.usefixtures("image", "profile")


async def test_starts(engine: HookedEngine, ann: User, profile: Profile) -> None:
    session = await running(ann)
    machine = await machine_of(session)
    assert session.expires_at is not None
    assert session.started_at is not None
    assert session.expires_at - session.started_at == timedelta(seconds=profile.lifetime_seconds)
    assert timedelta(0) < machine.deadline_at - session.expires_at < timedelta(seconds=61)
    assert machine.hostname == session.hostname
    terminal = await Terminal.objects.aget(machine=machine)
    assert (terminal.name, terminal.is_main) == ("sh", False)
    assert await on_engine(engine) == {machine.pk.hex}
    assert await history(session.pk) == ["created", "starting", "running"]
    await ended(session.pk)
    assert await on_engine(engine) == set()
    assert await history(session.pk) == ["created", "starting", "running", "stopping", "ended"]


async def test_a_command_is_the_main_process(engine: HookedEngine, ann: User) -> None:
    session = await running(ann, command=["/bin/sleep", "600"], environment={"TOKEN": "s3cret"})
    terminal = await Terminal.objects.aget(machine__session=session)
    assert (terminal.name, terminal.is_main, terminal.command) == ("sleep", True, ["/bin/sleep", "600"])
    assert (await ended(session.pk)).environment == {}


async def test_a_command_that_does_not_exist(engine: HookedEngine, ann: User) -> None:
    session_id = await created(ann, command=["/missing/program"])
    await provisioning.provision(session_id)
    await ending.destroy(session_id)
    session = await load(session_id)
    assert (session.state, session.reason) == (SessionState.ENDED, Reason.FAILED)
    assert "/missing/program" in session.message
    assert await on_engine(engine) == set()


async def test_falls_back_to_a_usual_shell(engine: HookedEngine, ann: User, image: Image) -> None:
    await Image.objects.filter(pk=image.pk).aupdate(shell=["/missing/shell"])
    session = await running(ann)
    terminal = await Terminal.objects.aget(machine__session=session)
    assert terminal.command in (["/bin/bash"], ["/bin/sh"])
    await ended(session.pk)


async def test_a_service_runs_beside_a_shell(engine: HookedEngine, ann: User, image: Image) -> None:
    await Image.objects.filter(pk=image.pk).aupdate(command=["/bin/sleep", "600"])
    session = await running(ann)
    terminals = [terminal async for terminal in Terminal.objects.filter(machine__session=session)]
    assert {(terminal.name, terminal.is_main) for terminal in terminals} == {("service", True), ("sh", False)}
    await ended(session.pk)


async def test_two_workers_make_one_machine(engine: HookedEngine, ann: User) -> None:
    session_id = await created(ann)
    await asyncio.gather(*(provisioning.provision(session_id) for _ in range(3)))
    assert engine.calls.count("create") == 1
    await ended(session_id)


@pytest.mark.parametrize("moment", ["before create", "after create", "before dial"])
async def test_ended_while_it_starts(engine: HookedEngine, ann: User, moment: str) -> None:
    gate = Gate()
    when, method = moment.split()
    getattr(engine, when)[method] = gate
    session_id = await created(ann)
    worker = asyncio.create_task(provisioning.provision(session_id))
    await gate.reached.wait()
    session = await ended(session_id)
    gate.opened.set()
    await worker
    assert (await load(session_id)).state == SessionState.ENDED
    assert session.reason == Reason.USER
    assert await on_engine(engine) == set()


@pytest.mark.parametrize("moment", ["before create", "after create", "before dial"])
async def test_a_worker_that_dies_is_replaced(engine: HookedEngine, ann: User, moment: str, unrenewed: None) -> None:
    """And when it was not dead but slow, it finds that it has lost, and cleans up after itself."""
    gate = Gate()
    when, method = moment.split()
    hooks = getattr(engine, when)
    hooks[method] = gate
    session_id = await created(ann)
    dead = asyncio.create_task(provisioning.provision(session_id))
    await gate.reached.wait()
    hooks.clear()
    await provisioning.provision(session_id)
    assert (await load(session_id)).state == SessionState.STARTING, "somebody else's lease was not respected"
    await lapse(session_id)
    await provisioning.provision(session_id)
    session = await load(session_id)
    assert session.state == SessionState.RUNNING
    machine = await machine_of(session)
    gate.opened.set()
    await dead
    assert await on_engine(engine) == {machine.pk.hex}
    assert (await load(session_id)).state == SessionState.RUNNING
    await ended(session_id)


@pytest.mark.parametrize("moment", ["before create", "after create", "before dial"])
async def test_what_a_killed_worker_left_is_swept(
    engine: HookedEngine, ann: User, moment: str, unrenewed: None
) -> None:
    gate = Gate()
    when, method = moment.split()
    getattr(engine, when)[method] = gate
    session_id = await created(ann)
    killed = asyncio.create_task(provisioning.provision(session_id))
    await gate.reached.wait()
    getattr(engine, when).clear()
    await lapse(session_id)
    await provisioning.provision(session_id)
    machine = await machine_of(await load(session_id))
    long_ago = timezone.now() - timedelta(minutes=10)
    await Machine.objects.exclude(pk=machine.pk).aupdate(state_changed_at=long_ago)
    await reconcile.sweep()
    assert await on_engine(engine) == {machine.pk.hex}
    assert await Machine.objects.exclude(state=MachineState.REMOVED).acount() == 1
    gate.opened.set()
    await killed
    assert await on_engine(engine) == {machine.pk.hex}
    await ended(session_id)


async def test_tries_again_while_the_engine_is_away(engine: HookedEngine, ann: User) -> None:
    session_id = await created(ann)
    engine.down = True
    await provisioning.provision(session_id)
    session = await load(session_id)
    assert (session.state, session.attempts) == (SessionState.STARTING, 1)
    assert "trying again" in session.message
    assert session.lease_until is not None
    assert session.lease_until > timezone.now()
    engine.down = False
    await lapse(session_id)
    await provisioning.provision(session_id)
    assert (await load(session_id)).state == SessionState.RUNNING
    assert "retry" in await history(session_id)
    await ended(session_id)


async def test_gives_up_in_the_end(engine: HookedEngine, ann: User) -> None:
    session_id = await created(ann)
    engine.down = True
    for _ in range(provisioning.MAX_ATTEMPTS):
        await lapse(session_id)
        await provisioning.provision(session_id)
    session = await load(session_id)
    assert (session.state, session.reason) == (SessionState.STOPPING, Reason.FAILED)
    assert session.message == "The engine does not answer."
    engine.down = False
    await ending.destroy(session_id)
    assert (await load(session_id)).state == SessionState.ENDED


async def test_engine_goes_away_in_the_middle(engine: HookedEngine, ann: User) -> None:
    """It made the machine, but we never heard: nothing of it stays."""
    session_id = await created(ann)

    async def vanish() -> None:
        engine.down = True

    engine.after["create"] = vanish
    await provisioning.provision(session_id)
    assert len(await on_engine(engine)) == 1
    engine.down = False
    engine.after.clear()
    await lapse(session_id)
    await provisioning.provision(session_id)
    machine = await machine_of(await load(session_id))
    await Machine.objects.filter(state=MachineState.REMOVING).aupdate(
        state_changed_at=timezone.now() - timedelta(minutes=1)
    )
    await reconcile.sweep()
    assert await on_engine(engine) == {machine.pk.hex}
    await ended(session_id)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (EngineRefused("The engine says no."), SessionState.STOPPING),
        (CapacityExceeded("This host is full."), SessionState.STARTING),
        (TimeoutError(), SessionState.STARTING),
    ],
)
async def test_failures_are_told_apart(engine: HookedEngine, ann: User, error: Exception, state: SessionState) -> None:
    engine.before["create"] = raises(error)
    session_id = await created(ann)
    await provisioning.provision(session_id)
    assert (await load(session_id)).state == state
    assert not await Machine.objects.filter(state__in=LIVE_MACHINE_STATES).aexists()
    await ended(session_id)


async def test_waits_for_the_image(engine: HookedEngine, ann: User, image: Image) -> None:
    await Image.objects.aupdate(
        state=ImageState.PREPARING, progress=0.43, message="unpacking", heartbeat_at=timezone.now()
    )
    session_id = await created(ann)
    await provisioning.provision(session_id)
    session = await load(session_id)
    assert (session.state, session.attempts) == (SessionState.PENDING, 0)
    assert session.message == "Preparing the image 43%: unpacking"
    await Image.objects.aupdate(state=ImageState.READY)
    await provisioning.provision(session_id)
    assert (await load(session_id)).state == SessionState.RUNNING
    await ended(session_id)


async def test_an_image_that_failed_ends_the_session(engine: HookedEngine, ann: User) -> None:
    await Image.objects.aupdate(state=ImageState.FAILED, message="no such package", state_changed_at=timezone.now())
    session_id = await created(ann)
    await provisioning.provision(session_id)
    session = await load(session_id)
    assert (session.state, session.reason) == (SessionState.STOPPING, Reason.FAILED)
    assert "no such package" in session.message
    await ended(session_id)


async def test_an_image_that_the_engine_lost_is_prepared_again(engine: HookedEngine, ann: User, image: Image) -> None:
    engine.before["create"] = raises(ImageUnavailable("There is no such image here."))
    session_id = await created(ann)
    await provisioning.provision(session_id)
    await image.arefresh_from_db()
    assert image.state == ImageState.ABSENT
    assert (await load(session_id)).state == SessionState.STARTING
    engine.before.clear()
    await Image.objects.aupdate(state=ImageState.READY)
    await lapse(session_id)
    await provisioning.provision(session_id)
    assert (await load(session_id)).state == SessionState.RUNNING
    await ended(session_id)


async def test_a_session_that_ended_is_not_started(engine: HookedEngine, ann: User) -> None:
    session_id = await created(ann)
    assert await in_database(services.stop)(session_id, Reason.USER)
    await provisioning.provision(session_id)
    assert engine.calls == []
    await ending.destroy(session_id)
    assert await Session.objects.filter(pk=session_id, state=SessionState.ENDED).aexists()
