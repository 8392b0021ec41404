"""What belongs to the checkout: the environment, the pages, sandboxd. Each step is skipped when nothing changed."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher.commands import run_logged
from deploy.launcher.lock import checkout_lock
from deploy.launcher.places import Places
from deploy.launcher.progress import UP_TO_DATE, Progress
from deploy.launcher.stamps import Stamp

RETRY = "Once that is mended, start again: it goes on where it stopped."
REGISTRY = "Is the package registry reachable? " + RETRY


@dataclass(frozen=True)
class Step:
    """A title for the person, a stamp, and what to do when the stamp is out of date."""

    title: str
    stamp: Callable[[], Stamp]
    commands: Callable[[], Iterable[Sequence[str | Path]]]
    cwd: Path
    log: str
    advice: str = RETRY

    def run(self, places: Places, environment: Mapping[str, str], progress: Progress) -> None:
        """Does what is needed. Raises SetupError; the stamp is then gone, so that the next start does it again."""
        with progress.step(self.title):
            stamp = self.stamp()
            if stamp.is_current():
                progress.result(UP_TO_DATE)
                return
            stamp.clear()
            log = places.logs / self.log
            for command in self.commands():
                run_logged(command, log=log, cwd=self.cwd, env=environment, advice=self.advice, tick=progress.tick)
            self.stamp().write()


def environment_steps(places: Places, requirements: str) -> list[Step]:
    """The Python environment with the packages of `requirements`, each checked against its hash."""
    locked = places.root / "requirements" / requirements
    interpreter = f"{sys.version} {os.path.realpath(sys.executable)}"
    make: list[str | Path] = [sys.executable, "-m", "venv", "--clear", places.environment]
    return [
        Step(
            "Python environment",
            lambda: Stamp(places.environment / ".stamp", [], [places.python], interpreter),
            lambda: [] if _is_usable(places) else [make],
            places.root,
            "set-up-python.log",
        ),
        Step(
            f"Python packages ({requirements.removesuffix('.txt')})",
            lambda: Stamp(places.environment / f".stamp-{requirements}", [locked], [places.python], interpreter),
            lambda: [[*_install(places), "--requirement", locked]],
            places.root,
            "set-up-python.log",
            REGISTRY,
        ),
    ]


def _install(places: Places) -> list[str | Path]:
    return [places.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]


def _is_usable(places: Places) -> bool:
    """An environment that was made by hand for this version of Python will do."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return places.python.exists() and (places.environment / "lib" / version / "site-packages" / "pip").is_dir()


def front_end_steps(places: Places) -> list[Step]:
    """The pages: npm's packages as locked, then what the browser loads."""
    folder = places.root / "frontend"
    lock = [folder / "package.json", folder / "package-lock.json"]
    modules = folder / "node_modules"
    return [
        Step(
            "front end packages",
            lambda: Stamp(modules / ".stamp", lock, [modules]),
            lambda: [["npm", "ci", "--no-audit", "--no-fund"]],
            folder,
            "set-up-front-end.log",
            REGISTRY,
        ),
        Step(
            "front end",
            lambda: Stamp(places.build / "stamps" / "front-end", [folder], [places.root / "playground/static/build"]),
            lambda: [["npm", "run", "build"]],
            folder,
            "set-up-front-end.log",
        ),
    ]


def sandboxd_step(places: Places) -> Step:
    """The daemon of every machine, with the compiler of a wheel: no host needs one, and what it makes is smallest."""
    compiler = [*_install(places), "--requirement", places.root / "requirements" / "cross.txt"]
    sources = places.root / "runtime" / "sandboxd"
    binary = places.build / "sandboxd" / architecture() / "sandboxd"
    return Step(
        "sandboxd",
        lambda: Stamp(places.build / "stamps" / "sandboxd", [sources], [binary]),
        lambda: [compiler, ["make", "--no-print-directory", f"PYTHON={places.python}"]],
        sources,
        "set-up-sandboxd.log",
        REGISTRY,
    )


def architecture() -> str:
    """As the folders below build/sandboxd are named."""
    machine = os.uname().machine
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(machine, machine)


def run_steps(wanted: Sequence[Step], places: Places, environment: Mapping[str, str], progress: Progress) -> None:
    """All of them, in order, while no other copy sets up the same checkout."""
    with checkout_lock(places.build, lambda: progress.say("waiting for another set-up of this checkout …")):
        for step in wanted:
            step.run(places, environment, progress)
