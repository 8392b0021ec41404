"""Django's administration: it shows everything but secrets, and ends sessions."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from playground.accounts.models import User
from playground.images.models import Image, ImageState
from playground.sessions.models import Event, Profile, Session
from playground.sessions.states import Reason, SessionState
from tests.integration.core.rows import make_ready_machine, make_session
from tests.support.asked import Asked


@pytest.fixture
def admin(transactional_db: None, settings: Settings) -> Client:
    """An administrator's browser."""
    settings.DEBUG = False
    client = Client()
    user = User.objects.create_superuser("root", password="correct horse battery")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def session(ann: User, image: Image, profile: Profile) -> Session:
    """One that runs, with a secret."""
    session = make_session(ann, image, profile, SessionState.RUNNING, environment={"TOKEN": "s3cret"})
    make_ready_machine(image, profile, session)
    Event.objects.create(session=session, kind="running")
    return session


@pytest.mark.parametrize("model", ["session", "machine", "terminal", "event", "profile", "lease"])
def test_lists(admin: Client, session: Session, model: str) -> None:
    answer = admin.get(reverse(f"admin:playground_sessions_{model}_changelist"))
    assert answer.status_code == 200
    assert "s3cret" not in answer.content.decode()


def test_a_session_is_shown_without_its_secrets(admin: Client, session: Session) -> None:
    answer = admin.get(reverse("admin:playground_sessions_session_change", args=[session.pk]))
    assert answer.status_code == 200
    assert session.hostname in answer.content.decode()
    assert "s3cret" not in answer.content.decode()


def test_ends_sessions(admin: Client, session: Session) -> None:
    address = reverse("admin:playground_sessions_session_changelist")
    admin.post(address, {"action": "end", "_selected_action": [str(session.pk)]})
    session.refresh_from_db()
    assert (session.state, session.reason) == (SessionState.STOPPING, Reason.ADMIN)


def test_forces_the_end_of_sessions(admin: Client, session: Session) -> None:
    Session.objects.update(state=SessionState.STOPPING, reason=Reason.USER)
    address = reverse("admin:playground_sessions_session_changelist")
    admin.post(address, {"action": "force_end", "_selected_action": [str(session.pk)]})
    session.refresh_from_db()
    assert (session.state, session.reason, session.environment) == (SessionState.ENDED, Reason.ADMIN, {})


def test_prepares_images(admin: Client, image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    Image.objects.update(state=ImageState.FAILED, attempts=9)
    admin.post(reverse("admin:images_image_changelist"), {"action": "prepare", "_selected_action": [image.pk]})
    image.refresh_from_db()
    assert (image.state, image.attempts) == (ImageState.ABSENT, 0)
    assert asked.tasks == [("prepare_image", "busybox")]


def test_adds_an_image_without_a_service(admin: Client) -> None:
    values = {
        "slug": "own",
        "title": "Own",
        "registry_reference": "example/course:1",
        "position": "9",
        "pool_size": "0",
    }
    lists = {"shell": '["sh"]', "command": "[]", "tags": "[]"}
    answer = admin.post(reverse("admin:images_image_add"), {**values, **lists, "enabled": "on"})
    assert answer.status_code == 302, answer.content.decode()
    assert Image.objects.get(pk="own").command == []
