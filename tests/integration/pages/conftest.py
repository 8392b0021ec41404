"""A catalogue of two images that share a layer, and somebody who is signed in."""

import pytest
from django.test import Client
from django.utils import timezone

from playground.accounts.models import User
from playground.images.models import Image, ImageState
from playground.sessions.models import Profile, Session
from playground.sessions.profiles import ensure_default_profiles

BASE = {"digest": "sha256:" + "a" * 64, "size_bytes": 117_000_000, "created_by": "base"}
OWN = {"digest": "sha256:" + "b" * 64, "size_bytes": 51_000_000, "created_by": "python"}


@pytest.fixture
def debian(db: None) -> Image:
    """Ready."""
    return Image.objects.create(
        slug="debian",
        title="Debian 12",
        reference="r/debian",
        state=ImageState.READY,
        size_bytes=117_000_000,
        layers=[BASE],
    )


@pytest.fixture
def python(debian: Image) -> Image:
    """Being prepared; it has Debian's layer, too."""
    return Image.objects.create(
        slug="python",
        title="Python",
        reference="r/python",
        state=ImageState.PREPARING,
        progress=0.43,
        message="unpacking",
        layers=[BASE, OWN],
    )


@pytest.fixture
def ada(db: None) -> User:
    """A person without rights beyond her own."""
    return User.objects.create_user("ada", password="correct horse battery")


@pytest.fixture
def client(ada: User) -> Client:
    """Her browser."""
    client = Client()
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def profile(db: None) -> Profile:
    """The default one."""
    ensure_default_profiles()
    return Profile.objects.get(is_default=True)


@pytest.fixture
def session(ada: User, debian: Image, profile: Profile) -> Session:
    """Of hers, running."""
    now = timezone.now()
    return Session.objects.create(
        owner=ada,
        name="</script><b>mine</b>",
        hostname="quiet-otter",
        state="running",
        image=debian,
        profile=profile,
        lifetime_seconds=3600,
        idle_seconds=1800,
        started_at=now,
        expires_at=now,
    )
