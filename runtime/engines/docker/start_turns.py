"""Private engines of one host start one after another, by a lock on a file.

Docker removes and makes chains of iptables with the same names in every engine, and gives up when another one has done
so in between ("Chain already exists", "No chain/target/match by that name"). The kernel gives a lock back when its
holder dies, however it dies.
"""

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = Path("/run/container-playground.engine-start")
"""Where root alone writes. A reboot forgets it, and the chains."""
LONGEST_WAIT = 300.0
"""Seconds; then it is tried all the same: better two that start at once than one that never does."""
TRY_SECONDS = 0.05


@contextmanager
def start_turn(given_up: Callable[[], bool]) -> Iterator[None]:
    """Nobody else is inside during the block. Waiting ends as soon as `given_up()`."""
    with _opened() as descriptor:
        if not _take(descriptor):
            _say("Another private engine is starting; this one waits for its turn.")
            until = time.monotonic() + LONGEST_WAIT
            while not (given_up() or _take(descriptor)):
                if time.monotonic() > until:
                    _say(f"No turn came in {LONGEST_WAIT:.0f} s; starting all the same.")
                    break
                time.sleep(TRY_SECONDS)
        yield


@contextmanager
def _opened() -> Iterator[int]:
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _say(words: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{words}\n")
        sys.stderr.flush()
