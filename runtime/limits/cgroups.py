"""Readings of all machines of this host in one pass, from cgroup v1, hybrid or v2 files and /proc.

A container's cgroup is found once, by the engine's id in the name of its directory (`docker/ID`,
`system.slice/docker-ID.scope`). Its files stay open, because to open one takes the kernel six times as long as to read
it: a pass is one call for each. A descriptor fails when its cgroup is gone, and never comes to mean another one. Of a
container in which nothing has run since, a few of them are read, and what others write to its network.
"""

import contextlib
import os
import re
import resource
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
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
_ALWAYS_READ_V1 = (
    "cpuacct/%s/cpuacct.usage",
    "memory/%s/memory.usage_in_bytes",
    "blkio/%s/blkio.throttle.io_service_bytes_recursive",
    "cpu/%s/cpu.cfs_quota_us",
    "cpu/%s/cpu.cfs_period_us",
)
_ALWAYS_READ_V2 = ("%s/cpu.stat", "%s/memory.current", "%s/io.stat", "%s/cpu.max")
"""First the CPU time. The others change by themselves: memory is reclaimed, pages are written later, limits are set."""
_NAME = re.compile(r"(?:[a-z]+-)?([0-9a-f]{64})(?:\.scope)?")


@dataclass(slots=True)
class _Container:
    """Where one container's files are, and what is kept of it between two passes."""

    path: str
    """Below each hierarchy's root, e.g. `docker/ID`."""
    descriptors: dict[str, int] = field(default_factory=dict)
    """Of its files that are kept open."""
    member: Member | None = None
    dirtied: int = 0
    """The most that its processes were seen to have written together: less is seen while one is waited for."""
    told: tuple[bytes, ...] = ()
    usage: Usage | None = None
    """What was read when those of its files that are always read told that; without its network."""


class CgroupReader:
    """Keeps what it has found between passes. Not for several threads at once."""

    def __init__(self, cgroups: Path = CGROUPS, proc: Path = PROC) -> None:
        self._root = str(cgroups)
        self._proc = str(proc)
        self._unified = (cgroups / "cgroup.controllers").exists()
        self._cpu_time, *self._others = _ALWAYS_READ_V2 if self._unified else _ALWAYS_READ_V1
        self._known: dict[str, _Container] = {}
        self._may_keep = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        """Files; those of further containers are opened each time."""

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
        container = self._known.pop(container_id)
        self._let_go(container)
        for descriptor in container.descriptors.values():
            os.close(descriptor)
        self._may_keep += len(container.descriptors)

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
            told = (self._read(container, self._cpu_time), *(self._read_or_nothing(container, f) for f in self._others))
        except OSError:
            self._forget(container_id)
            return None
        if container.usage is None or container.told != told:
            # Nothing else can have changed while no CPU time was used: whoever forks, frees or is killed uses some.
            read = self._unified_usage if self._unified else self._split_usage
            container.told, container.usage = told, read(container, told)
        received, sent = self._network(container)
        return replace(container.usage, received_bytes=received, sent_bytes=sent)

    def _split_usage(self, container: _Container, told: tuple[bytes, ...]) -> Usage:
        """cgroup v1: a hierarchy for each controller."""
        cpu_time, held, io, quota, period = told
        memory = self._read_or_nothing(container, "memory/%s/memory.stat")
        oom = self._read_or_nothing(container, "memory/%s/memory.oom_control")
        read, written = parsing.io_v1(io)
        throttled = parsing.value_of(self._read_or_nothing(container, "cpu/%s/cpu.stat"), b"throttled_time")
        return Usage(
            cpu_seconds=parsing.number(cpu_time) / 1e9,
            throttled_seconds=throttled / 1e9,
            cpu_limit_cores=parsing.cores_v1(quota, period),
            memory_bytes=max(0, parsing.number(held) - parsing.value_of(memory, b"total_inactive_file")),
            oom_kills=parsing.value_of(oom, b"oom_kill"),
            pids=parsing.number(self._read_or_nothing(container, "pids/%s/pids.current")),
            read_bytes=read,
            # v1 counts what goes to the device at once, and not what the page cache writes later.
            written_bytes=max(written, self._dirtied(container)),
            received_bytes=None,
            sent_bytes=None,
        )

    def _unified_usage(self, container: _Container, told: tuple[bytes, ...]) -> Usage:
        """cgroup v2."""
        cpu, held, io, cpu_max = told
        memory = self._read_or_nothing(container, "%s/memory.stat")
        read, written = parsing.io_v2(io)
        return Usage(
            cpu_seconds=parsing.value_of(cpu, b"usage_usec") / 1e6,
            throttled_seconds=parsing.value_of(cpu, b"throttled_usec") / 1e6,
            cpu_limit_cores=parsing.cores_v2(cpu_max),
            memory_bytes=max(0, parsing.number(held) - parsing.value_of(memory, b"inactive_file")),
            oom_kills=parsing.value_of(self._read_or_nothing(container, "%s/memory.events"), b"oom_kill"),
            pids=parsing.number(self._read_or_nothing(container, "%s/pids.current")),
            read_bytes=read,
            written_bytes=written,
            received_bytes=None,
            sent_bytes=None,
        )

    def _members(self, container: _Container) -> list[int]:
        return parsing.pids(
            self._read_or_nothing(container, "%s/cgroup.procs" if self._unified else "pids/%s/cgroup.procs")
        )

    def _read(self, container: _Container, file: str) -> bytes:
        """All of a small file, `%s` of whose name is where the container is. Raises OSError."""
        descriptor = container.descriptors.get(file)
        if descriptor is None:
            path = f"{self._root}/{file % container.path}"
            if not self._may_keep:
                return _read(path)
            descriptor = container.descriptors[file] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._may_keep -= 1
        return os.pread(descriptor, LARGEST, 0)

    def _read_or_nothing(self, container: _Container, file: str) -> bytes:
        try:
            return self._read(container, file)
        except OSError:
            return b""

    def _network(self, container: _Container) -> tuple[int, int] | tuple[None, None]:
        """Of the network namespace that all of the container's processes share: machines can't make another one.

        Opened each time: whoever keeps this file open keeps the namespace.
        """
        data = container.member.read("net/dev") if container.member else b""
        if not data:
            self._let_go(container)
            container.member = Member.first(
                self._proc, self._members(container), container.path.rpartition("/")[2].encode()
            )
            data = container.member.read("net/dev") if container.member else b""
        return parsing.network(data) if data else (None, None)

    def _let_go(self, container: _Container) -> None:
        if container.member is not None:
            container.member.close()
            container.member = None

    def _dirtied(self, container: _Container) -> int:
        total = 0
        for pid in self._members(container)[:MOST_PROCESSES]:
            total += parsing.dirtied(_read_or_nothing(f"{self._proc}/{pid}/io"))
        container.dirtied = max(container.dirtied, total)
        return container.dirtied


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
