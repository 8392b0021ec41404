"""Warnings of limits that are nearly reached: once, to whom they concern, and taken back when there is room."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from playground.accounts.models import User
from playground.images.models import Image
from playground.sessions import enforcing, limit_warnings, sampled
from playground.sessions.limit_warnings import Nearness
from playground.sessions.models import Event, Machine, MachineUsage, PersonHour, Profile, Session
from playground.sessions.states import Reason, SessionState
from playground.settings.limits import PersonLimits
from tests.integration.core.rows import make_ready_machine, make_session
from tests.support.threads import at_once

GIB = 1 << 30


@pytest.fixture
def machine(ann: User, image: Image, profile: Profile) -> Machine:
    """Of a running session of ann's; nothing on the engine."""
    return make_ready_machine(image, profile, make_session(ann, image, profile, SessionState.RUNNING))


def _pass() -> None:
    """What a pass of the sampler does once it has added up."""
    enforcing.enforce(sampled.machines())


def _told(session: Session | None) -> list[tuple[str, object]]:
    rows = Event.objects.filter(session=session, kind__in=("warning", "kept"))
    return [(event.kind, event.data["subject"]) for event in rows]


def _words(session: Session | None) -> str:
    return str(Event.objects.filter(session=session, kind="warning").latest("pk").data["message"])


def test_bytes_of_a_session(machine: Machine) -> None:
    Profile.objects.update(network_bytes=GIB)
    row = MachineUsage.objects.create(machine=machine, sampled_at=timezone.now(), sent_bytes=GIB * 8 // 10)
    _pass()
    assert _told(machine.session) == []
    MachineUsage.objects.filter(pk=row.pk).update(received_bytes=GIB // 20)
    for _ in range(2):
        _pass()
        assert _told(machine.session) == [("warning", "network")]
    assert _words(machine.session) == (
        "This session has sent and received 870 MiB of the 1 GiB that its profile allows (84 %). At 1 GiB it ends."
    )
    assert limit_warnings.standing(machine.session_id or machine.pk)[0]["used_bytes"] == GIB * 8 // 10 + GIB // 20
    # An administrator gives more.
    Profile.objects.update(network_bytes=2 * GIB)
    _pass()
    assert _told(machine.session) == [("warning", "network"), ("kept", "network")]
    assert limit_warnings.standing(machine.session_id or machine.pk) == []
    Profile.objects.update(network_bytes=GIB // 2)
    _pass()
    assert Session.objects.get().reason == Reason.QUOTA_NETWORK
    assert len(_told(machine.session)) == 2


def test_the_days_budgets(machine: Machine, bob: User, image: Image, profile: Profile, settings: Settings) -> None:
    settings.PERSON_LIMITS = PersonLimits(5, 200, 20, cpu_seconds_per_day=36000, egress_bytes_per_day=GIB)
    others = make_ready_machine(image, profile, make_session(bob, image, profile, SessionState.RUNNING)).session
    hour = PersonHour.objects.create(
        owner=machine.session.owner,  # type: ignore[union-attr]
        hour=timezone.now() - timedelta(hours=3),
        cpu_seconds=30000,
        egress_bytes=GIB * 9 // 10,
    )
    for _ in range(2):
        _pass()
        assert _told(machine.session) == [("warning", "cpu_day")], "it has no network"
    assert _words(machine.session) == (
        "83 % of the CPU time that you have in 24 hours is used: 8 hours 20 minutes of 10 hours. "
        "When it is used up, all your sessions end."
    )
    Session.objects.filter(pk=machine.session_id).update(egress="internet")
    _pass()
    assert _told(machine.session) == [("warning", "cpu_day"), ("warning", "egress_day")]
    assert _words(machine.session) == (
        "You have sent 922 MiB of the 1 GiB that you may send in 24 hours (89 %). "
        "At 1 GiB your sessions with a network end."
    )
    # The hour is a day ago.
    PersonHour.objects.filter(pk=hour.pk).update(hour=timezone.now() - timedelta(hours=26))
    _pass()
    assert _told(machine.session)[2:] == [("kept", "cpu_day"), ("kept", "egress_day")]
    assert _told(others) == []


def test_nothing_is_warned_of_twice_by_two_at_once(machine: Machine) -> None:
    assert machine.session_id is not None
    near = Nearness(machine.session_id, "disk", 90, 100, "Little is left.", "main")
    assert at_once(*[lambda: limit_warnings.tell([near])] * 4) == [None] * 4
    assert _told(machine.session) == [("warning", "disk")]
    room = Nearness(machine.session_id, "disk", 10, 100, "", "main")
    assert at_once(*[lambda: limit_warnings.tell([room])] * 4) == [None] * 4
    assert _told(machine.session) == [("warning", "disk"), ("kept", "disk")]


def test_it_does_not_come_and_go(machine: Machine) -> None:
    assert machine.session_id is not None
    for used in (79, 80, 81, 79, 71, 70, 81, 69, 71, 80, 90):
        limit_warnings.tell([Nearness(machine.session_id, "disk", used, 100, "Little is left.", "main")])
    assert [kind for kind, _ in _told(machine.session)] == ["warning", "kept", "warning"]


def test_each_machine_has_its_own(machine: Machine) -> None:
    assert machine.session_id is not None
    for name, used in (("main", 90), ("db", 95), ("main", 10)):
        limit_warnings.tell([Nearness(machine.session_id, "disk", used, 100, name, name)])
    assert [told["machine"] for told in limit_warnings.standing(machine.session_id)] == ["db"]
