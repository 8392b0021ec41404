"""Hearing of events by the channel layer: it says when to look into the history, and may be away at any time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import structlog
from channels.layers import get_channel_layer

log = structlog.get_logger(__name__)

LOOK_SECONDS = 10.0
"""How late what happened may be when the channel layer has lost it; also until it is listened to again."""
LISTEN_SECONDS = 3600.0
"""How long memberships in groups are trusted; some channel layers forget them after a day."""


@contextlib.asynccontextmanager
async def listening(once: Callable[[], Awaitable[None]], what: str) -> AsyncIterator[None]:
    """Meanwhile `once` joins groups and listens: again when it has failed, and after an hour."""
    listener = asyncio.create_task(_listen(once, what))
    try:
        yield
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def hear_group(group: str, told: Callable[[UUID], None], joined: Callable[[], None] | None = None) -> None:
    """Calls `told` with the session of each event that is sent to the group, until the layer fails.

    `joined` is called before that, when events are heard: those that came earlier are not told.
    """
    layer = get_channel_layer()
    if layer is None:
        return
    channel = await layer.new_channel()
    try:
        await layer.group_add(group, channel)
        if joined is not None:
            joined()
        while True:
            message = await layer.receive(channel)
            told(UUID(message["event"]["session"]["id"]))
    finally:
        with contextlib.suppress(Exception):
            await layer.group_discard(group, channel)


async def woken(event: asyncio.Event, seconds: float) -> None:
    """Returns when the event is set, or after so many seconds; it is clear then."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()


async def _listen(once: Callable[[], Awaitable[None]], what: str) -> None:
    while True:
        try:
            async with asyncio.timeout(LISTEN_SECONDS):
                await once()
        except Exception as error:
            log.info("channel_layer_not_heard", what=what, error=type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)
