"""What this process may do."""

from pathlib import Path

CAP_SYS_NICE = 23


def may_be_preferred() -> bool:
    """Whether it may ask for more of the CPU than others have. Root in a container may not."""
    lines = Path("/proc/self/status").read_text().splitlines()
    effective = next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
    return bool(effective >> CAP_SYS_NICE & 1)
