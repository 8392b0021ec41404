"""`make run`: it comes up, it refuses what can't work, it goes without a trace, and it recovers from kill -9."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runtime.priority import PREFERRED
from tests.faults.conftest import left_on_engine
from tests.support.docker import docker_host
from tests.support.launched import Launched, data_directory
from tests.support.privileges import may_be_preferred
from tests.support.stack import REPOSITORY
from tests.support.waiting import WITHIN, wait


@pytest.fixture
def fresh() -> Iterator[Launched]:
    """A copy that nobody started yet."""
    host = docker_host()
    launched = Launched(data_directory(), host)
    try:
        yield launched
    finally:
        launched.stop()
        shutil.rmtree(launched.data)


def try_to_run(copy: Launched, **changes: str) -> str:
    """What a start says that is refused."""
    given = {"PYTHON": sys.executable, "PORT": str(copy.port), "DATA": str(copy.data)} | changes
    done = subprocess.run(
        ["make", "--no-print-directory", "run", *(f"{name}={value}" for name, value in given.items())],
        cwd=REPOSITORY,
        env=copy.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "[1/" not in done.stdout, "it began before it had looked"
    return done.stderr


def test_it_answers(copy: Launched) -> None:
    answer = httpx.get(f"{copy.url}/api/v1/healthz", timeout=WITHIN)
    assert answer.status_code == 200
    assert "server" not in answer.headers


def test_the_link_signs_the_administrator_in(copy: Launched) -> None:
    assert copy.link
    assert httpx.get(copy.link, timeout=WITHIN, follow_redirects=True).status_code == 200
    assert copy.link.rpartition("/")[2] not in "".join(
        log.read_text(errors="replace") for log in copy.places.logs.iterdir()
    )


def test_secrets_and_sockets_are_for_us_alone(copy: Launched) -> None:
    for path in ("secret-key", "playground.sqlite3", "logs", "supervisor", "valkey.sock", "supervisor/socket"):
        assert (copy.data / path).stat().st_mode & 0o077 == 0, path


@pytest.mark.skipif(not may_be_preferred(), reason="takes CAP_SYS_NICE")
def test_who_types_comes_first(copy: Launched) -> None:
    """Each thread of web, and the site's session; the worker is no less than others."""
    for pid in copy.pids("web"):
        assert set(_niceness(pid)) == {PREFERRED}
        session = Path(f"/proc/{pid}/autogroup")
        assert not session.exists() or session.read_text().endswith(f"nice {PREFERRED}\n")
    for pid in copy.pids("worker"):
        assert set(_niceness(pid)) == {os.nice(0)}


def _niceness(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        # It may end meanwhile.
        with contextlib.suppress(ProcessLookupError):
            yield os.getpriority(os.PRIO_PROCESS, int(thread.name))


def test_a_second_copy_with_the_same_data_is_refused(copy: Launched) -> None:
    said = try_to_run(copy, PORT="0")
    assert "runs already" in said
    assert str(copy.data) in said


def test_a_port_in_use_is_named(copy: Launched, fresh: Launched) -> None:
    said = try_to_run(fresh, PORT=str(copy.port))
    assert f"port {copy.port}" in said
    assert "PORT=" in said


def test_an_engine_that_does_not_answer_is_named(fresh: Launched) -> None:
    environment = fresh.environment() | {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = subprocess.run(
        ["make", "run", f"PYTHON={sys.executable}", f"PORT={fresh.port}", f"DATA={fresh.data}"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "DOCKER_HOST=unix:///nowhere/docker.sock" in done.stderr


def test_interrupted_it_leaves_nothing(fresh: Launched) -> None:
    fresh.start()
    key = fresh.manage("create_api_key", "admin")
    with fresh.api(key) as api:
        fresh.start_session(api)
    assert left_on_engine(fresh)
    fresh.interrupt()
    assert fresh.marked() == []
    assert left_on_engine(fresh) == []
    assert not fresh.places.valkey_socket.exists()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", fresh.port))


def test_killed_it_goes_and_comes_back_with_its_sessions(fresh: Launched) -> None:
    fresh.start()
    key = fresh.manage("create_api_key", "admin")
    with fresh.api(key) as api:
        session = fresh.start_session(api)["id"]
        api.post(f"/sessions/{session}/exec", json={"command": "echo mine > /tmp/mine"}).raise_for_status()
    fresh.kill()
    wait(lambda: not fresh.marked(), "the programs' end after their launcher's", within=60)
    fresh.start()
    with fresh.api(key) as api:
        assert api.get(f"/sessions/{session}").json()["state"] == "running"
        read = api.post(f"/sessions/{session}/exec", json={"command": "cat /tmp/mine"}).raise_for_status()
        assert read.json()["stdout"] == "mine\n"


def test_killed_without_its_supervisor_it_still_recovers(fresh: Launched) -> None:
    """The worst: launcher and supervisor die at once, and their programs run on, with the port and the lock's file."""
    fresh.start()
    supervisor = int((fresh.data / "supervisor" / "pid").read_text())
    orphans = fresh.pids("web") | fresh.pids("valkey")
    fresh.kill(supervisor)
    wait(lambda: supervisor not in fresh.marked(), "the supervisor's end")
    assert orphans <= set(fresh.marked())
    fresh.start()
    assert "had left behind" in fresh.output
    assert not orphans & set(fresh.marked())
