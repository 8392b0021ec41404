"""The supervisor process, and talking to it over its socket."""

import http.client
import os
import subprocess
import time
import xmlrpc.client
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.launcher.commands import end_group, last_lines
from deploy.launcher.errors import SetupError
from deploy.launcher.places import Places
from deploy.launcher.supervision import Program, configuration
from deploy.launcher.unix_http import UnixConnection
from runtime.parent import end_with_parent
from runtime.priority import prefer_session

STOPPING_SECONDS = 60.0
"""Longer than all programs together may take."""
ENDED = {"STOPPED", "EXITED", "FATAL"}


class Supervisor:
    """Ours to start and stop; when we die it stops all that it runs."""

    def __init__(self, places: Places, programs: Sequence[Program], environment: Mapping[str, str]) -> None:
        self._places = places
        self._programs = programs
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._rpc = xmlrpc.client.ServerProxy("http://supervisor/RPC2", transport(places.supervision / "socket"))

    def start(self) -> None:
        """Starts it and what starts by itself; returns when it answers. Raises SetupError."""
        config = self._places.supervision / "supervisord.conf"
        config.write_text(configuration(self._places, self._programs, is_root=os.geteuid() == 0))
        log = self._places.logs / "supervisor.out"
        with log.open("wb") as output:
            # A session of its own: Ctrl-C is for us, we stop the rest in order.
            self._process = subprocess.Popen(
                [self._places.python, "-m", "supervisor.supervisord", "--configuration", config],
                cwd=self._places.root,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        prefer_session(self._process.pid)
        self.wait_for("the supervisor", self._answers, 20, log)

    def begin(self, name: str) -> None:
        """Starts a program that does not start by itself."""
        self._rpc.supervisor.startProcessGroup(name, False)

    def finish(self, names: Sequence[str]) -> None:
        """Stops these programs at the same time and waits until all have ended."""
        for name in names:
            self._rpc.supervisor.stopProcessGroup(name, False)
        while any(each["group"] in names and each["statename"] not in ENDED for each in self._processes()):
            time.sleep(0.05)

    def _processes(self) -> list[dict[str, object]]:
        found = self._rpc.supervisor.getAllProcessInfo()
        return found if isinstance(found, list) else []

    def wait_for(self, what: str, ready: Callable[[], bool], seconds: float, log: Path) -> None:
        """Returns when `ready`; raises SetupError with the end of `log` when that takes too long."""
        until = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > until or not self.is_alive():
                tail = last_lines(log, 15) if log.exists() else ""
                raise SetupError(f"{what} does not answer after {seconds:.0f} s. The end of {log}:\n{tail}")
            time.sleep(0.05)

    def is_alive(self) -> bool:
        """Whether the supervisor itself runs."""
        return self._process is not None and self._process.poll() is None

    def wait(self) -> None:
        """Until it ends."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Ends it and all that it runs, in order; kills what does not end. Over already is success."""
        if self._process is not None:
            end_group(self._process, STOPPING_SECONDS)

    def _answers(self) -> bool:
        try:
            return bool(self._rpc.supervisor.getState())
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False


def transport(path: Path) -> xmlrpc.client.Transport:
    """To the supervisor that listens at `path`."""
    return _Transport(path)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
        """Always to the socket, whatever the host's name; kept, as the parent does, who closes it."""
        if self._connection[1] is None:
            self._connection = (host, UnixConnection(str(self._path), STOPPING_SECONDS))
        connection = self._connection[1]
        assert connection is not None
        return connection
