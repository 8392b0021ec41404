"""The page of what the host enforces, and what a person is told whose profile requires more."""

import pytest
from django.test import Client
from django.utils import timezone

from playground.accounts.models import User
from playground.host import probing
from playground.host.models import HostReport
from playground.images.models import Image
from playground.sessions.models import Profile, Session

pytestmark = pytest.mark.django_db(transaction=True)
BACKEND = "django.contrib.auth.backends.ModelBackend"


def item(name: str, available: bool, known: bool = True) -> dict[str, object]:
    return {"name": name, "available": available, "detail": f"saw {name}", "remedy": f"mend {name}", "known": known}


def keep(*items: dict[str, object]) -> None:
    HostReport.objects.update_or_create(
        pk=1, defaults={"engine": "docker", "version": "1", "items": list(items), "probed_at": timezone.now()}
    )


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_user("root", is_staff=True)


def test_the_page_is_for_administrators(administrator: User, client: Client) -> None:
    assert Client().get("/host").status_code == 302
    assert client.get("/host").status_code == 404
    assert client.post("/host/probe").status_code == 404
    assert "/host" not in client.get("/").content.decode()
    client.force_login(administrator, backend=BACKEND)
    assert "would be here" in client.get("/host").content.decode()
    keep(item("user_namespace", False), item("pause", True), item("seccomp", False, known=False))
    page = client.get("/host").content.decode()
    assert "saw user_namespace" in page
    assert "mend user_namespace" in page
    assert "mend pause" not in page
    assert "not known" in page
    assert "1 of 3 hold" in page
    front = client.get("/").content.decode()
    assert 'href="/host"' in front
    assert "Root of a machine is nobody on the host" in front


def test_a_probe_that_failed_says_so(administrator: User, client: Client) -> None:
    probing._note_problem("The container engine does not answer.")
    client.force_login(administrator, backend=BACKEND)
    page = client.get("/host").content.decode()
    assert "came to nothing: The container engine does not answer." in page


def test_a_session_that_asks_for_more_is_refused_in_words(client: Client, debian: Image, profile: Profile) -> None:
    keep(item("user_namespace", False))
    Profile.objects.filter(pk=profile.pk).update(requires=["user_namespace"])
    page = client.post("/sessions/start", {"image": "debian", "profile": profile.slug}, follow=True).content.decode()
    assert "This host can&#x27;t give what the profile requires" in page
    assert "Root of a machine is nobody on the host" in page
    assert not Session.objects.exists()
