"""A copy of the site as `make run` starts it: the real command, its output, its processes."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import xmlrpc.client
from collections import defaultdict
from collections.abc import Container
from pathlib import Path
from typing import Any

import httpx

from deploy.launcher.leftovers import MARK
from deploy.launcher.places import Places
from deploy.launcher.supervisor import transport
from tests.support.stack import REPOSITORY
from tests.support.waiting import wait

START_SECONDS = 300.0
"""The first start in a checkout may have packages to install."""
STOP_SECONDS = 90.0
SESSION_SECONDS = 90.0
LOOK_SECONDS = 0.1
"""Between two looks at its processes, as each costs the supervisor and web a question."""
PROCESSES = {"web": 2}
"""Of each supervised program; of all others one."""


class Launched:
    """`make run` with a data directory and a port of its own. Can be started again with the same ones."""

    def __init__(self, data: Path, docker_host: str) -> None:
        self.port = free_port()
        self.places = Places(REPOSITORY, data, self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = ""
        self._docker_host = docker_host
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns at the ready line; fails with all that was said when it ends before."""
        self.output = ""
        self._process = subprocess.Popen(
            [
                "make",
                "--no-print-directory",
                "run",
                f"PYTHON={sys.executable}",
                f"PORT={self.port}",
                f"DATA={self.data}",
            ],
            cwd=REPOSITORY,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        wait(lambda: self.is_ready or self._process.poll() is not None, "the ready line", START_SECONDS)
        assert self.is_ready, self.output

    @property
    def data(self) -> Path:
        return self.places.data

    @property
    def is_ready(self) -> bool:
        """Whether it has said what programs wait for."""
        return f"ready: {self.url}\n" in self.output

    @property
    def link(self) -> str:
        """The administrator's one-time link; empty when none was printed."""
        found = re.search(rf"{re.escape(self.url)}/\S+", self.output)
        return found[0] if found else ""

    def interrupt(self) -> int:
        """Ctrl-C, as a terminal sends it: to everybody in the foreground. Returns the exit status of make."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(STOP_SECONDS)

    def kill(self, *first: int) -> None:
        """kill -9 of make and the launcher, and of `first` before them."""
        assert self._process is not None
        # So that it does nothing about the death of those that go first.
        os.killpg(self._process.pid, signal.SIGSTOP)
        for process in first:
            os.kill(process, signal.SIGKILL)
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """However it stands: nothing runs afterwards."""
        if self._process is not None and self._process.poll() is None:
            self.interrupt()

    def pids(self, program: str) -> set[int]:
        """Of a supervised program that runs, as the supervisor has noticed so far."""
        return self._running()[program]

    def _running(self) -> defaultdict[str, set[int]]:
        socket_path = self.places.supervision / "socket"
        with xmlrpc.client.ServerProxy("http://supervisor/RPC2", transport(socket_path)) as server:
            found = server.supervisor.getAllProcessInfo()
        assert isinstance(found, list)
        running = defaultdict(set)
        for each in found:
            if each["statename"] == "RUNNING":
                running[each["group"]].add(each["pid"])
        return running

    def all_run(self, *programs: str, but: Container[int] = ()) -> bool:
        """Whether all processes of these programs run, none of them one of those that were killed, and web answers."""
        every = self._running()
        running = {program: every[program] for program in programs}
        complete = all(len(found) == PROCESSES.get(program, 1) for program, found in running.items())
        return complete and not any(pid in but for found in running.values() for pid in found) and self.answers()

    def marked(self) -> list[int]:
        """All processes that carry this copy's mark, whoever started them."""
        wanted = f"{MARK}={self.data}".encode()
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _has(entry, wanted)]

    def answers(self) -> bool:
        """Whether some web process answers just now."""
        try:
            return httpx.get(f"{self.url}/api/v1/healthz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def manage(self, *arguments: str) -> str:
        """What a management command prints."""
        environment = self.environment() | {"PLAYGROUND_DATA": str(self.places.near), "PLAYGROUND_URL": self.url}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
            check=True,
        ).stdout.strip()

    def start_session(self, api: httpx.Client) -> dict[str, Any]:
        """A session of busybox that runs, however long that takes on a host that has much else to do."""
        answer = api.post("/sessions", json={"image": "busybox"}, headers={"Prefer": "wait=30"})
        assert answer.status_code in {201, 202}, answer.text
        session: dict[str, Any] = answer.json()

        def runs() -> bool:
            nonlocal session
            session = api.get(f"/sessions/{session['id']}").raise_for_status().json()
            assert session["state"] in {"pending", "starting", "running"}, session
            return bool(session["state"] == "running")

        wait(runs, "the session runs", SESSION_SECONDS, every=0.2)
        return session

    def api(self, key: str) -> httpx.Client:
        """A program with that key."""
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=60)

    def environment(self) -> dict[str, str]:
        """As a person's shell has it, with the engine of the tests."""
        passed = ("PATH", "HOME", "LANG", "CI")
        given = {
            name: value for name, value in os.environ.items() if name in passed or name.startswith(("PIP_", "npm_"))
        }
        return given | {"DOCKER_HOST": self._docker_host}

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                self.output += line


def data_directory() -> Path:
    """A new one that machines can reach. Not pytest's own, where others may not pass through."""
    path = Path(tempfile.mkdtemp(prefix="pg-run-"))
    path.chmod(0o711)
    return path


def free_port() -> int:
    """One that nobody has just now, and that the kernel gives to nobody who asks for any: it may be used much later."""
    first, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    while True:
        port = random.choice(range(20_000, int(first)) or range(61_000, 65_536))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _has(entry: Path, wanted: bytes) -> bool:
    try:
        return wanted in (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
