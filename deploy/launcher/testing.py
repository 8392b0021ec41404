"""`make test` and `make bench`: all that the tests need, then all of them, on both databases."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from deploy.launcher import needs, packages
from deploy.launcher.checking import prepare
from deploy.launcher.engine import plan as plan_engine
from deploy.launcher.errors import Interruption, SetupError
from deploy.launcher.leftovers import MARK, end_leftovers, leftovers
from deploy.launcher.needs import Need
from deploy.launcher.places import Places
from deploy.launcher.postgres import postgres
from deploy.launcher.runs import Run, run_together
from deploy.launcher.signals import interruptible
from deploy.launcher.steps import environment_steps, front_end_steps, sandboxd_step
from deploy.launcher.surroundings import for_tools
from deploy.launcher.test_engine import engine_for_tests
from runtime.parent import end_with_parent

WITHOUT_DATABASE = {"docker", "engines", "launcher", "terminal"}
"""Integration tests that would only do the same again on another database."""
Body = Callable[[Places, Mapping[str, str]], int]


def test(places: Places) -> int:
    """0, or raises SetupError with what failed. What ends the output is what pytest says last."""
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
    """Tests that a busy machine could spoil come last: browsers, and kills in the middle of something."""
    tests = places.root / "tests"
    browsers, faults = tests / "e2e", tests / "faults"
    folders = _folders(tests)
    site = [folder for folder in folders if folder.parent.name == "integration" and folder.name not in WITHOUT_DATABASE]
    others = [folder for folder in folders if folder not in {browsers, faults, *site}]
    failed = run_together(
        [Run("front end (vitest)", ["npm", "test", "--silent"], places.root / "frontend", environment)]
    )
    first = [
        _pytest(places, "units, engines, terminals", others, environment),
        _pytest(places, "site on SQLite", site, environment, "test-site-on-sqlite.log"),
    ]
    with ExitStack() as ends:
        if needs.program("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
            url = ends.enter_context(postgres(environment, places.logs / "test-postgres.log"))
            there = {**environment, "DATABASE_URL": url}
            first.append(_pytest(places, "site on PostgreSQL", site, there, "test-site-on-postgresql.log"))
        failed += run_together(first)
    last = [_pytest(places, "browsers", [browsers], environment), *_faults(places, faults, environment)]
    failed += run_together(last, at_once=2)
    failed += [f"left behind: {command}" for command in leftovers(places.build / "test")]
    if failed:
        raise SetupError(f"Failed: {', '.join(failed)}")
    return 0


def _folders(tests: Path) -> list[Path]:
    """Those that hold tests; the integration tests' one by one."""
    found = [*(tests / "integration").iterdir(), *tests.iterdir()]
    return sorted(folder for folder in found if folder.name != "integration" and list(folder.rglob("test_*.py")))


def _faults(places: Places, folder: Path, environment: Mapping[str, str]) -> list[Run]:
    """By the site that they kill, so that two runs share none; the longest first."""
    random_kills = [folder / "test_random_kills.py"]
    make_run = [folder / "test_kills.py", folder / "test_make_run.py"]
    one_site = sorted(set(folder.glob("test_*.py")) - {*random_kills, *make_run})
    return [
        _pytest(places, f"faults: {part}", files, environment, f"test-faults-{part.replace(' ', '-')}.log")
        for part, files in (("one site", one_site), ("random kills", random_kills), ("make run", make_run))
    ]


def _pytest(
    places: Places, title: str, paths: Sequence[Path], environment: Mapping[str, str], log: str | None = None
) -> Run:
    command = [str(places.python), "-m", "pytest", *map(str, paths)]
    return Run(title, command, places.root, environment, places.logs / log if log else None)


def _bench(places: Places, environment: Mapping[str, str]) -> int:
    command = [str(places.python), "-m", "tests.benchmarks"]
    return len(run_together([Run("benchmarks", command, places.root, environment)]))
