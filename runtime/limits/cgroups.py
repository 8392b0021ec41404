"""Readings of all machines of this host in one pass, from cgroup v1, hybrid or v2 files and /proc.

A container's cgroup is found once, by the engine's id in the name of its directory (`docker/ID`,
`system.slice/docker-ID.scope`); afterwards a pass opens, reads and closes a few small files for each.
"""

import contextlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.limits import parsing
from runtime.limits.processes import Member
from runtime.limits.usage import Usage

CGROUPS = Path("/sys/fs/cgroup")
PROC = Path("/proc")
DEEPEST = 5
"""How far below the root engines put their containers."""
LARGEST = 1 << 16
"""Bytes of one file that are read: the largest, memory.stat, has a few thousand."""
MOST_PROCESSES = 64
"""Of one machine, whose own counters are read in one pass: a fork bomb must not make it long."""
_NAME = re.compile(r"(?:[a-z]+-)?([0-9a-f]{64})(?:\.scope)?")


@dataclass(slots=True)
class _Container:
    """Where one container's files are, and what is kept of it between two passes."""

    path: str
    """Below each hierarchy's root, e.g. `docker/ID`."""
    member: Member | None = None
    dirtied: int = 0
    """The most that its processes were seen to have written together: less is seen while one is waited for."""


