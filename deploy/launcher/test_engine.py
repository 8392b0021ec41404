"""The engine that tests use: one that answers, else a private one that lives as long as they run."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.launcher.commands import end_group, last_lines
from deploy.launcher.engine import EnginePlan
from deploy.launcher.errors import SetupError
from deploy.launcher.leftovers import MARK, end_leftovers
from deploy.launcher.unix_http import engine_connection
from runtime.engines.docker import private
from runtime.engines.docker.host_bridges import remove_bridge
from runtime.errors import RuntimeFailure
from runtime.parent import end_with_parent

START_SECONDS = 60.0
STOP_SECONDS = 30.0


@contextmanager
def engine_for_tests(plan: EnginePlan, data: Path, log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """It answers in the body. Of a private one nothing is left but its images, and those in `data` alone.

    Raises SetupError when it does not start, and when the tests left containers on it.
    """
    if not plan.is_private:
        yield
        return
    data.mkdir(parents=True, exist_ok=True)
    mark = data / "engine"
    end_leftovers(mark)
    try:
        command = private.command(data)
    except RuntimeFailure as error:
        raise SetupError(str(error)) from error
    with log.open("ab") as output:
        process = subprocess.Popen(
            command.argv,
            env={**environment, **command.environment, MARK: str(mark)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
    try:
        _wait(process, plan.docker_host, log)
        yield
        _nothing_left(plan.docker_host)
    finally:
        end_group(process, STOP_SECONDS)
        end_leftovers(mark)
        remove_bridge(private.bridge_name(data))
        if not private.home(data).is_relative_to(data):
            shutil.rmtree(private.home(data), ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], docker_host: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not private.answers(docker_host):
        if process.poll() is not None or time.monotonic() > until:
            raise SetupError(f"The private container engine does not start. The end of {log}:\n{last_lines(log, 15)}")
        time.sleep(0.1)


def _nothing_left(docker_host: str) -> None:
    connection = engine_connection(docker_host, 10)
    try:
        connection.request("GET", "/containers/json?all=1")
        names = [str(container["Names"]) for container in json.loads(connection.getresponse().read())]
    finally:
        connection.close()
    if names:
        raise SetupError(f"The tests left containers behind: {', '.join(names)}")
