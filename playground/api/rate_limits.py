"""How many requests one person may make. Counted in Valkey for all processes; in this process while Valkey is dead."""

import logging
import time
from collections import Counter
from dataclasses import dataclass

from redis.exceptions import RedisError

from playground.valkey import valkey

log = logging.getLogger(__name__)

WINDOW = 60
"""Seconds."""
PERSON_LIMIT = 1200
"""Requests in a window of one person with all their programs."""
STRANGER_LIMIT = 6000
"""Requests in a window that one address makes without proving who it is: a whole class may sit behind it, and keys
can't be guessed, so this only bounds load."""
_VALKEY_REST = 5.0
"""Seconds for which a dead Valkey is not asked again, so that requests do not wait for it."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit. `reset` is in seconds."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool

    def headers(self) -> dict[str, str]:
        """`RateLimit-*`, as programs know them."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class _Local:
    """The counters of this process, for one window at a time."""

    def __init__(self) -> None:
        self._window = 0
        self._counts: Counter[str] = Counter()
        self.ask_valkey_from = 0.0

    def add(self, subject: str, window: int) -> int:
        if window != self._window:
            self._window = window
            self._counts.clear()
        self._counts[subject] += 1
        return self._counts[subject]


_local = _Local()


async def take(subject: str, limit: int) -> Allowance:
    """Counts one request of the subject. Never fails: a dead Valkey means that each process counts for itself."""
    now = time.time()
    window = int(now // WINDOW)
    used = await _count(subject, window)
    reset = max(1, round((window + 1) * WINDOW - now))
    return Allowance(limit, max(0, limit - used), reset, used > limit)


async def _count(subject: str, window: int) -> int:
    if time.monotonic() < _local.ask_valkey_from:
        return _local.add(subject, window)
    name = f"rate:{subject}:{window}"
    try:
        async with valkey().pipeline(transaction=False) as pipe:
            pipe.incr(name)
            pipe.expire(name, 2 * WINDOW)
            used, _ = await pipe.execute()
    except (RedisError, OSError) as error:
        log.warning("rate limits are counted in this process alone: %s", type(error).__name__)
        _local.ask_valkey_from = time.monotonic() + _VALKEY_REST
        return _local.add(subject, window)
    return int(used)
