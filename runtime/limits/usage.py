"""What a machine has used, as its engine reads it. Pure values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """One reading of one machine. Counters grow from its start and begin anew only when the machine does."""

    cpu_seconds: float
    """Of one core, by all of its processes so far."""
    throttled_seconds: float
    """How long its processes were ready to run and held back by the CPU limit, so far."""
    cpu_limit_cores: float | None
    """What the kernel enforces now; None where that can't be read."""
    memory_bytes: int
    """The working set: what it holds without the page cache that can be dropped at once."""
    oom_kills: int
    """Processes that the kernel killed because the memory was used up, so far."""
    pids: int
    """Processes and threads now."""
    read_bytes: int
    """From block devices, so far."""
    written_bytes: int
    """To block devices, so far. May fall for a moment where it has to be counted process by process (cgroup v1)."""
    received_bytes: int | None
    sent_bytes: int | None
    """Over all interfaces but loopback, so far; None when nobody could be asked just now."""


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """What a machine has written to its own layer, and still holds there."""

    used_bytes: int
    """Blocks that are allocated, at least 4 KiB for each file or directory; deleted files count while they are open."""
    files: int
    complete: bool
    """False: there is more, but it was not looked at: `used_bytes` reached what the caller wanted to know."""
