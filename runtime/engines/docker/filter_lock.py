"""Who takes an installation's packet filter away, and who relies on it, by a lock on a directory: never both at once.

The kernel gives a lock back when its holder dies, however it dies.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

TRY_SECONDS = 0.01


class FilterLock:
    """Of one installation, whose processes share `directory`. It is made when it is not there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @asynccontextmanager
    async def relying(self) -> AsyncIterator[None]:
        """Nobody takes the filter away during the block; any number may rely on it."""
        with self._opened() as descriptor:
            # Blocking would hold up the loop, in which whoever takes it away may be waiting.
            while not _take(descriptor, fcntl.LOCK_SH):  # noqa: ASYNC110 - a lock has no event
                await asyncio.sleep(TRY_SECONDS)
            yield

    @contextmanager
    def removing(self) -> Iterator[bool]:
        """Whether the block may take it away: not while anybody relies on it."""
        with self._opened() as descriptor:
            yield _take(descriptor, fcntl.LOCK_EX)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        self._directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _take(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
