"""One event loop in a thread of its own, for what synchronous code must not wait for or can't own.

The worker's engine client and its tasks' coroutines live here, and so do the events that every process publishes.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class _Background:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="background-loop", daemon=True).start()
            return self._loop


_background = _Background()


def loop() -> asyncio.AbstractEventLoop:
    """The loop, started on first use. It lives as long as the process."""
    return _background.loop()


def submit(coroutine: Coroutine[object, object, T]) -> Future[T]:
    """Starts the coroutine on the background loop; the caller may wait for the future or forget it."""
    return asyncio.run_coroutine_threadsafe(coroutine, _background.loop())


def run(coroutine: Coroutine[object, object, T], timeout: float) -> T:
    """Runs the coroutine on the background loop and waits. Raises TimeoutError after `timeout` seconds.

    It is cancelled then. Never call it from an event loop: it blocks.
    """
    future = submit(coroutine)
    try:
        return future.result(timeout)
    except TimeoutError:
        future.cancel()
        raise
