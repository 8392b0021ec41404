"""Pulling or building an image: never in a request, at most once at a time, and its progress is seen."""

import asyncio

import structlog

from playground.database import in_database
from playground.engine import get_engine
from playground.images import services
from playground.images.models import Image
from playground.sessions.leases import renewing
from runtime.engines.base import ImageDetails, ProgressCallback
from runtime.errors import EngineUnavailable, ImageUnavailable, RuntimeFailure

log = structlog.get_logger(__name__)

REPORT_SECONDS = 0.5
REGISTRY = "registry"
RECIPE = "recipe"


class _Progress:
    """The latest that the engine said; written to the row at most twice a second."""

    def __init__(self, slug: str, token: int, echo: ProgressCallback | None) -> None:
        self._slug, self._token, self._echo = slug, token, echo
        self._latest: tuple[float | None, str] | None = None

    def __call__(self, share: float | None, message: str) -> None:
        self._latest = (share, message)
        if self._echo is not None:
            self._echo(share, message)

    async def report_for_ever(self) -> None:
        reported: tuple[float | None, str] | None = None
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            if self._latest is not None and self._latest != reported:
                reported = self._latest
                await in_database(services.report)(self._slug, self._token, *reported)


async def prepare(slug: str, echo: ProgressCallback | None = None) -> bool:
    """Makes the image ready, unless it is or somebody else does; answers whether this call did something.

    What goes wrong is written on the row, with words for a person. Repeatable after any crash.
    """
    image = await in_database(services.take)(slug)
    if image is None:
        return False
    token = image.attempts
    progress = _Progress(slug, token, echo)
    reporter = asyncio.create_task(progress.report_for_ever())
    try:
        async with renewing(lambda: in_database(services.beat)(slug, token)):
            details, source = await _fetch(image, progress)
    except EngineUnavailable as error:
        await in_database(services.postponed)(slug, token, str(error))
    except RuntimeFailure as error:
        await in_database(services.failed)(slug, token, str(error))
    except asyncio.CancelledError:
        await in_database(services.postponed)(slug, token, "Interrupted")
        raise
    except Exception:
        await in_database(services.failed)(slug, token, "Something went wrong here; the log says what.")
        raise
    else:
        await in_database(services.ready)(slug, token, details, source)
    finally:
        reporter.cancel()
        await asyncio.gather(reporter, return_exceptions=True)
    return True


async def _fetch(image: Image, progress: ProgressCallback) -> tuple[ImageDetails, str]:
    """From where it is: this host, a registry, or our recipe, in this order."""
    engine = get_engine()
    for reference, source in ((image.registry_reference, REGISTRY), (image.built_reference, RECIPE)):
        present = await engine.image(reference) if reference else None
        if present is not None:
            return present, source
    if image.registry_reference:
        try:
            return await engine.pull(image.registry_reference, progress), REGISTRY
        except ImageUnavailable:
            if not image.recipe:
                raise
            log.info("image_not_pulled", image=image.pk)
    return await engine.build(image.recipe, image.built_reference, progress), RECIPE
