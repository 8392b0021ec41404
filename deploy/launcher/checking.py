"""`make check`: format, lint, types, import rules, warnings. All of them run, whatever the first ones say."""

import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deploy.launcher import needs, packages, preflight
from deploy.launcher.places import Places
from deploy.launcher.progress import Progress
from deploy.launcher.signals import interruptible
from deploy.launcher.steps import Step, environment_steps, front_end_steps, run_steps
from deploy.launcher.surroundings import for_tools
from runtime.parent import end_with_parent

Check = tuple[str, Sequence[str], Path]
"""A title, a command, and where it runs."""


def check(places: Places) -> int:
    """Returns 1 when anything is found. Raises SetupError when the tools can't be set up."""
    end_with_parent()
    with interruptible():
        prepare(places, [*environment_steps(places, "dev.txt"), front_end_steps(places)[0]], needs.compiler_needs())
        return run_checks(_checks(places), for_tools(places))


def prepare(places: Places, steps: Sequence[Step], wanted: list[needs.Need]) -> None:
    """Installs what tools need, as far as we may. Raises SetupError that names all that is missing."""
    places.logs.mkdir(parents=True, exist_ok=True)
    found = [*needs.python_needs(), *needs.node_needs(), *wanted]
    debian = preflight.packages_for(found, may_install=packages.can_install())
    progress = Progress(len(steps) + bool(debian))
    if debian:
        with progress.step(f"Debian packages ({', '.join(debian)})"):
            packages.install(debian, places.root, places.logs / "set-up-packages.log", progress.tick)
    run_steps(steps, places, for_tools(places), progress)


def _checks(places: Places) -> list[Check]:
    root, out = places.root, places.build / "check" / "sandboxd"
    return [
        ("format", ["ruff", "format", "--check", "--quiet", "--diff", "."], root),
        ("lint", ["ruff", "check", "--quiet", "."], root),
        ("types", ["mypy"], root),
        ("import rules", ["lint-imports"], root),
        ("types of the pages", ["npm", "run", "--silent", "check"], root / "frontend"),
        ("warnings of sandboxd", ["make", "--silent", "CC=cc", f"OUT={out}"], root / "runtime" / "sandboxd"),
    ]


def run_checks(checks: Iterable[Check], environment: Mapping[str, str]) -> int:
    """One line each, and all that a failing one had to say. Returns 1 when one failed."""
    failed = 0
    for title, command, cwd in checks:
        since = time.monotonic()
        done = subprocess.run(
            command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        print(f"{title} … {'failed' if done.returncode else 'ok'} ({time.monotonic() - since:.1f} s)", flush=True)
        if done.returncode:
            failed = 1
            sys.stdout.write(done.stdout)
    return failed
