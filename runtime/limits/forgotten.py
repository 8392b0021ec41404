"""Ends processes of containers that their engine takes for ended: it was killed while it started them."""

import contextlib
import os
import signal
import time
from pathlib import Path

from runtime.limits import parsing
from runtime.limits.cgroups import CGROUPS, containers

SECONDS = 5.0
"""How long they may take to go after SIGKILL."""
LOOK_SECONDS = 0.02
_THAWED = (("freezer.state", "THAWED"), ("cgroup.freeze", "0"))
"""How each version lets go of a frozen cgroup: in version 1, what is frozen does not even end by SIGKILL."""


def end(container_id: str, cgroups: Path = CGROUPS) -> bool:
    """kill -9 of all that is in the container's cgroup on this host; blocks until it is gone. Whether nothing is left.

    A container without a cgroup here has nothing. Only for containers that do not run, as far as their engine knows.
    """
    unified = (cgroups / "cgroup.controllers").exists()
    root = cgroups if unified else cgroups / "pids"
    path = next((path for found, path in containers(root) if found == container_id), None)
    if path is None:
        return True
    frozen = root / path if unified else cgroups / "freezer" / path
    until = time.monotonic() + SECONDS
    while members := _members(root / path):
        if time.monotonic() > until:
            return False
        for name, value in _THAWED:
            with contextlib.suppress(OSError):
                (frozen / name).write_text(value)
        for process in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(LOOK_SECONDS)
    return True


def _members(cgroup: Path) -> list[int]:
    try:
        return parsing.pids((cgroup / "cgroup.procs").read_bytes())
    except OSError:
        return []
