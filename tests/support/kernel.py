"""What the kernel says of a machine, without asking our own readers."""

import glob
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def is_frozen(container_id: str) -> bool:
    """By the freezer of cgroup v1 or v2."""
    for path in cgroups_like(f"freezer/**/{container_id}/freezer.state"):
        return path.read_text().strip() == "FROZEN"
    return "frozen 1" in _only(f"**/{container_id}/cgroup.events").read_text().splitlines()


def cpu_seconds(container_id: str) -> float:
    """That it has used in all."""
    for path in cgroups_like(f"cpuacct/**/{container_id}/cpuacct.usage"):
        return int(path.read_text()) / 1e9
    words = _only(f"**/{container_id}/cpu.stat").read_text().split()
    return int(words[words.index("usage_usec") + 1]) / 1e6


def is_stopped(pid: int) -> bool:
    """By a signal, with all its threads."""
    try:
        states = [path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:
        return False  # a thread has ended meanwhile
    return set(states) == {"T"}


def cgroups_like(pattern: str) -> list[Path]:
    """Not pathlib's: that one fails when a directory goes while it looks, as those of other engines do."""
    return [Path(path) for path in glob.iglob(f"{CGROUPS}/{pattern}", recursive=True)]  # noqa: PTH207


def _only(pattern: str) -> Path:
    (path,) = cgroups_like(pattern)
    return path
