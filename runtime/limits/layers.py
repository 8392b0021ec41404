"""How much a machine holds in its writable layer, measured on the host with no trust in what is there.

Everything below is made by a guest: names are opened one by one, relative to their directory, and never through a
link. What costs the host counts: allocated blocks (holes are free), each entry at least 4 KiB (else empty files would
cost inodes for nothing), other names of a file as an entry, and files that were deleted but are still open or mapped.
"""

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.limits.usage import DiskUsage

BLOCK = 512
ENTRY_BYTES = 4096
"""What an entry counts at least."""
DEEPEST = 128
"""Directories within each other, beyond which nobody looks: such a machine counts as one that holds too much."""
MOST_OPEN = 20_000
"""Open and mapped files of one machine that are looked at."""
LARGEST = 1 << 20
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class TooDeep(Exception):
    """Directories are nested too deeply to be measured."""


@dataclass(slots=True)
class _Sum:
    most: int
    """Bytes beyond which nothing more is looked at."""
    used: int = 0
    files: int = 0
    linked: set[tuple[int, int]] = field(default_factory=set)
    """Files with several names that were counted: device and inode."""

    @property
    def full(self) -> bool:
        return self.used > self.most

    def add(self, status: os.stat_result) -> None:
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            if (status.st_dev, status.st_ino) in self.linked:
                self.used += ENTRY_BYTES  # to look at it costs as much as another file
                return
            self.linked.add((status.st_dev, status.st_ino))
        self.used += max(ENTRY_BYTES, status.st_blocks * BLOCK)
        self.files += 1


def measure(layer: Path, most_bytes: int, pids: Sequence[int] = (), proc: Path = Path("/proc")) -> DiskUsage:
    """What is in that directory, and what processes of these numbers keep of what was deleted there.

    Stops when more than `most_bytes` are found, so it costs at most `most_bytes / 4096` entries. Blocks; runs while the
    guest changes things, so it is exact only for a paused machine. Raises OSError when the layer can't be read.
    """
    total = _Sum(most_bytes)
    descriptor = os.open(layer, _DIRECTORY)
    try:
        _directory(descriptor, total, DEEPEST)
    except TooDeep:
        return DiskUsage(max(total.used, most_bytes + 1), total.files, complete=False)
    finally:
        os.close(descriptor)
    _deleted(total, pids, str(proc))
    return DiskUsage(total.used, total.files, complete=not total.full)


def _directory(descriptor: int, total: _Sum, deepest: int) -> None:
    if deepest == 0:
        raise TooDeep
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if total.full:
                return
            try:
                total.add(entry.stat(follow_symlinks=False))
                below = os.open(entry.name, _DIRECTORY, dir_fd=descriptor) if _is_directory(entry) else None
            except OSError:
                continue  # it went, or became something else, just now
            if below is not None:
                try:
                    _directory(below, total, deepest - 1)
                finally:
                    os.close(below)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _deleted(total: _Sum, pids: Sequence[int], proc: str) -> None:
    """Adds files that have no name any more. All in /proc is the kernel's own link: it leads along no path."""
    seen: set[tuple[int, int]] = set()
    looked = 0
    for pid in pids:
        try:
            layer = Path(f"{proc}/{pid}/root").stat().st_dev  # files in memory are on other devices
        except OSError:
            continue
        for path in _held(f"{proc}/{pid}"):
            looked += 1
            if total.full or looked > MOST_OPEN:
                return
            with contextlib.suppress(OSError):
                status = Path(path).stat()
                key = (status.st_dev, status.st_ino)
                if stat.S_ISREG(status.st_mode) and status.st_nlink == 0 and layer == status.st_dev and key not in seen:
                    seen.add(key)
                    total.used += max(ENTRY_BYTES, status.st_blocks * BLOCK)
                    total.files += 1


def _held(process: str) -> Iterator[str]:
    """Paths in /proc of the files that a process has open or mapped."""
    with contextlib.suppress(OSError), os.scandir(f"{process}/fd") as descriptors:
        yield from (entry.path for entry in descriptors)
    with contextlib.suppress(OSError):
        yield from (f"{process}/map_files/{area}" for area in _deleted_maps(f"{process}/maps"))


def _deleted_maps(path: str) -> list[str]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(descriptor, LARGEST)
    finally:
        os.close(descriptor)
    lines = (line for line in data.decode(errors="replace").splitlines() if line.endswith(" (deleted)"))
    return [line.split(None, 1)[0] for line in lines]
