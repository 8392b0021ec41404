"""The connection to Valkey from coroutines: rate limits, tickets. It may be dead at any time."""

import asyncio
from weakref import WeakKeyDictionary

from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

TIMEOUT = 0.5
"""Seconds. It is on this host or beside it; whoever waits longer waits for something dead."""

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()


def valkey() -> Redis:
    """This event loop's client. Commands raise redis.exceptions.RedisError (or OSError) after at most TIMEOUT."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        client = Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            # One try again: the connection in the pool may be of a Valkey that was restarted.
            retry=Retry(NoBackoff(), 1),
        )
        _clients[loop] = client
    return client


async def close_valkey() -> None:
    """Gives back this event loop's connections."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()
