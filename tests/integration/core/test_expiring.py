"""Warnings are given once, taken back when they do not come true, and are in the history for programs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from playground.accounts.models import User
from playground.images.models import Image
from playground.sessions import expiring, services
from playground.sessions.models import Event, Profile, Session
from playground.sessions.states import SessionState
from tests.integration.core.rows import make_session

MINUTE = timedelta(minutes=1)


@pytest.fixture
def session(ann: User, image: Image, profile: Profile) -> Session:
    """Ann's, used right now, for one hour more."""
    return make_session(ann, image, profile, SessionState.RUNNING)


def _told(session: Session) -> list[dict[str, Any]]:
    return [event.data for event in Event.objects.filter(session=session, kind="expiring")]


def _ends_in(session: Session, left: timedelta) -> None:
    now = timezone.now()
    Session.objects.filter(pk=session.pk).update(started_at=now + left - 60 * MINUTE, expires_at=now + left)


def test_nothing_to_warn_of(session: Session) -> None:
    expiring.warn()
    assert _told(session) == []


def test_a_lifetime_is_warned_of_twice(session: Session) -> None:
    for left, times in ((4 * MINUTE, 1), (50 * MINUTE / 60, 2)):
        _ends_in(session, left)
        for _ in range(3):
            expiring.warn()
        assert len(_told(session)) == times
    assert [told["reason"] for told in _told(session)] == ["expired", "expired"]
    assert 200 <= _told(session)[0]["seconds"] <= 240


def test_an_extended_session_is_warned_again(session: Session) -> None:
    _ends_in(session, 4 * MINUTE)
    expiring.warn()
    services.extend(session, 3600)
    expiring.warn()
    assert len(_told(session)) == 1
    _ends_in(session, 3 * MINUTE)
    expiring.warn()
    assert len(_told(session)) == 2


def test_who_uses_an_idle_session_takes_the_warning_back(session: Session) -> None:
    Session.objects.update(last_activity_at=timezone.now() - 29 * MINUTE)
    expiring.warn()
    expiring.warn()
    assert [told["reason"] for told in _told(session)] == ["idle"]
    services.note_activity(session.pk)
    services.note_activity(session.pk)
    expiring.warn()
    assert Event.objects.filter(session=session, kind="kept").count() == 1
    assert len(_told(session)) == 1
    Session.objects.update(last_activity_at=timezone.now() - 29 * MINUTE)
    expiring.warn()
    assert len(_told(session)) == 2, "the second time it was not warned of"


def test_what_was_extended_meanwhile_is_not_warned_of(session: Session) -> None:
    _ends_in(session, 4 * MINUTE)
    session.refresh_from_db()
    now = timezone.now()
    (expiry,) = expiring.standing(session, now)
    services.extend(session, 3600)
    expiring._give(session, expiry, now)
    assert _told(session) == []


@pytest.mark.parametrize("state", set(SessionState) - {SessionState.RUNNING, SessionState.PAUSED})
def test_only_what_runs_is_warned_of(ann: User, image: Image, profile: Profile, state: SessionState) -> None:
    now = timezone.now()
    session = make_session(
        ann, image, profile, state, started_at=now - 59 * MINUTE, expires_at=now + MINUTE, last_activity_at=now
    )
    expiring.warn()
    assert _told(session) == []
