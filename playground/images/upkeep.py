"""Keeping the catalogue true: what is missing is prepared, one image at a time; what the engine lost is noticed."""

import structlog
from django.db.models import Q
from django.utils import timezone

from playground.database import in_database
from playground.engine import get_engine
from playground.images import services
from playground.images.models import Image, ImageState
from runtime.errors import RuntimeFailure

log = structlog.get_logger(__name__)


async def look_after() -> None:
    """One round. Does nothing about images while the engine does not answer."""
    engine = get_engine()
    try:
        for slug, reference in await in_database(_ready)():
            if await engine.image(reference) is None:
                log.warning("image_lost", image=slug)
                await in_database(services.lost)(slug)
    except RuntimeFailure as error:
        log.info("images_not_looked_after", error=type(error).__name__)
        return
    await in_database(_want_next)()


def _ready() -> list[tuple[str, str]]:
    return list(Image.objects.filter(state=ImageState.READY).values_list("pk", "reference"))


def _want_next() -> None:
    """Asks for the first image that needs it, unless one is being prepared: building takes all of a small host."""
    services.forget_unwanted()
    lives = Q(heartbeat_at__gte=timezone.now() - services.HEARTBEAT_LOST)
    if Image.objects.filter(lives, state=ImageState.PREPARING).exists():
        return
    for image in Image.objects.filter(enabled=True).exclude(state=ImageState.READY):
        if image.state != ImageState.FAILED or services.retry_due(image):
            services.want(image)
            return
