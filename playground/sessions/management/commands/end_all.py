"""`manage.py end_all`: ends all sessions and removes all machines of this installation."""

import asyncio

from django.core.management.base import BaseCommand, CommandError

from playground.engine import close_engine
from playground.sessions import shutdown
from runtime.errors import EngineUnavailable


class Command(BaseCommand):
    help = "End every session and remove every machine of this installation, the pools' as well."

    def handle(self, *_args: object, **_options: object) -> None:
        """Fails when the engine does not answer."""
        try:
            sessions, machines = asyncio.run(_end_all())
        except EngineUnavailable as error:
            raise CommandError(f"The engine does not answer: {error}") from error
        self.stdout.write(f"{sessions} sessions ended, {machines} machines removed")


async def _end_all() -> tuple[int, int]:
    try:
        return await shutdown.end_all()
    finally:
        await close_engine()
