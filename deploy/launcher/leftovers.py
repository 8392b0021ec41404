"""Processes of a run that was killed: found by a mark in their environment, ended before anything starts again."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

MARK = "PLAYGROUND_COPY"
"""Holds the data directory; the supervisor and all below it inherit it."""
SPARED = "containerd-shim"
"""They hold machines that the engine finds again; it ends them with their machine."""
ORDERLY_SECONDS = 45.0
"""For a supervisor, which gives each of its programs time to end."""
POLITE_SECONDS = 10.0
FIRM_SECONDS = 10.0


def leftovers(data: Path) -> list[str]:
    """The commands of the processes with the mark of this data directory, for a person."""
    return [_read(process, "cmdline").replace(b"\0", b" ").decode(errors="replace") for process in _marked(data)]


def end_leftovers(data: Path) -> int:
    """Ends every process that an earlier run with this data directory left; returns how many there were."""
    first = list(_marked(data))
    patience = ORDERLY_SECONDS if _supervisors(first) else POLITE_SECONDS
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, FIRM_SECONDS)):
        until = time.monotonic() + seconds
        asked: set[int] = set()
        while left := list(_marked(data)):
            for process in _first_to_ask(left, number):
                if process not in asked:
                    asked.add(process)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, number)
            if time.monotonic() > until:
                break
            time.sleep(0.1)
    return len(first)


def _first_to_ask(left: list[int], number: signal.Signals) -> list[int]:
    """A supervisor stops its programs by itself and in order; while it lives, ask nobody else."""
    return (number == signal.SIGTERM and _supervisors(left)) or left


def _supervisors(processes: list[int]) -> list[int]:
    return [process for process in processes if b"supervisor.supervisord" in _read(process, "cmdline")]


def _marked(data: Path) -> Iterator[int]:
    if not Path("/proc/self/environ").exists():
        return
    mark = f"{MARK}={data}".encode()
    for entry in Path("/proc").iterdir():
        if (
            entry.name.isdigit()
            and int(entry.name) != os.getpid()
            and mark in _read(int(entry.name), "environ").split(b"\0")
        ):
            process = int(entry.name)
            if not _read(process, "comm").decode(errors="replace").startswith(SPARED) and not _is_zombie(process):
                yield process


def _is_zombie(process: int) -> bool:
    return b") Z " in _read(process, "stat")


def _read(process: int, name: str) -> bytes:
    """Empty for what is gone or another's."""
    try:
        return Path(f"/proc/{process}/{name}").read_bytes()
    except OSError:
        return b""
