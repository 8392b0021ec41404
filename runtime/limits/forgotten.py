"""Ends what is left of containers that their engine takes for ended: it was killed while it started or removed them.

These are processes in the container's cgroup, the engine's own processes that served it, and the cgroup itself.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from runtime.limits import parsing
from runtime.limits.cgroups import CGROUPS, PROC, containers

SECONDS = 5.0
"""How long all of it may take to go."""
LOOK_SECONDS = 0.02
SERVANTS = (b"containerd-shim", b"runc")
"""What the names of programs begin with that engines run for one container; its id is among their arguments."""
_THAWED = (("freezer.state", "THAWED"), ("cgroup.freeze", "0"))
"""How each version lets go of a frozen cgroup: in version 1, what is frozen does not even end by SIGKILL."""


def end(container_id: str, cgroups: Path = CGROUPS) -> bool:
    """kill -9 of all that is the container's on this host, and its cgroup's end; blocks. Whether nothing is left.

    Only for containers that do not run, as far as their engine knows.
    """
    until = time.monotonic() + SECONDS
    # Servants first: they may be about to start what would be in the cgroup.
    while members := [*_servants(container_id), *_members(container_id, cgroups)]:
        if time.monotonic() > until:
            return False
        for place in _places(container_id, cgroups):
            _thaw(place)
        for process in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(LOOK_SECONDS)
    while [place for place in _places(container_id, cgroups) if not _removed(place)]:
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _places(container_id: str, cgroups: Path) -> Iterator[Path]:
    """The container's cgroup, of version 1 in each hierarchy."""
    unified = (cgroups / "cgroup.controllers").exists()
    for root in (cgroups,) if unified else sorted(cgroups.iterdir()):
        for found, path in containers(root):
            if found == container_id:
                yield root / path


def _members(container_id: str, cgroups: Path) -> set[int]:
    found: set[int] = set()
    for place in _places(container_id, cgroups):
        with contextlib.suppress(OSError):
            found.update(parsing.pids((place / "cgroup.procs").read_bytes()))
    return found


def _servants(container_id: str) -> Iterator[int]:
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                program, *arguments = (entry / "cmdline").read_bytes().split(b"\0")
                if program.rpartition(b"/")[2].startswith(SERVANTS) and container_id.encode() in arguments:
                    yield int(entry.name)


def _thaw(place: Path) -> None:
    for name, value in _THAWED:
        with contextlib.suppress(OSError):
            if (place / name).exists():
                (place / name).write_text(value)


def _removed(place: Path) -> bool:
    """Absent is success. One is busy for a moment after its last process has ended."""
    try:
        place.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
