"""One copy for each data directory, one set-up at a time for each checkout."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.launcher.errors import SetupError

STOPPING = "stopping"
PATIENCE = 60.0
"""Seconds that a copy which is stopping has before we give up waiting for it."""


class DataLock:
    """Held as long as a copy runs; the kernel lets go of it however we end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def take(self) -> None:
        """Waits for a copy that is stopping; raises SetupError when one runs."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + PATIENCE
        while not self._try():
            process, _, state = os.pread(self._file, 100, 0).decode().partition(" ")
            if state.strip() != STOPPING or time.monotonic() > until:
                raise SetupError(
                    f"A copy with this data directory runs already: process {process}, {self._path.parent}.\n"
                    "Stop it first, or start another beside it: make run PORT=8001 DATA=var2"
                )
            time.sleep(0.1)
        self._say(f"{os.getpid()} running\n")

    def stopping(self) -> None:
        """Tells a copy that starts meanwhile that waiting is worth it."""
        self._say(f"{os.getpid()} {STOPPING}\n")

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _say(self, text: str) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text.encode(), 0)


@contextmanager
def checkout_lock(build: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """The environment, the pages and sandboxd belong to the checkout: copies that start at once take turns."""
    build.mkdir(parents=True, exist_ok=True)
    with (build / ".set-up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