class CgroupReader:
    """Keeps what it has found between passes. Not for several threads at once."""

    def __init__(self, cgroups: Path = CGROUPS, proc: Path = PROC) -> None:
        self._root = str(cgroups)
        self._proc = str(proc)
        self._unified = (cgroups / "cgroup.controllers").exists()
        self._known: dict[str, _Container] = {}

    def read(self, containers: Collection[str]) -> Mapping[str, Usage]:
        """The readings of those container ids (64 hexadecimal digits) that have a cgroup on this host.

        Looks through the directories only for ids that it has not met before. Blocks for well under a millisecond for
        each. Raises nothing: what has ended, or is not there, is left out.
        """
        for gone in self._known.keys() - set(containers):
            self._forget(gone)
        unknown = set(containers) - self._known.keys()
        if unknown:
            self._find(unknown)
        found = {}
        for container_id in containers:
            usage = self._one(container_id)
            if usage is not None:
                found[container_id] = usage
        return found

    def processes(self, container_id: str) -> list[int]:
        """Numbers of the processes of a container that `read` has met, as this host knows them."""
        container = self._known.get(container_id)
        root = self._root if self._unified else f"{self._root}/pids"
        return parsing.pids(_read_or_nothing(f"{root}/{container.path}/cgroup.procs")) if container else []

    def close(self) -> None:
        """Gives back what is kept open."""
        for container_id in list(self._known):
            self._forget(container_id)

    def _forget(self, container_id: str) -> None:
        self._let_go(self._known.pop(container_id))

    def _find(self, wanted: set[str]) -> None:
        root = self._root if self._unified else f"{self._root}/cpuacct"
        for container_id, path in containers(Path(root)):
            if container_id in wanted:
                self._known[container_id] = _Container(path)

    def _one(self, container_id: str) -> Usage | None:
        container = self._known.get(container_id)
        if container is None:
            return None
        try:
            return self._unified_usage(container) if self._unified else self._split_usage(container)
        except OSError:
            self._forget(container_id)
            return None

    def _split_usage(self, container: _Container) -> Usage:
        """cgroup v1: a hierarchy for each controller. Raises OSError when the container is gone."""
        at = {name: f"{self._root}/{name}/{container.path}" for name in _CONTROLLERS}
        cpu_seconds = parsing.number(_read(f"{at['cpuacct']}/cpuacct.usage")) / 1e9
        stat = _read_or_nothing(f"{at['memory']}/memory.stat")
        held = parsing.number(_read_or_nothing(f"{at['memory']}/memory.usage_in_bytes"))
        read, written = parsing.io_v1(_read_or_nothing(f"{at['blkio']}/blkio.throttle.io_service_bytes_recursive"))
        members = parsing.pids(_read_or_nothing(f"{at['pids']}/cgroup.procs"))
        network = self._network(container, lambda: members)
        return Usage(
            cpu_seconds=cpu_seconds,
            throttled_seconds=parsing.value_of(_read_or_nothing(f"{at['cpu']}/cpu.stat"), b"throttled_time") / 1e9,
            cpu_limit_cores=parsing.cores_v1(
                _read_or_nothing(f"{at['cpu']}/cpu.cfs_quota_us"), _read_or_nothing(f"{at['cpu']}/cpu.cfs_period_us")
            ),
            memory_bytes=max(0, held - parsing.value_of(stat, b"total_inactive_file")),
            oom_kills=parsing.value_of(_read_or_nothing(f"{at['memory']}/memory.oom_control"), b"oom_kill"),
            pids=parsing.number(_read_or_nothing(f"{at['pids']}/pids.current")),
            read_bytes=read,
            # v1 counts what goes to the device at once, and not what the page cache writes later.
            written_bytes=max(written, self._dirtied(container, members)),
            received_bytes=network[0] if network else None,
            sent_bytes=network[1] if network else None,
        )

    def _unified_usage(self, container: _Container) -> Usage:
        """cgroup v2. Raises OSError when the container is gone."""
        at = f"{self._root}/{container.path}"
        cpu = _read(f"{at}/cpu.stat")
        held = parsing.number(_read_or_nothing(f"{at}/memory.current"))
        read, written = parsing.io_v2(_read_or_nothing(f"{at}/io.stat"))
        network = self._network(container, lambda: parsing.pids(_read_or_nothing(f"{at}/cgroup.procs")))
        return Usage(
            cpu_seconds=parsing.value_of(cpu, b"usage_usec") / 1e6,
            throttled_seconds=parsing.value_of(cpu, b"throttled_usec") / 1e6,
            cpu_limit_cores=parsing.cores_v2(_read_or_nothing(f"{at}/cpu.max")),
            memory_bytes=max(0, held - parsing.value_of(_read_or_nothing(f"{at}/memory.stat"), b"inactive_file")),
            oom_kills=parsing.value_of(_read_or_nothing(f"{at}/memory.events"), b"oom_kill"),
            pids=parsing.number(_read_or_nothing(f"{at}/pids.current")),
            read_bytes=read,
            written_bytes=written,
            received_bytes=network[0] if network else None,
            sent_bytes=network[1] if network else None,
        )

    def _network(self, container: _Container, members: Callable[[], list[int]]) -> tuple[int, int] | None:
        """Of the network namespace that all of the container's processes share: machines can't make another one."""
        data = container.member.read("net/dev") if container.member else b""
        if not data:
            self._let_go(container)
            container.member = Member.first(self._proc, members(), container.path.rpartition("/")[2].encode())
            data = container.member.read("net/dev") if container.member else b""
        return parsing.network(data) if data else None

    def _let_go(self, container: _Container) -> None:
        if container.member is not None:
            container.member.close()
            container.member = None

    def _dirtied(self, container: _Container, members: list[int]) -> int:
        total = 0
        for pid in members[:MOST_PROCESSES]:
            total += parsing.dirtied(_read_or_nothing(f"{self._proc}/{pid}/io"))
        container.dirtied = max(container.dirtied, total)
        return container.dirtied


_CONTROLLERS = ("cpu", "cpuacct", "memory", "pids", "blkio")


def containers(root: Path) -> Iterator[tuple[str, str]]:
    """The engine's ids of all containers below a hierarchy's root, and where below it their cgroups are."""
    return _containers(str(root), "", DEEPEST)


def _containers(directory: str, path: str, deepest: int) -> Iterator[tuple[str, str]]:
    """Does not look into containers."""
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                continue
            below = f"{path}/{entry.name}" if path else entry.name
            named = _NAME.fullmatch(entry.name)
            if named:
                yield named[1], below
            elif deepest > 1:
                yield from _containers(entry.path, below, deepest - 1)


def _read(path: str) -> bytes:
    """All of a small file, in three system calls. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, LARGEST)
    finally:
        os.close(descriptor)


def _read_or_nothing(path: str) -> bytes:
    try:
        return _read(path)
    except OSError:
        return b""
