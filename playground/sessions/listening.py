"""Hearing of events by the channel layer: it says when to look into the history, and may be away at any time."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

LOOK_SECONDS = 10.0
"""How late what happened may be when the channel layer has lost it; also until it is listened to again."""
LISTEN_SECONDS = 3600.0
"""How long memberships in groups are trusted; some channel layers forget them after a day."""


async def listen(once: Callable[[], Awaitable[None]], what: str) -> None:
    """For ever: `once` joins groups and listens. It is called again when it has failed, and after an hour."""
    while True:
        try:
            async with asyncio.timeout(LISTEN_SECONDS):
                await once()
        except Exception as error:
            log.info("channel_layer_not_heard", what=what, error=type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)
