"""What the worker does for the catalogue."""

from celery import shared_task

from playground import background
from playground.images import preparing, upkeep

PREPARE_SECONDS = 3600.0


@shared_task
def prepare_image(slug: str) -> None:
    """Pull or build one image."""
    background.run(preparing.prepare(slug), PREPARE_SECONDS)


@shared_task
def look_after_images() -> None:
    """Ask for what is missing, and notice what the engine has lost."""
    background.run(upkeep.look_after(), 60)
