"""Waiting for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

WITHIN = 60.0


async def until(
    condition: Callable[[], Awaitable[bool]], what: str, within: float = WITHIN, every: float = 0.02
) -> None:
    """Returns as soon as `condition` holds; fails the test when it does not within so many seconds.

    It is looked at again after `every` seconds.
    """
    try:
        async with asyncio.timeout(within):
            while not await condition():
                await asyncio.sleep(every)
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {what}") from None


def wait(condition: Callable[[], bool], what: str, within: float = WITHIN, every: float = 0.02) -> None:
    """`until` for what does not await: blocks, and looks again after `every` seconds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within} s: {what}"
        time.sleep(every)
