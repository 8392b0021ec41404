"""Starting again what has ended: the same is asked for."""

from dataclasses import replace

import pytest

from playground.accounts.models import User
from playground.images.models import Image
from playground.sessions import services
from playground.sessions.again import asked_again
from playground.sessions.ending import end_overdue
from playground.sessions.models import Profile, Session
from playground.sessions.requests import SessionRequest, WantedMachine, WantedNetwork
from playground.sessions.states import Reason, RecordingRule, SessionState
from runtime.engines.base import Egress
from tests.support.hosts import found_on_host

ALL = SessionRequest(
    "busybox",
    name="mine",
    profile="small",
    command=["httpd", "-f"],
    environment={"TOKEN": "secret", "COLOUR": "red"},
    metadata={"course": "unix"},
    machines=[WantedMachine("db", "busybox")],
    network=WantedNetwork(Egress.ALLOWLIST, ["deb.debian.org"]),
    record=True,
    ttl_seconds=100,
    idle_timeout_seconds=50,
)


def _ended(owner: User, request: SessionRequest) -> Session:
    session = services.create(owner, request)
    services.stop(session, Reason.USER)
    Session.objects.filter(pk=session.pk).update(state_changed_at=session.created_at.replace(year=2000))
    end_overdue()
    found = Session.objects.get(pk=session.pk)
    assert found.state == SessionState.ENDED
    return found


@pytest.fixture(autouse=True)
def _host(image: Image, profile: Profile) -> None:
    found_on_host(egress_filter=True, bandwidth=True)
    Profile.objects.update(egress=Egress.INTERNET)


def test_all_of_it_but_the_values_of_variables(ann: User) -> None:
    session = _ended(ann, ALL)
    assert asked_again(session) == replace(ALL, environment={})
    assert session.environment_names == ["COLOUR", "TOKEN"]


def test_what_the_profile_says_is_left_to_the_profile(ann: User, profile: Profile) -> None:
    session = _ended(ann, SessionRequest("busybox"))
    assert asked_again(session) == SessionRequest("busybox", profile=profile.slug)


def test_what_the_profile_allows_no_more_is_left_to_it(ann: User) -> None:
    session = _ended(ann, ALL)
    Profile.objects.update(egress=Egress.NONE, max_lifetime_seconds=80, recording=RecordingRule.NEVER)
    session.refresh_from_db()
    wanted = asked_again(session)
    assert (wanted.network, wanted.record, wanted.ttl_seconds, wanted.idle_timeout_seconds) == (None, False, 80, 50)
    services.create(ann, wanted)


def test_what_the_profile_demanded_is_not_asked_for(ann: User) -> None:
    Profile.objects.update(recording=RecordingRule.ALWAYS)
    session = _ended(ann, SessionRequest("busybox"))
    assert session.is_recorded
    Profile.objects.update(recording=RecordingRule.ON_REQUEST)
    session.refresh_from_db()
    assert not asked_again(session).record


def test_values_of_variables_are_not_taken_from_one_that_lives(ann: User) -> None:
    assert asked_again(services.create(ann, ALL)) == replace(ALL, environment={})


def test_a_recording_that_was_stopped_is_begun_again(ann: User) -> None:
    session = _ended(ann, SessionRequest("busybox", record=True))
    Session.objects.update(is_recorded=False, recording_stopped_at=session.created_at)
    session.refresh_from_db()
    assert asked_again(session).record
