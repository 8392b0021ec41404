"""What the kernel says of a machine, without asking our own readers."""

from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def is_frozen(container_id: str) -> bool:
    """By the freezer of cgroup v1 or v2."""
    for path in CGROUPS.glob(f"freezer/**/{container_id}/freezer.state"):
        return path.read_text().strip() == "FROZEN"
    return "frozen 1" in _only(f"**/{container_id}/cgroup.events").read_text().splitlines()


def cpu_seconds(container_id: str) -> float:
    """That it has used in all."""
    for path in CGROUPS.glob(f"cpuacct/**/{container_id}/cpuacct.usage"):
        return int(path.read_text()) / 1e9
    words = _only(f"**/{container_id}/cpu.stat").read_text().split()
    return int(words[words.index("usage_usec") + 1]) / 1e6


def _only(pattern: str) -> Path:
    (path,) = CGROUPS.glob(pattern)
    return path
