"""What a worker looks at by itself, without being asked.

The engine's events, so that the end of a machine is noticed at once; they are a hint, the sweep finds what is missed.
And whether anybody sweeps: beat asks for it, but a dead beat must not let anything live on.
"""

import asyncio

import structlog

from playground import background, heartbeat
from playground.database import in_database
from playground.engine import close_engine, get_engine
from playground.sessions import reconcile, sampling
from playground.sessions.reconcile import check_machine
from runtime.errors import RuntimeFailure

log = structlog.get_logger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
DUE_SECONDS = 2.0
"""How often to look whether a sweep is due."""


async def watch() -> None:
    """Looks at every machine that the engine speaks of, for ever."""
    pause = FIRST_PAUSE
    while True:
        try:
            async for machine_id in get_engine().events():
                pause = FIRST_PAUSE
                await check_machine(machine_id)
        except RuntimeFailure as error:
            log.info("engine_not_watched", error=type(error).__name__)
        except Exception:
            # Without this the worker would be deaf until it restarts.
            log.exception("engine_watch_failed")
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def sweep_when_due() -> None:
    """Sweeps and samples whenever nobody has for a while, for ever: at the start, and while beat or broker is dead."""
    while True:
        try:
            if await in_database(reconcile.is_due)() and await reconcile.sweep():
                await heartbeat.note()
                await sampling.sample()
        except Exception as error:
            # The database is away, or we are wrong: either way the next look may find it well.
            log.warning("sweep_failed", error=type(error).__name__)
        await asyncio.sleep(DUE_SECONDS)


class Watcher:
    """What a worker process does by itself, asked by nobody."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins on the background loop."""
        background.submit(self._start())

    def stop(self) -> None:
        """Stops and gives back the engine's connections."""
        background.run(self._stop(), timeout=10)

    async def _start(self) -> None:
        self._tasks = [asyncio.create_task(watch()), asyncio.create_task(sweep_when_due())]

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await close_engine()


watcher = Watcher()
