"""A pool machine goes to one session, the next session gets the next one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from playground.accounts.models import User
from playground.images.models import Image
from playground.sessions import pools, services
from playground.sessions.models import Event, Machine, Profile, Session
from playground.sessions.requests import SessionRequest
from playground.sessions.states import MachineState, SessionState
from tests.integration.core.rows import make_image, make_ready_machine, make_session
from tests.support.threads import at_once

REQUEST = SessionRequest("busybox")


def test_claim_takes_the_oldest(ann: User, image: Image, profile: Profile) -> None:
    older, newer = make_ready_machine(image, profile), make_ready_machine(image, profile)
    session = services.create(ann, REQUEST)
    older.refresh_from_db()
    newer.refresh_from_db()
    assert older.session_id == session.pk
    assert newer.session_id is None
    assert older.deadline_at < timezone.now() + timedelta(seconds=profile.lifetime_seconds + 70)
    assert session.hostname == older.hostname
    assert session.name == f"busybox-{older.hostname}"
    assert session.state == SessionState.PENDING


@pytest.mark.parametrize(
    "request_",
    [
        SessionRequest("busybox", profile="small"),
        SessionRequest("busybox", command=["sleep", "1"]),
        SessionRequest("busybox", environment={"A": "b"}),
        SessionRequest("other"),
    ],
)
def test_claims_nothing_that_does_not_fit(ann: User, image: Image, profile: Profile, request_: SessionRequest) -> None:
    make_image("other")
    machine = make_ready_machine(image, profile)
    services.create(ann, request_)
    machine.refresh_from_db()
    assert machine.session_id is None


@pytest.mark.parametrize("change", ["digest", "memory", "removing", "deadline"])
def test_claims_nothing_out_of_date(ann: User, image: Image, profile: Profile, change: str) -> None:
    machine = make_ready_machine(image, profile)
    if change == "digest":
        Image.objects.update(digest="sha256:" + "1" * 64)
    elif change == "memory":
        Profile.objects.update(memory_bytes=1 << 29 | 1)
    elif change == "removing":
        Machine.objects.update(state=MachineState.REMOVING)
    else:
        Machine.objects.update(deadline_at=timezone.now() + timedelta(seconds=30))
    services.create(ann, REQUEST)
    machine.refresh_from_db()
    assert machine.session_id is None


def test_two_claims_at_once_get_two_machines(ann: User, image: Image, profile: Profile) -> None:
    for _ in range(3):
        make_ready_machine(image, profile)
    sessions = [make_session(ann, image, profile, SessionState.PENDING) for _ in range(4)]
    results = at_once(*[lambda session=session: pools.claim(session, 60, None) for session in sessions])
    claimed = [result for result in results if isinstance(result, Machine)]
    assert results.count(None) == 1
    assert len({machine.pk for machine in claimed}) == 3
    assert Machine.objects.filter(session__isnull=True).count() == 0


def test_creates_at_once_share_the_pool(ann: User, image: Image, profile: Profile) -> None:
    make_ready_machine(image, profile)
    results = at_once(*[lambda: services.create(ann, REQUEST)] * 3)
    assert all(isinstance(result, Session) for result in results), results
    assert Machine.objects.filter(session__isnull=False).count() == 1
    assert Event.objects.filter(kind="created", data__claimed=True).count() == 1
