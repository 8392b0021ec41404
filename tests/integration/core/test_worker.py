"""A session's whole life through real processes: web, worker, beat and Valkey, any of which may be killed."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from playground.accounts.keys import create_key
from playground.accounts.models import User
from playground.images.models import Image, ImageState
from playground.sessions import leases
from playground.sessions.models import Lease, Machine, Profile, Session
from playground.sessions.states import UNSTARTED, MachineState, Reason, SessionState
from tests.support.live_site import LiveSite
from tests.support.waiting import wait

pytestmark = pytest.mark.usefixtures("profile")
WITHIN = 120.0


@pytest.fixture(scope="module")
def processes(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[LiveSite]:
    """Started once for all tests here. Fails them when a machine is left in the end."""
    with django_db_blocker.unblock():
        site = LiveSite()
        try:
            site.start("valkey", "web", "worker", "beat")
            yield site
            until(lambda: not machines_of(site), "the sweep has removed what the tests left")
        finally:
            site.stop()


@pytest.fixture
def site(transactional_db: None, processes: LiveSite) -> LiveSite:
    """The running site with an empty database."""
    return processes


@pytest.fixture
def image(site: LiveSite) -> Image:
    """One that is not here yet: the worker prepares it."""
    return Image.objects.create(
        slug="busybox",
        title="BusyBox",
        recipe="busybox",
        built_reference="playground/busybox:1",
        shell=["/bin/sh"],
        state=ImageState.ABSENT,
    )


@pytest.fixture
def api(site: LiveSite, ann: User, image: Image) -> Iterator[httpx.Client]:
    """The API, as ann's program uses it. Her sessions are ended after the test."""
    _, key = create_key(ann, "test")
    with httpx.Client(base_url=f"{site.url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=90) as client:
        yield client
        Image.objects.update(pool_size=0)
        for session in Session.objects.exclude(state=SessionState.ENDED):
            client.delete(f"/sessions/{session.pk}").raise_for_status()
        until(lambda: not Session.objects.exclude(state=SessionState.ENDED).exists(), "all sessions have ended")


def machines_of(site: LiveSite) -> list[str]:
    """Directories of the process engine's machines."""
    directory: Path = site.data / "machines"
    return [entry.name for entry in directory.iterdir() if not entry.name.startswith(".")] if directory.exists() else []


def until(condition: Callable[[], bool], what: str) -> None:
    """Returns as soon as it holds."""
    wait(condition, what, WITHIN)


def posted(api: httpx.Client, wait: int = 60, **request: Any) -> Session:
    """A new session, as it is when the API has answered, or runs, if that is waited for."""
    answer = api.post("/sessions", json={"image": "busybox", **request}, headers={"Prefer": f"wait={wait}"})
    assert answer.status_code in (201, 202), answer.text
    session = Session.objects.filter(pk=answer.json()["id"])
    if wait:
        # Longer than a request waits: the worker may have begun to start only when the test did.
        until(lambda: not session.filter(state__in=UNSTARTED).exists(), "the session has started")
    return session.get()


def ended(session: Session) -> Session:
    """The session once it has ended by itself."""
    until(lambda: Session.objects.filter(pk=session.pk, state=SessionState.ENDED).exists(), "the session has ended")
    return Session.objects.get(pk=session.pk)


def test_from_an_absent_image_to_a_shell_and_back(site: LiveSite, api: httpx.Client) -> None:
    session = posted(api)
    assert session.state == SessionState.RUNNING, session.message
    assert Image.objects.get().state == ImageState.READY
    machine = session.machines.get()
    assert machine.pk.hex in machines_of(site)
    assert api.delete(f"/sessions/{session.pk}").status_code == 204
    assert api.delete(f"/sessions/{session.pk}").status_code == 204
    assert ended(session).reason == Reason.USER
    assert machine.pk.hex not in machines_of(site)


@pytest.fixture
def unswept(site: LiveSite) -> Iterator[None]:
    """Nobody sweeps meanwhile: whoever wants to finds that somebody does."""
    until(lambda: leases.acquire("sweep") is not None, "nobody sweeps")
    Lease.objects.filter(pk="sweep").update(until=timezone.now() + timedelta(hours=1))
    yield
    Lease.objects.filter(pk="sweep").delete()


def test_a_natural_end_is_noticed_without_a_sweep(api: httpx.Client, unswept: None) -> None:
    session = posted(api, command=["/bin/sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; exit 7"])
    # Its machine may end before it can answer.
    api.post(f"/sessions/{session.pk}/exec", json={"command": "touch go"})
    session = ended(session)
    assert (session.reason, session.exit_code) == (Reason.EXITED, 7)
    assert session.started_at is not None
    assert session.ended_at is not None


def test_expires(api: httpx.Client) -> None:
    assert ended(posted(api, ttl_seconds=2)).reason == Reason.EXPIRED


def test_idle(api: httpx.Client) -> None:
    assert ended(posted(api, idle_timeout_seconds=1)).reason == Reason.IDLE


def test_runs_at_once_from_the_pool(api: httpx.Client) -> None:
    posted(api)
    Image.objects.update(pool_size=2)
    pool = Machine.objects.filter(session=None, state=MachineState.READY)
    until(lambda: pool.count() == 2, "the pool is full")
    answer = api.post("/sessions", json={"image": "busybox"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "running"
    assert len(answer.json()["terminals"]) == 1
    until(lambda: pool.count() == 2, "the pool is full again")


def test_worker_killed_while_it_starts_sessions(site: LiveSite, api: httpx.Client) -> None:
    posted(api)
    sessions = [posted(api, wait=0) for _ in range(4)]
    site.kill("worker")
    site.start("worker")
    wanted = Session.objects.filter(pk__in=[session.pk for session in sessions], state=SessionState.RUNNING)
    until(lambda: wanted.count() == 4, "all sessions run")
    alive = {pk.hex for pk in Machine.objects.filter(state=MachineState.READY).values_list("pk", flat=True)}
    until(lambda: set(machines_of(site)) == alive, "nothing half made is left")


def test_broker_killed(site: LiveSite, api: httpx.Client) -> None:
    posted(api)
    site.kill("valkey")
    took = []
    for _ in range(3):
        begun = time.monotonic()
        posted(api, wait=0)
        took.append(time.monotonic() - begun)
    # One may have met a moment in which the machine stood still.
    assert min(took) < 5, f"the requests waited for the broker: {took}"
    site.start("valkey")
    until(lambda: Session.objects.filter(state=SessionState.RUNNING).count() == 4, "the sessions run")


def test_beat_killed(site: LiveSite, api: httpx.Client) -> None:
    session = posted(api, ttl_seconds=3)
    site.kill("beat")
    site.start("beat")
    assert ended(session).reason == Reason.EXPIRED


def test_machine_killed_from_outside(site: LiveSite, api: httpx.Client) -> None:
    session = posted(api)
    assert session.state == SessionState.RUNNING
    profile = Profile.objects.get(pk=session.profile_id)
    assert profile.is_default
    kill_machine(site, session.machines.get())
    assert ended(session).reason == Reason.ENGINE_LOST


def kill_machine(site: LiveSite, machine: Machine) -> None:
    """kill -9 of its sandboxd, as somebody on the host could."""
    state = json.loads((site.data / "machines" / machine.pk.hex / "state").read_text())
    shell = state["process"]["pid"]
    for child in Path(f"/proc/{shell}/task/{shell}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
