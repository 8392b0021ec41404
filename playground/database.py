"""Calling synchronous services, which use the ORM, from coroutines."""

import asyncio
import contextvars
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import connections

from runtime.cancelling import to_its_end

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 4
"""In a process. Enough that readers do not wait for a writer; each keeps a connection, and more would contend."""
TRUSTED_SECONDS = 2.0
"""A connection that was used so lately is taken to be there still."""

MAKING_THREADS = 2
"""For long transactions that many ask for at once. They would only wait for each other, in front of all reads."""

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")
_making_threads = ThreadPoolExecutor(MAKING_THREADS, thread_name_prefix="making")
_used = threading.local()


def in_database(function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """`function` in one of the threads that use the database; a connection that has died is replaced first.

    The threads and their connections live as long as the process: opening one for each request took longer than all
    that most requests ask of it. Whoever is cancelled waits until what has begun is done.
    """
    return _in_threads(_threads, function)


def making_in_database(function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """`in_database` for what makes sessions: first come, first served, and a burst of it is in nobody's way."""
    return _in_threads(_making_threads, function)


def _in_threads(threads: ThreadPoolExecutor, function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        work = partial(contextvars.copy_context().run, _call, partial(function, *args, **kwargs))
        return await to_its_end(asyncio.get_running_loop().run_in_executor(threads, work))

    return call


def _call(work: Callable[[], T]) -> T:
    _drop_dead_connections()
    try:
        return work()
    finally:
        _used.at = time.monotonic()


def _drop_dead_connections() -> None:
    rested = time.monotonic() - getattr(_used, "at", 0.0) > TRUSTED_SECONDS
    for connection in connections.all(initialized_only=True):
        # Not `close_old_connections`: that would open a new connection for each call.
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
        elif rested:
            connection.health_check_done = False  # type: ignore[attr-defined]  # Django's stubs lack it
            connection.close_if_health_check_failed()


def close_connections() -> None:
    """Closes the threads' connections; the next call opens new ones. For who is about to drop the database."""
    together = threading.Barrier(THREADS + MAKING_THREADS)

    def close() -> None:
        # Each thread waits for the others, so that each closes its own.
        together.wait(timeout=30)
        connections.close_all()

    pools = [_threads] * THREADS + [_making_threads] * MAKING_THREADS
    wait([threads.submit(close) for threads in pools])
