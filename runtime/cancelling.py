"""What goes on whether or not anybody waits for it: a thread, or what an engine was asked, can't be cancelled."""

import asyncio
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(work: "asyncio.Future[T]") -> T:
    """Its result. Whoever is cancelled meanwhile waits until it is done, and is cancelled then."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        raise
