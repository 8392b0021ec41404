"""`manage.py prepare_image SLUG`: pulls or builds one image here and now, and shows how far it is."""

import asyncio
import time
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from playground.database import in_database
from playground.engine import close_engine
from playground.images import preparing
from playground.images.models import Image, ImageState

SLEEP_SECONDS = 0.5


class Command(BaseCommand):
    help = "Pull or build an image of the catalogue in the foreground. Waits for a worker that does it already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """SLUG."""
        parser.add_argument("slug", help="as the catalogue calls it, e.g. busybox")
        parser.add_argument("--timeout", type=float, default=3600.0, help="seconds; 3600 by default")

    def handle(self, *_args: object, slug: str, timeout: float, **_options: object) -> None:
        """Fails, with what went wrong, when the image is not ready in the end."""
        if not Image.objects.filter(pk=slug).exists():
            raise CommandError(f"There is no image {slug!r} in the catalogue")
        Image.objects.filter(pk=slug, state=ImageState.FAILED).update(state=ImageState.ABSENT)
        image = asyncio.run(self._prepare(slug, time.monotonic() + timeout))
        if image.state != ImageState.READY:
            raise CommandError(f"{slug}: {image.message or image.state}")
        self.stdout.write(f"{slug}: ready, {image.size_bytes or 0:,} bytes, from the {image.source}")

    async def _prepare(self, slug: str, until: float) -> Image:
        try:
            while True:
                await preparing.prepare(slug, self._show)
                image = await in_database(Image.objects.get)(pk=slug)
                if image.state != ImageState.PREPARING or time.monotonic() > until:
                    return image
                self._show(image.progress, image.message)
                await asyncio.sleep(SLEEP_SECONDS)
        finally:
            await close_engine()

    _shown = ""

    def _show(self, share: float | None, message: str) -> None:
        line = message if share is None else f"{share:4.0%} {message}"
        if line != self._shown:
            self._shown = line
            self.stdout.write(line)
            self.stdout.flush()
