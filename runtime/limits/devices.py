"""Which disk a directory is on, as the engine wants to be told it."""

import os
from pathlib import Path


def disk_of(directory: Path, devices: Path = Path("/sys/dev/block"), nodes: Path = Path("/dev")) -> Path | None:
    """The node of the whole disk below it; None where there is none, e.g. for a file system over several disks.

    The kernel bounds what goes to a disk, not to one of its partitions.
    """
    try:
        number = directory.stat().st_dev
        device = (devices / f"{os.major(number)}:{os.minor(number)}").resolve(strict=True)
    except OSError:
        return None
    disk = device.parent if (device / "partition").exists() else device
    node = nodes / disk.name
    return node if node.exists() else None
