"""Nobody gets more sessions than they may, however fast they ask."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from playground.accounts.models import User
from playground.images.models import Image
from playground.sessions import services
from playground.sessions.errors import QuotaExceeded
from playground.sessions.models import Profile, Session
from playground.sessions.quotas import usage_of
from playground.sessions.requests import SessionRequest
from playground.sessions.states import Reason, SessionState
from playground.settings.limits import PersonLimits
from tests.integration.core.rows import make_session
from tests.support.threads import at_once

REQUEST = SessionRequest("busybox")


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> None:
    settings.PERSON_LIMITS = PersonLimits(concurrent_sessions=2, sessions_per_day=6, sessions_per_minute=4)


def test_concurrent_sessions(ann: User, bob: User, image: Image, profile: Profile) -> None:
    first = services.create(ann, REQUEST)
    services.create(ann, REQUEST)
    with pytest.raises(QuotaExceeded) as caught:
        services.create(ann, REQUEST)
    assert caught.value.retryable
    assert Session.objects.filter(owner=ann).count() == 2
    services.create(bob, REQUEST)
    services.stop(first, Reason.USER)
    services.create(ann, REQUEST)


def test_a_persons_own_limit_wins(ann: User, image: Image, profile: Profile) -> None:
    ann.max_concurrent_sessions = 0
    ann.save()
    with pytest.raises(QuotaExceeded):
        services.create(ann, REQUEST)


def test_sessions_a_minute_and_when_to_come_again(ann: User, image: Image, profile: Profile) -> None:
    begun = time.monotonic()
    for _ in range(4):
        services.stop(services.create(ann, REQUEST), Reason.USER)
    with pytest.raises(QuotaExceeded) as caught:
        services.create(ann, REQUEST)
    assert caught.value.retry_after is not None
    assert 59 - (time.monotonic() - begun) <= caught.value.retry_after <= 61


def test_sessions_a_day(ann: User, image: Image, profile: Profile) -> None:
    hours_ago = timezone.now() - timedelta(hours=3)
    for _ in range(6):
        make_session(ann, image, profile, SessionState.ENDED, created_at=hours_ago)
    with pytest.raises(QuotaExceeded) as caught:
        services.create(ann, REQUEST)
    assert caught.value.retry_after is not None
    assert 20 * 3600 < caught.value.retry_after <= 21 * 3600 + 1
    Session.objects.update(created_at=timezone.now() - timedelta(hours=25))
    services.create(ann, REQUEST)
    assert usage_of(ann).sessions_last_day == 1


def test_two_requests_for_the_last_place(ann: User, image: Image, profile: Profile) -> None:
    services.create(ann, REQUEST)
    results = at_once(*[lambda: services.create(ann, REQUEST)] * 4)
    assert sorted(type(result).__name__ for result in results) == ["QuotaExceeded"] * 3 + ["Session"]
    assert Session.objects.filter(owner=ann).count() == 2
