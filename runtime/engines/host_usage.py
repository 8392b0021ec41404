"""What the processes of machines of the process engine use, from /proc. Not exact: nothing bounds or counts them."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from runtime.engines.host_process import MARK, HostProcess
from runtime.limits import parsing
from runtime.limits.usage import Usage

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def usage_of(machines: Mapping[str, HostProcess]) -> Mapping[str, Usage]:
    """In one pass over all processes of this host. Who has ended is left out."""
    members: dict[str, set[int]] = {machine_id: set(process.children()) for machine_id, process in machines.items()}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            machine_id = _machine_of(entry)
            if machine_id in members:
                members[machine_id].add(int(entry.name))
    return {machine_id: _sum(members[machine_id]) for machine_id, process in machines.items() if process.runs()}


def _machine_of(process: Path) -> str:
    with contextlib.suppress(OSError):
        for variable in (process / "environ").read_bytes().split(b"\0"):
            if variable.startswith(MARK.encode() + b"="):
                return variable.partition(b"=")[2].decode(errors="replace")
    return ""


def _sum(pids: set[int]) -> Usage:
    seconds = 0.0
    memory = read = written = threads = 0
    for pid in pids:
        fields = _read(pid, "stat").rpartition(b")")[2].split()
        if len(fields) < 22:
            continue
        # Its own time and that of its children it has waited for.
        seconds += sum(int(ticks) for ticks in fields[11:15]) / TICKS
        threads += int(fields[17])
        memory += int(fields[21]) * PAGE
        io = _read(pid, "io")
        read += parsing.value_of(io, b"read_bytes:")
        written += parsing.dirtied(io)
    return Usage(seconds, 0.0, None, memory, 0, threads, read, written, None, None)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
