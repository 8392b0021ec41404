"""`manage.py leftovers`: what is on the engine's host, carries our label and belongs to nobody."""

import asyncio
import sys

from django.core.management.base import BaseCommand, CommandError

from playground.engine import close_engine
from playground.sessions.leftovers import Leftover, leftovers
from runtime.errors import RuntimeFailure


class Command(BaseCommand):
    help = (
        "Print what carries this installation's label and belongs to nobody, one line each: kind and name. "
        "Normally nothing; exits with 1 when there is something. The sweep removes it within seconds."
    )

    def handle(self, *_args: object, **_options: object) -> None:
        """Fails when the engine does not answer."""
        try:
            found = asyncio.run(_leftovers())
        except RuntimeFailure as error:
            raise CommandError(f"The engine does not answer: {error}") from error
        for leftover in found:
            self.stdout.write(str(leftover))
        if found:
            sys.exit(1)


async def _leftovers() -> list[Leftover]:
    try:
        return await leftovers()
    finally:
        await close_engine()
