"""A running site, two people with keys, and what they need to start something."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from playground.accounts.keys import create_key
from playground.accounts.models import User
from playground.engine import sandboxd_binary
from playground.images.models import Image, ImageState
from playground.recordings.models import Recording, RecordingState
from playground.sessions.models import Machine, Profile, Session, Terminal
from playground.sessions.states import MachineState, SessionState
from runtime.config import EngineConfig
from runtime.engines.process import ProcessEngine
from runtime.recording.asciicast import Position, header
from tests.support.live_site import LiveSite
from tests.support.people import Person
from tests.support.recordings import wait_until


@pytest.fixture(scope="session")
def running_site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[LiveSite]:
    """Started once for all tests here."""
    with django_db_blocker.unblock():
        site = LiveSite()
        try:
            site.start("valkey", "web")
            yield site
        finally:
            site.stop()


@pytest.fixture
def site(transactional_db: None, running_site: LiveSite) -> LiveSite:
    """The running site with an empty database."""
    return running_site


@pytest.fixture
def profile(site: LiveSite) -> Profile:
    """The default profile, small."""
    return Profile.objects.create(
        slug="small",
        title="Small",
        is_default=True,
        memory_bytes=256 << 20,
        cpus=1.0,
        pids=128,
        disk_bytes=1 << 30,
        file_bytes=1 << 30,
        tmpfs_bytes=64 << 20,
        shm_bytes=16 << 20,
        nofile=1024,
        egress="none",
        lifetime_seconds=3600,
        max_lifetime_seconds=7200,
        idle_seconds=1800,
    )


@pytest.fixture
def image(site: LiveSite) -> Image:
    """A catalogue entry that is ready: on the process engine it is this host."""
    return Image.objects.create(
        slug="debian",
        title="Debian",
        reference="playground/debian:12",
        recipe="debian",
        shell=["bash"],
        state=ImageState.READY,
        digest="sha256:" + "0" * 64,
        size_bytes=1,
    )


def _person(site: LiveSite, name: str) -> Iterator[Person]:
    user = User.objects.create_user(name, password="correct horse battery")
    key_row, key = create_key(user, "test")
    with httpx.Client(base_url=f"{site.url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=90) as client:
        yield Person(user, key, key_row, client)


@pytest.fixture
def ann(site: LiveSite) -> Iterator[Person]:
    """A person with a key."""
    yield from _person(site, "ann")


@pytest.fixture
def bob(site: LiveSite) -> Iterator[Person]:
    """Somebody else."""
    yield from _person(site, "bob")


@pytest.fixture
def ann_cookie(ann: Person) -> str:
    """The value of a cookie with which ann is signed in."""
    client = Client()
    client.force_login(ann.user, backend="django.contrib.auth.backends.ModelBackend")
    key = client.session.session_key
    assert key is not None
    return key


@pytest.fixture
def anns(site: LiveSite, ann: Person, image: Image, profile: Profile) -> Terminal:
    """A terminal in a running session of ann's; no engine knows its machine, and a worker would end it for that."""
    assert not site.runs("worker")
    now = timezone.now()
    session = Session.objects.create(
        owner=ann.user,
        name="hers",
        hostname="a-b",
        image=image,
        profile=profile,
        lifetime_seconds=60,
        idle_seconds=60,
        state=SessionState.RUNNING.value,
        started_at=now,
        expires_at=now + timedelta(minutes=5),
    )
    machine = Machine.objects.create(
        session=session,
        hostname="a-b",
        image=image,
        profile=profile,
        state=MachineState.READY.value,
        deadline_at=now + timedelta(minutes=5),
    )
    return Terminal.objects.create(machine=machine, name="shell")


async def _make_image(site: LiveSite) -> None:
    """What the worker's own task does for the whole catalogue; here one entry is enough."""
    engine = ProcessEngine(
        EngineConfig(
            instance=(site.data / "instance").read_text().strip(),
            run_directory=site.data / "machines",
            sandboxd=sandboxd_binary(),
        ),
        debug=True,
    )
    await engine.build("debian", "playground/debian:12", lambda _share, _words: None)
    await engine.close()


@pytest.fixture(scope="module")
def worker(running_site: LiveSite) -> Iterator[None]:
    """Runs for one module alone: elsewhere nobody starts what tests only write."""
    asyncio.run(_make_image(running_site))
    running_site.start("worker")
    yield
    running_site.kill("worker")


@pytest.fixture
def session(worker: None, ann: Person, image: Image, profile: Profile) -> Iterator[str]:
    """The id of a running session; ended afterwards, and its machine is gone before the database is emptied."""
    answer = ann.api.post("/sessions", json={"image": "debian", "env": {"SEEN": "yes"}}, headers={"Prefer": "wait=60"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "running", answer.text
    assert answer.headers["preference-applied"] == "wait=60"
    yield answer.json()["id"]
    # By another key: the test may have revoked the first.
    _, key = create_key(ann.user, "clean up")
    ann.api.delete(f"/sessions/{answer.json()['id']}", headers={"Authorization": f"Bearer {key}"}).raise_for_status()
    wait_until(lambda: not Session.objects.exclude(state="ended").exists(), "the session ended")


@pytest.fixture
def start_recorded(worker: None, ann: Person, image: Image, profile: Profile) -> Iterator[Callable[..., str]]:
    """Starts recorded sessions; all are ended afterwards, and nothing is left."""

    def one(command: str | None = None, **more: object) -> str:
        body = {"image": "debian", "record": True, **({"command": command} if command else {}), **more}
        answer = ann.api.post("/sessions", json=body, headers={"Prefer": "wait=60"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["is_recorded"] is True
        return str(answer.json()["id"])

    yield one
    _, key = create_key(ann.user, "clean up")
    for session in Session.objects.exclude(state="ended"):
        ann.api.delete(f"/sessions/{session.pk}", headers={"Authorization": f"Bearer {key}"}).raise_for_status()
    wait_until(lambda: not Session.objects.exclude(state="ended").exists(), "the sessions ended")


@pytest.fixture
def recorder(running_site: LiveSite) -> Iterator[Callable[[], None]]:
    """A recorder that runs; called, it is killed and started again."""
    running_site.start("recorder")

    def again() -> None:
        running_site.kill("recorder")
        running_site.start("recorder")

    yield again
    running_site.kill("recorder")


@pytest.fixture
def recorded(anns: Terminal, site: LiveSite) -> Iterator[Recording]:
    """A complete recording of ann's, with its file."""
    session = anns.machine.session
    assert session is not None
    recording = Recording.objects.create(
        session=session,
        machine=anns.machine,
        terminal_id=anns.pk,
        name="shell",
        state=RecordingState.COMPLETE,
        ended_at=timezone.now(),
    )
    path = site.data / "recordings" / f"{recording.pk.hex}.cast"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(header(80, 24, 1_700_000_000_000, "x") + Position(end="complete").comment())
    yield recording
    path.unlink(missing_ok=True)
