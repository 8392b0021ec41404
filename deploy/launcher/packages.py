"""Debian's packages, where we may install them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.launcher.commands import run_logged

SERVICES = ("docker.socket", "docker.service", "containerd.service", "postgresql.service", "postgresql@.service")


def can_install() -> bool:
    """Whether we are root on a system with apt-get."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str], root: Path, log: Path, tick: Callable[[str], None]) -> None:
    """Installs them and starts none of their services. Raises SetupError; apt can go on after any interruption."""
    # RUNLEVEL tells Debian's scripts that this is no time to start services, where systemd is not there to ask.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1", "LC_ALL": "C.UTF-8"}
    apt = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=120")
    advice = f"Try it by hand, then start again: apt-get update && apt-get install {' '.join(packages)}"
    with _services_held():
        for words in (("update",), ("install", "--yes", "--no-install-recommends", *packages)):
            run_logged([*apt, *words], log=log, cwd=root, env=environment, advice=advice, tick=tick)


@contextmanager
def _services_held() -> Iterator[None]:
    """Debian starts what it installs. The masks live in /run: even if we are killed here, a reboot forgets them."""
    ours = [name for name in SERVICES if _is_new(name)]
    if not ours:
        yield
        return
    _systemctl("mask", ours)
    try:
        yield
        _systemctl("disable", ours)
    finally:
        _systemctl("unmask", ours)


def _is_new(service: str) -> bool:
    """Not installed yet, so that nobody can be using it. Without systemd there is nothing to hold."""
    if not Path("/run/systemd/system").is_dir():
        return False
    return not any((Path(place) / service).exists() for place in ("/usr/lib/systemd/system", "/lib/systemd/system"))


def _systemctl(verb: str, services: Sequence[str]) -> None:
    runtime = [] if verb == "disable" else ["--runtime"]
    subprocess.run(["systemctl", verb, *runtime, *services], check=False, capture_output=True)
