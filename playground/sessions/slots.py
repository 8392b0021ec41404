"""How many machines this host makes at a time, over all its workers: by locked files.

The kernel gives a lock back when its holder dies, however it dies. Nobody waits for a slot: who finds none leaves, and
who gives one back looks what is to be done.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings

FOR_SESSIONS = 1
"""Slots that pools leave free, so that a person who comes waits for none of them; where there are two at least."""


@contextmanager
def slot() -> Iterator[bool]:
    """Whether the block may make machines, one at a time."""
    with several(1) as found:
        yield found == 1


@contextmanager
def several(most: int, *, spare: int = 0) -> Iterator[int]:
    """How many machines the block may make at a time: up to `most` slots that are free, but the first `spare`."""
    count = settings.CAPACITY.creates_at_once
    with ExitStack() as held:
        found = 0
        for number in range(min(spare, count - 1), count):
            if found == most:
                break
            found += _take(held, f"slot-{number}", blocking=False)
        yield found


@contextmanager
def deciding() -> Iterator[None]:
    """Alone on this host: who is next, and whether there is room. For moments, and not in an event loop: it waits."""
    with ExitStack() as held:
        _take(held, "deciding", blocking=True)
        yield


def _take(held: ExitStack, name: str, *, blocking: bool) -> bool:
    descriptor = os.open(_directory() / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if blocking else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return False
    held.callback(os.close, descriptor)
    return True


def _directory() -> Path:
    directory: Path = settings.DATA / "slots"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory
