"""One process of a container, held so that its number can't come to mean another one.

Numbers of processes are used again: what is read of `/proc/PID` by name may be the host's own. A descriptor of the
directory means this process for ever, and reads fail once it has ended.
"""

import os
from collections.abc import Iterable

LARGEST = 1 << 16


class Member:
    """A process that was found in the container's cgroup. Close it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def first(cls, proc: str, pids: Iterable[int], name: bytes) -> "Member | None":
        """The first of these that still is in the cgroup whose directory has this name; None when none is."""
        for pid in pids:
            try:
                member = cls(os.open(f"{proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            except OSError:
                continue
            # Looked at after it was opened: so it is this process that is in there.
            if name in member.read("cgroup"):
                return member
            member.close()
        return None

    def read(self, name: str) -> bytes:
        """A file below its directory; nothing when the process has ended."""
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._descriptor)
        except OSError:
            return b""
        try:
            return os.read(descriptor, LARGEST)
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Lets go of it."""
        os.close(self._descriptor)
