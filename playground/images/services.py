"""Writes to the catalogue."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from playground.images.models import Image, ImageState
from playground.sessions import events, queue
from playground.sessions.ending import stop
from playground.sessions.events import IMAGES_GROUP, publish
from playground.sessions.models import PlannedMachine, Session
from playground.sessions.public import public_image
from playground.sessions.states import UNSTARTED, Reason
from runtime.engines.base import ImageDetails

HEARTBEAT_LOST = timedelta(seconds=15)
"""A worker that said nothing for so long is dead, and another one takes over."""


def move(slug: str, target: ImageState, *, where: Q | None = None, **changes: object) -> Image | None:
    """Compare-and-set: moves an image on if `where` holds, and tells who watches. None: it did not hold."""
    rows = Image.objects.filter(where or Q(), pk=slug).update(state=target, state_changed_at=timezone.now(), **changes)
    if rows == 0:
        return None
    image = Image.objects.get(pk=slug)
    announce(image)
    return image


def announce(image: Image) -> None:
    """Tells everybody who watches the catalogue, once this is committed."""
    public = public_image(image)
    transaction.on_commit(lambda: publish({"type": "image.changed", "image": public}, IMAGES_GROUP), robust=True)


def want(image: Image) -> None:
    """Asks a worker to prepare it, unless it is ready or one lives that does."""
    busy = Q(state=ImageState.READY) | Q(state=ImageState.PREPARING, heartbeat_at__gte=timezone.now() - HEARTBEAT_LOST)
    if not Image.objects.filter(busy, pk=image.pk).exists():
        transaction.on_commit(lambda: queue.prepare_image(image.pk), robust=True)


def retry_due(image: Image) -> bool:
    """Whether a failed image may be tried again by itself: at first soon, later once an hour."""
    wait = min(timedelta(seconds=30) * 2 ** min(image.attempts, 10), timedelta(hours=1))
    return image.state == ImageState.FAILED and image.state_changed_at < timezone.now() - wait


def retry(image: Image) -> None:
    """Tries a failed image again at once, because somebody asks for it."""
    move(image.pk, ImageState.ABSENT, where=Q(state=ImageState.FAILED), attempts=0, message="")
    want(image)


def take(slug: str) -> Image | None:
    """Takes it for this worker, which then has the row's `attempts` as its token. None: it is ready, or not free."""
    now = timezone.now()
    with transaction.atomic():
        image = Image.objects.select_for_update().filter(pk=slug, enabled=True).first()
        if image is None or not _free(image):
            return None
        return move(
            slug,
            ImageState.PREPARING,
            where=Q(attempts=image.attempts, state=image.state),
            attempts=image.attempts + 1,
            heartbeat_at=now,
            progress=None,
            message="Looking for it",
        )


def _free(image: Image) -> bool:
    match ImageState(image.state):
        case ImageState.READY:
            return False
        case ImageState.ABSENT:
            return True
        case ImageState.FAILED:
            return retry_due(image)
        case ImageState.PREPARING:
            return image.heartbeat_at is None or image.heartbeat_at < timezone.now() - HEARTBEAT_LOST


def _held(token: int) -> Q:
    return Q(state=ImageState.PREPARING, attempts=token)


def beat(slug: str, token: int) -> None:
    """The worker that prepares it lives."""
    Image.objects.filter(_held(token), pk=slug).update(heartbeat_at=timezone.now())


def report(slug: str, token: int, progress: float | None, message: str) -> None:
    """How far it is, for everybody who watches."""
    changes = {"progress": progress, "message": message[:500], "heartbeat_at": timezone.now()}
    if Image.objects.filter(_held(token), pk=slug).update(**changes):
        image = Image.objects.get(pk=slug)
        announce(image)
        tell_waiting(image)


def ready(slug: str, token: int, details: ImageDetails, source: str) -> None:
    """It is on the host: sessions that waited for it start, and its pool is filled."""
    with transaction.atomic():
        image = move(
            slug,
            ImageState.READY,
            where=_held(token),
            attempts=0,
            progress=None,
            message="",
            source=source,
            reference=details.reference,
            digest=details.digest,
            size_bytes=details.size_bytes,
            layers=[
                {"digest": layer.digest, "size_bytes": layer.size_bytes, "created_by": layer.created_by}
                for layer in details.layers
            ],
        )
        if image is not None:
            waiting = list(_waiting(image).values_list("pk", flat=True))
            transaction.on_commit(lambda: _go_on(slug, waiting), robust=True)


def _go_on(slug: str, waiting: list[UUID]) -> None:
    for session_id in waiting:
        queue.provision(session_id)
    queue.refill(slug)


def failed(slug: str, token: int, message: str) -> None:
    """It could not be prepared. It is tried again by itself later; sessions that waited for it end."""
    with transaction.atomic():
        image = move(slug, ImageState.FAILED, where=_held(token), progress=None, message=message)
        if image is not None:
            for session_id in _waiting(image).values_list("pk", flat=True):
                stop(session_id, Reason.FAILED, f"The image could not be prepared: {message}")


def postponed(slug: str, token: int, message: str) -> None:
    """The engine is not there: nothing was tried, so nothing has failed. Sessions go on waiting."""
    move(slug, ImageState.ABSENT, where=_held(token), progress=None, message=message)


def forget_unwanted() -> None:
    """An image that nobody may start any more, and whose worker died over it, is not being prepared by anybody."""
    dead = Q(state=ImageState.PREPARING, enabled=False, heartbeat_at__lt=timezone.now() - HEARTBEAT_LOST)
    for slug in Image.objects.filter(dead).values_list("pk", flat=True):
        move(slug, ImageState.ABSENT, where=dead, progress=None, message="")


def lost(slug: str) -> None:
    """The engine has a ready image no longer: it is prepared again."""
    image = move(slug, ImageState.ABSENT, where=Q(state=ImageState.READY), digest="", attempts=0)
    if image is not None:
        want(image)


def tell_waiting(image: Image) -> None:
    """Lets the sessions that wait for it say how far it is."""
    share = "" if image.progress is None else f" {image.progress:.0%}"
    message = f"Preparing the image{share}: {image.message}" if image.message else f"Preparing the image{share}"
    for session in _waiting(image).exclude(message=message).prefetch_related("machines__terminals", "events"):
        if Session.objects.filter(pk=session.pk, state=session.state).update(message=message):
            session.message = message
            last = max((event.pk for event in session.events.all()), default=0)
            transaction.on_commit(partial(events.announce, session, "waiting", last), robust=True)


def _waiting(image: Image) -> QuerySet[Session]:
    beside = PlannedMachine.objects.filter(image=image).values("session_id")
    unstarted = Session.objects.filter(state__in=UNSTARTED)
    return unstarted.filter(Q(image=image) | Q(pk__in=beside))
