"""The processes of one machine of the process engine: a tiny shell, sandboxd in it, and all that they start."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

END_SECONDS = 6.0
LOOK_SECONDS = 0.02
MARK = "PLAYGROUND_MACHINE"
"""In the environment of everything in a machine: so what has lost its parent is found."""
_BODY = 'cd "$1" || exit 1; "$2/sandboxd" boot "$2/boot"; echo $? > "$3.new"; mv "$3.new" "$3"'
"""The shell stays as the parent, so that whoever asks later finds how sandboxd ended."""


@dataclass(frozen=True, slots=True)
class HostProcess:
    """The shell around a machine's sandboxd: a process id may be used again, with another start time."""

    pid: int
    started: int

    @classmethod
    def start(cls, directory: Path, scratch: Path, environment: Mapping[str, str]) -> "HostProcess":
        """Starts the machine of that directory, in a session of its own. Raises OSError."""
        with Path(os.devnull).open("r+b") as null:
            pid = os.posix_spawn(
                "/bin/sh",
                ["/bin/sh", "-c", _BODY, "machine", str(scratch), str(directory / "guest"), str(directory / "exit")],
                {**environment, MARK: directory.name},
                file_actions=[(os.POSIX_SPAWN_DUP2, null.fileno(), number) for number in (0, 1, 2)],
                setsid=True,
                setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM],
            )
        facts = _facts(pid)
        return cls(pid, facts[1] if facts else 0)

    def runs(self) -> bool:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)  # when it was ours, nobody else takes its status
        return _facts(self.pid) == ("R", self.started)

    def children(self) -> list[int]:
        """sandboxd, which hides its own environment."""
        try:
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        except OSError:
            return []


async def end(machine_id: str, process: HostProcess | None) -> None:
    """Asks sandboxd, which ends all its processes; kills it when it does not, and whatever is left of the machine."""
    if process is not None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            _signal(process.children() if process.runs() else [], number)
            # Those of a paused machine hear nothing before this.
            _signal(sorted(_all(machine_id, process)), signal.SIGCONT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_SECONDS):
                    while process.runs():  # noqa: ASYNC110 - it is not our child
                        await asyncio.sleep(LOOK_SECONDS)
                break
    while left := list(_marked(machine_id)):
        _signal(left, signal.SIGKILL)
        await asyncio.sleep(LOOK_SECONDS)


async def freeze(machine_id: str, process: HostProcess, *, frozen: bool) -> None:
    """Stops all processes of the machine, or lets them go on; until none is left that could start another one."""
    number, sent = (signal.SIGSTOP if frozen else signal.SIGCONT), set[int]()
    # Who waits in the kernel (D), e.g. for a child that is stopped, can't be seen to stop: it has been told, and will.
    while left := {pid for pid in _all(machine_id, process) if pid not in sent or _letter(pid) in _UNLIKE[frozen]}:
        _signal(sorted(left), number)
        sent |= left
        await asyncio.sleep(LOOK_SECONDS)


_UNLIKE = {True: {"R", "S"}, False: {"T"}}
"""States in /proc of those that are not as they should be: paused, or not."""


def _all(machine_id: str, process: HostProcess) -> set[int]:
    return {*process.children(), *_marked(machine_id)}


def _letter(pid: int) -> str | None:
    """The state in /proc: T when it is stopped. None for what has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _marked(machine_id: str) -> Iterator[int]:
    """Zombies have no environment, so they do not count."""
    mark = f"{MARK}={machine_id}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)


def _facts(pid: int) -> tuple[str, int] | None:
    """Whether it is dead or runs (Z or R), and when it started, in clock ticks since boot."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return "Z" if fields[0] in "ZX" else "R", int(fields[19])
