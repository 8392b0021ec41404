"""`manage.py record`: records the terminals of sessions that are to be recorded, until SIGTERM or SIGINT."""

import asyncio
import contextlib
import signal

from django.core.management.base import BaseCommand

from playground.engine import close_engine
from playground.recordings.recorder import Recorder


class Command(BaseCommand):
    help = "Record the terminals of sessions that are to be recorded."

    def handle(self, *_args: object, **_options: object) -> None:
        """Ends at a signal, with nothing lost: the next one goes on."""
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(_record())


async def _record() -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await Recorder().run()
    finally:
        await close_engine()
