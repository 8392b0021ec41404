"""`make test` and `make bench`: all that the tests need, then all of them, on both databases."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from deploy.launcher import needs, packages
from deploy.launcher.checking import prepare
from deploy.launcher.engine import plan as plan_engine
from deploy.launcher.errors import Interruption, SetupError
from deploy.launcher.leftovers import MARK, end_leftovers, leftovers
from deploy.launcher.needs import Need
from deploy.launcher.places import Places
from deploy.launcher.postgres import postgres
from deploy.launcher.signals import end_with_parent_or_interrupt, interruptible
from deploy.launcher.steps import environment_steps, front_end_steps, sandboxd_step
from deploy.launcher.surroundings import for_tools
from deploy.launcher.test_engine import engine_for_tests
from runtime.parent import end_with_parent

INTERRUPTED_SECONDS = 60.0
WITHOUT_DATABASE = {"docker", "engines", "launcher", "terminal"}
"""Integration tests that would only do the same again on another database."""
Body = Callable[[Places, Mapping[str, str]], int]


def test(places: Places) -> int:
    """Returns 1 when a test failed. What ends the output is what pytest says last of all tests on SQLite."""
    return _with_everything(places, _test)


def bench(places: Places) -> int:
    """Prints the table of figures."""
    return _with_everything(places, _bench)


def _with_everything(places: Places, body: Body) -> int:
    end_with_parent()
    with interruptible(), ExitStack() as ends:
        try:
            data = places.build / "test"
            engine = plan_engine(data)
            found = [*needs.test_needs(), *needs.recipe_needs(), *needs.network_needs(), *engine.needs]
            steps = [*environment_steps(places, "dev.txt"), *front_end_steps(places), sandboxd_step(places)]
            prepare(places, steps, _required(found))
            environment = for_tools(places) | {"PLAYGROUND_DATA": str(data / "site"), MARK: str(data)}
            end_leftovers(data)
            ends.callback(end_leftovers, data)
            (data / "site").mkdir(parents=True, exist_ok=True)
            if engine.docker_host:
                environment["DOCKER_HOST"] = engine.docker_host
                ends.enter_context(engine_for_tests(engine, data, places.logs / "test-engine.log", environment))
            return body(places, environment)
        except Interruption:
            return 130


def _required(found: list[Need]) -> list[Need]:
    """All of them where we may install them or CI asks for them; else what is missing is told, and its tests skip."""
    if os.environ.get("CI") or (packages.can_install() and all(need.packages for need in found)):
        return found
    for need in found:
        print(f"Missing: {need.what} ({need.why}); its tests are skipped. {need.advice}", file=sys.stderr)
    return []


def _test(places: Places, environment: Mapping[str, str]) -> int:
    failed = []
    pytest = [str(places.python), "-m", "pytest"]
    if _run("front end (vitest)", ["npm", "test", "--silent"], places.root / "frontend", environment):
        failed.append("vitest")
    if needs.program("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        with postgres(environment, places.logs / "test-postgres.log") as url:
            there = {**environment, "DATABASE_URL": url}
            if _run("integration on PostgreSQL", [*pytest, *_of_database(places)], places.root, there):
                failed.append("integration on PostgreSQL")
    if _run("all on SQLite", pytest, places.root, environment):
        failed.append("all on SQLite")
    failed += [f"left behind: {command}" for command in leftovers(places.build / "test")]
    if failed:
        raise SetupError(f"Failed: {', '.join(failed)}")
    return 0


def _of_database(places: Places) -> list[str]:
    """The folders of integration tests in which the database plays a part."""
    folders = sorted(folder for folder in (places.root / "tests" / "integration").iterdir() if folder.is_dir())
    return [str(folder) for folder in folders if folder.name not in {*WITHOUT_DATABASE, "__pycache__"}]


def _bench(places: Places, environment: Mapping[str, str]) -> int:
    return _run("benchmarks", [str(places.python), "-m", "tests.benchmarks"], places.root, environment)


def _run(title: str, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> int:
    print(f"\n--- {title}", flush=True)
    process = subprocess.Popen(command, cwd=cwd, env=environment, preexec_fn=end_with_parent_or_interrupt)
    try:
        return process.wait()
    except BaseException:
        # pytest's fixtures clean up after SIGINT, and after nothing else.
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(INTERRUPTED_SECONDS)
        process.kill()
        process.wait()
        raise
