"""Waiting until something happens to a session. Events may be lost, so nobody waits for one alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from channels.layers import get_channel_layer

from playground.sessions.events import session_group

SUBSCRIBE_SECONDS = 1.0
LONGEST = 0.5
"""Seconds after which to look again, event or not."""

Changed = Callable[[float], Awaitable[None]]


@asynccontextmanager
async def following(session_id: UUID) -> AsyncIterator[Changed]:
    """Gives `changed(seconds)`: returns at the session's next event, after `seconds`, or after `LONGEST`.

    Look at the session inside the block, before the first call: what happened before is not told.
    """
    layer = get_channel_layer()
    channel: str | None = None
    # Without Valkey the clock alone tells when to look.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(SUBSCRIBE_SECONDS):
            channel = await layer.new_channel() if layer else None
            if layer and channel:
                await layer.group_add(session_group(session_id), channel)

    async def changed(seconds: float) -> None:
        pause = min(seconds, LONGEST)
        try:
            async with asyncio.timeout(pause):
                if layer and channel:
                    await layer.receive(channel)
                else:
                    await asyncio.sleep(LONGEST)
        except TimeoutError:
            return
        except Exception:
            await asyncio.sleep(pause)

    try:
        yield changed
    finally:
        if layer and channel:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(SUBSCRIBE_SECONDS):
                    await layer.group_discard(session_group(session_id), channel)
