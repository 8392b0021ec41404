"""Sessions of several machines: made together, gone together, in turn and within the host's room."""

import dataclasses
from collections.abc import Callable

import pytest
from django.conf import settings
from pytest_django import Settings

from playground.accounts.models import User
from playground.database import in_database
from playground.host import reports
from playground.images.models import Image, ImageState
from playground.sessions import provisioning, services
from playground.sessions.enforceable import check_enforceable
from playground.sessions.errors import InvalidRequest, NeverFits, UnknownImage
from playground.sessions.machines import ExecRequest, execute
from playground.sessions.models import Machine, Profile, Session
from playground.sessions.requests import MAX_MACHINES, SessionRequest, WantedMachine
from playground.sessions.states import MachineState, SessionState
from runtime.engines.base import Egress
from runtime.errors import CapabilityUnavailable, EngineRefused
from tests.integration.core.rows import make_image
from tests.integration.core.stories import created, ended, load, on_engine, running
from tests.support.hooked_engine import HookedEngine
from tests.support.hosts import found_on_host

pytestmark = pytest.mark.usefixtures("image", "profile")
DB = [WantedMachine("db", "busybox")]


async def test_they_start_and_end_together(engine: HookedEngine, ann: User) -> None:
    session = await running(ann, machines=[*DB, WantedMachine("web-1", "busybox")])
    machines = {machine.name: machine for machine in session.machines.all()}
    assert set(machines) == {"main", "db", "web-1"}
    assert len({machine.hostname for machine in machines.values()}) == 3
    assert all(machine.terminals.all() for machine in machines.values())
    said = await execute(session, ExecRequest(["sh", "-c", "echo here"], machine="db"))
    assert said.stdout == b"here\n"
    await ended(session.pk)
    assert await on_engine(engine) == set()


async def test_one_that_cannot_be_made_takes_the_others_with_it(engine: HookedEngine, ann: User) -> None:
    async def fail_the_second() -> None:
        if engine.calls.count("create") == 2:
            raise EngineRefused("No.")

    engine.before["create"] = fail_the_second
    session_id = await created(ann, machines=DB)
    await provisioning.provision(session_id)
    assert (await load(session_id)).state == SessionState.STOPPING
    assert await on_engine(engine) == set()
    assert not await Machine.objects.exclude(state=MachineState.REMOVED).aexists()
    await ended(session_id)


async def test_it_waits_for_all_images(engine: HookedEngine, ann: User) -> None:
    other = await in_database(lambda: make_image("other"))()
    await Image.objects.filter(pk=other.pk).aupdate(state=ImageState.PREPARING)
    session_id = await created(ann, machines=[WantedMachine("db", "other")])
    await provisioning.provision(session_id)
    assert (await load(session_id)).state == SessionState.PENDING
    await Image.objects.filter(pk=other.pk).aupdate(state=ImageState.READY)
    await provisioning.provision(session_id)
    session = await load(session_id)
    assert session.state == SessionState.RUNNING
    assert {machine.image_id for machine in session.machines.all()} == {"busybox", "other"}
    await ended(session_id)


async def test_all_of_them_need_room(engine: HookedEngine, ann: User, settings: Settings, profile: Profile) -> None:
    room = 2 * profile.memory_bytes
    settings.CAPACITY = dataclasses.replace(settings.CAPACITY, memory_bytes=room)
    first = await running(ann)
    waiting = await created(ann, machines=DB)
    await provisioning.provision(waiting)
    assert (await load(waiting)).state == SessionState.PENDING
    await ended(first.pk)
    await provisioning.provision(waiting)
    assert (await load(waiting)).state == SessionState.RUNNING
    await ended(waiting)
    with pytest.raises(NeverFits):
        await created(ann, machines=[*DB, WantedMachine("c", "busybox")])


@pytest.mark.parametrize(
    "names",
    [["main"], ["db", "db"], ["DB"], ["a b"], ["-a"], ["a-"], ["localhost"], ["1"], ["x" * 33], [""],
     [f"m{number}" for number in range(MAX_MACHINES)]],
)  # fmt: skip
def test_names_that_are_none(ann: User, names: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        services.create(ann, SessionRequest("busybox", machines=[WantedMachine(name, "busybox") for name in names]))
    assert not Session.objects.exists()


def test_an_unknown_image(ann: User) -> None:
    with pytest.raises(UnknownImage):
        services.create(ann, SessionRequest("busybox", machines=[WantedMachine("db", "nothing")]))
    assert not Session.objects.exists()


def limited(profile: Profile) -> None:
    profile.egress = Egress.INTERNET


def unlimited(profile: Profile) -> None:
    limited(profile)
    profile.download_bytes_per_second = profile.upload_bytes_per_second = 0


@pytest.mark.parametrize(
    ("change", "has", "together", "refused"),
    [
        (None, {}, False, False),
        (None, {}, True, True),
        (None, {"egress_filter": True}, True, False),
        (limited, {}, False, True),
        (limited, {"egress_filter": True}, False, True),
        (limited, {"egress_filter": True, "bandwidth": True}, False, False),
        (unlimited, {"egress_filter": True}, False, False),
    ],
)
def test_what_the_host_cannot_enforce_is_refused(
    profile: Profile, change: Callable[[Profile], None] | None, has: dict[str, bool], together: bool, refused: bool
) -> None:
    if change:
        change(profile)
    check_enforceable(
        profile, Egress(profile.egress), reports.report(), together=together
    )  # before the first probe, nobody knows
    found_on_host(**has)
    if refused:
        with pytest.raises(CapabilityUnavailable):
            check_enforceable(profile, Egress(profile.egress), reports.report(), together=together)
    else:
        check_enforceable(profile, Egress(profile.egress), reports.report(), together=together)


async def test_nothing_is_written_for_what_is_refused(engine: HookedEngine, ann: User) -> None:
    await Profile.objects.filter(is_default=True).aupdate(egress=Egress.INTERNET)
    await in_database(found_on_host)(egress_filter=False)
    with pytest.raises(CapabilityUnavailable):
        await services.launch(ann, SessionRequest("busybox"))
    assert not await Session.objects.aexists()
    assert settings.PLAYGROUND_ENGINE == "process"
