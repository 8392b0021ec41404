"""That a worker works and beat asks it to: noted at each sweep, so that `/readyz` can tell."""

from redis.exceptions import RedisError

from playground.valkey import valkey

NAME = "heartbeat:sweep"
SECONDS = 30
"""Sweeps come every 5 s; one may wait for a slow engine."""


async def note() -> None:
    """A sweep has just run. Without Valkey nobody could read it, so that is no failure."""
    try:
        await valkey().set(NAME, 1, ex=SECONDS)
    except (RedisError, OSError):
        return


async def is_fresh() -> bool:
    """Whether a sweep ran lately. Raises RedisError or OSError when Valkey does not answer."""
    return bool(await valkey().exists(NAME))
