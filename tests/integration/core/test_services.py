"""Extending, renaming, labelling; reading one's own and nobody else's."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from playground.accounts.models import User
from playground.images.models import Image
from playground.sessions import selectors, services
from playground.sessions.access import get_session_for, get_terminal_for
from playground.sessions.errors import (
    BeyondProfile,
    InvalidRequest,
    LifetimeExhausted,
    SessionNotRunning,
    SessionUnknown,
    TerminalUnknown,
    UnknownImage,
    UnknownProfile,
)
from playground.sessions.models import Event, Profile, Session
from playground.sessions.public import public_session
from playground.sessions.requests import SessionRequest
from playground.sessions.states import Reason, SessionState
from tests.integration.core.rows import make_image, make_ready_machine, make_session

HOUR = timedelta(hours=1)


@pytest.fixture
def session(ann: User, image: Image, profile: Profile) -> Session:
    """Ann's, running for one hour from now; its profile allows eight."""
    session = make_session(ann, image, profile, SessionState.RUNNING)
    make_ready_machine(image, profile, session)
    return session


def test_create_refuses(ann: User, image: Image, profile: Profile) -> None:
    make_image("hidden", enabled=False)
    for request, error in (
        (SessionRequest("nothing"), UnknownImage),
        (SessionRequest("hidden"), UnknownImage),
        (SessionRequest("busybox", profile="huge"), UnknownProfile),
        (SessionRequest("busybox", ttl_seconds=0), InvalidRequest),
        (SessionRequest("busybox", ttl_seconds=10**12), BeyondProfile),
        (SessionRequest("busybox", idle_timeout_seconds=-1), InvalidRequest),
        (SessionRequest("busybox", name="x" * 10_000), InvalidRequest),
    ):
        with pytest.raises(error):
            services.create(ann, request)
    assert not Session.objects.exists()


def test_extend(session: Session) -> None:
    extended = services.extend(session, 7200)
    assert extended.expires_at is not None
    assert abs(extended.expires_at - timezone.now() - 2 * HOUR) < timedelta(seconds=10)
    assert services.extend(session, 60).expires_at == extended.expires_at, "it was shortened"
    most = services.extend(session, 8 * 3600)
    assert most.expires_at is not None
    assert most.started_at is not None
    assert most.expires_at - most.started_at == 8 * HOUR
    with pytest.raises(LifetimeExhausted):
        services.extend(session, 8 * 3600)
    assert Event.objects.filter(session=session, kind="extended").count() == 2


@pytest.mark.parametrize("seconds", [-1, 0, 8 * 3600 + 1, 10**12])
def test_extend_refuses(session: Session, seconds: int) -> None:
    with pytest.raises((InvalidRequest, BeyondProfile)):
        services.extend(session, seconds)


def test_extend_needs_a_running_session(session: Session) -> None:
    services.stop(session, Reason.USER)
    with pytest.raises(SessionNotRunning):
        services.extend(session, 60)


def test_patch(session: Session) -> None:
    patched = services.patch(session, name="Lesson 1", metadata={"course": "c"})
    assert (patched.name, patched.metadata) == ("Lesson 1", {"course": "c"})
    assert services.patch(session, metadata={}).name == "Lesson 1"
    with pytest.raises(InvalidRequest):
        services.patch(session, name="")
    assert Event.objects.filter(session=session, kind="changed").count() == 2


def test_activity_is_written_rarely(session: Session) -> None:
    before = timezone.now() - HOUR
    Session.objects.update(last_activity_at=before)
    services.note_activity(session.pk)
    session.refresh_from_db()
    first = session.last_activity_at
    assert first is not None
    assert first > before
    services.note_activity(session.pk)
    session.refresh_from_db()
    assert session.last_activity_at == first


def test_the_guarded_door(session: Session, ann: User, bob: User) -> None:
    terminal = session.machines.get().terminals.get()
    assert get_session_for(ann, str(session.pk)).pk == session.pk
    assert get_terminal_for(ann, terminal.pk).machine.session_id == session.pk
    for wanted in (session.pk, uuid4(), "no uuid", ""):
        with pytest.raises(SessionUnknown) as caught:
            get_session_for(bob, wanted)
        assert str(caught.value) == "There is no such session."
        assert caught.value.status == 404
    with pytest.raises(TerminalUnknown):
        get_terminal_for(bob, terminal.pk)
    with pytest.raises(SessionUnknown):
        get_session_for(bob, session.pk, for_admin=True)
    bob.is_staff = True
    with pytest.raises(SessionUnknown):
        get_session_for(bob, session.pk)
    assert get_session_for(bob, session.pk, for_admin=True).pk == session.pk
    ann.is_active = False
    with pytest.raises(SessionUnknown):
        get_session_for(ann, session.pk)


def test_a_pool_machines_terminal_is_nobodys(ann: User, image: Image, profile: Profile) -> None:
    terminal = make_ready_machine(image, profile).terminals.get()
    with pytest.raises(TerminalUnknown):
        get_terminal_for(ann, terminal.pk)


def test_pages_of_sessions(ann: User, bob: User, image: Image, profile: Profile) -> None:
    now = timezone.now()
    for number in range(5):
        at = now - timedelta(seconds=number // 2)
        make_session(ann, image, profile, SessionState.ENDED, created_at=at, metadata={"7": str(number % 2)})
    make_session(bob, image, profile, SessionState.ENDED)
    found: list[Session] = []
    position = None
    for _ in range(3):
        page, position = selectors.sessions_of(ann, after=position, limit=2)
        found += page
    assert position is None
    assert len({session.pk for session in found}) == 5
    assert [session.created_at for session in found] == sorted((s.created_at for s in found), reverse=True)
    assert len(selectors.sessions_of(ann, metadata={"7": "1"})[0]) == 2
    assert selectors.sessions_of(ann, metadata={"7__contains": "1"})[0] == []
    assert selectors.sessions_of(ann, states=frozenset({SessionState.RUNNING}))[0] == []
    assert selectors.sessions_of(ann, image="other")[0] == []


def test_what_the_owner_sees(session: Session) -> None:
    Session.objects.update(environment={"TOKEN": "s3cret"})
    public = public_session(Session.objects.get(pk=session.pk))
    assert "s3cret" not in str(public)
    assert public["machines"][0]["name"] == "main"
    assert public["terminals"][0]["websocket_url"].startswith("ws://127.0.0.1:8000/ws/v1/terminals/")
    assert public["expires_at"] is not None
    assert public["expires_at"].endswith("Z")
