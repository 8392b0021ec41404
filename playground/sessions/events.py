"""What happens, as typed messages to everybody who watches.

Best effort: a message may be lost, so each holds the whole new state, and readers ask for a snapshot first. `sequence`
grows with every change of one session: a reader that has seen a later one drops the message.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, TypedDict
from uuid import UUID

import structlog
from channels.layers import get_channel_layer
from django.db import transaction

from playground import background
from playground.sessions.models import Event, Session
from playground.sessions.public import PublicImage, PublicSession, public_session

log = structlog.get_logger(__name__)

SEND_SECONDS = 2.0
QUEUE_LENGTH = 1000


class SessionChanged(TypedDict):
    type: Literal["session.changed"]
    sequence: int
    kind: str
    """What happened, as in the session's history."""
    data: dict[str, object]
    """More about it, by kind."""
    session: PublicSession


class SessionEnded(TypedDict):
    type: Literal["session.ended"]
    sequence: int
    kind: str
    data: dict[str, object]
    session: PublicSession


class ImageChanged(TypedDict):
    type: Literal["image.changed"]
    image: PublicImage


SiteEvent = SessionChanged | SessionEnded | ImageChanged


class EventMessage(TypedDict):
    """What a channel layer consumer receives: its method `site_event` is called with it."""

    type: Literal["site.event"]
    event: SiteEvent


IMAGES_GROUP = "images"
NEWS_GROUP = "news"
"""The group that hears of what open terminals are told; every web process is in it."""
STARTS_GROUP = "starts"
"""The group that hears of sessions that have started, or won't."""


def _watchers(change: str, data: Mapping[str, Any]) -> dict[str, object]:
    return {"type": "watchers", "change": change, **data}


NEWS: dict[str, Callable[[Mapping[str, Any]], dict[str, object] | None]] = {
    "paused": lambda data: {"type": "paused", **data},
    "running": lambda data: {"type": "resumed"} if data.get("resumed") else None,
    "expiring": lambda data: {"type": "expiring", **data},
    "kept": lambda data: {"type": "kept", **data},
    "extended": lambda data: {"type": "kept", "reason": "expired", "at": data["expires_at"]},
    "warning": lambda data: {"type": "warning", **data},
    "recording_stopped": lambda _: {"type": "recording_stopped"},
    **{f"guest_{change}": partial(_watchers, change) for change in ("joined", "asks", "role", "left", "removed")},
}
"""Kinds of events that open terminals are told of by a NOTICE, and what it says. `warning` is of a limit that is nearly
reached, or was: its data hold `subject` (e.g. `disk`), `message`, and whatever else a program may want to know."""


def owner_group(owner_id: int) -> str:
    """The group that hears of all sessions of one person."""
    return f"owner.{owner_id}"


def session_group(session_id: UUID) -> str:
    """The group that hears of one session."""
    return f"session.{session_id.hex}"


def record(session: Session, kind: str, data: dict[str, object] | None = None, *, silent: bool = False) -> None:
    """Writes one line of the session's history and, once that is committed, tells everybody who watches.

    Call it inside the transaction that makes the change. `session` is what is told: it must be up to date. `silent`
    where the next change follows at once.
    """
    sequence = Event.objects.create(session=session, kind=kind, data=data or {}).pk
    if not silent:
        transaction.on_commit(lambda: announce(session, kind, sequence, data), robust=True)


def announce(session: Session, kind: str, sequence: int, data: dict[str, object] | None = None) -> None:
    """Publishes the session as it is now to its owner and to who follows its history."""
    public, said = public_session(session), data or {}
    event: SessionChanged | SessionEnded
    if session.state == "ended":
        event = {"type": "session.ended", "sequence": sequence, "kind": kind, "data": said, "session": public}
    else:
        event = {"type": "session.changed", "sequence": sequence, "kind": kind, "data": said, "session": public}
    publish(event, owner_group(session.owner_id), *_also_told(session.pk, kind, said))


def _also_told(session_id: UUID, kind: str, data: Mapping[str, object]) -> list[str]:
    if kind == "queued":
        # Nothing of its history, and told to everybody who waits, again and again.
        return []
    groups = [session_group(session_id)]
    if kind == "stopping" or (kind == "running" and not data.get("resumed")):
        groups.append(STARTS_GROUP)
    elif kind in NEWS:
        groups.append(NEWS_GROUP)
    return groups


def publish(event: SiteEvent, *groups: str) -> None:
    """Hands the event to the background loop, which sends it in order. Never waits, never fails."""
    background.loop().call_soon_threadsafe(_publisher.put, event, groups)


class _Publisher:
    """One queue and one sender per process: events of one process keep their order. Touched by the loop alone."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[SiteEvent, tuple[str, ...]]] | None = None
        self._sender: asyncio.Task[None] | None = None
        self._failing = False

    def put(self, event: SiteEvent, groups: tuple[str, ...]) -> None:
        if self._queue is None:
            self._queue = asyncio.Queue(QUEUE_LENGTH)
            self._sender = asyncio.get_running_loop().create_task(self._send_all(self._queue))
        if self._queue.full():
            # Readers take a snapshot when they come back, so the oldest news is what is missed least.
            self._queue.get_nowait()
        self._queue.put_nowait((event, groups))

    async def _send_all(self, queue: asyncio.Queue[tuple[SiteEvent, tuple[str, ...]]]) -> None:
        while True:
            event, groups = await queue.get()
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send(event, groups)
                self._failing = False
            except Exception as error:
                # Whatever is wrong with the broker, the next event may get through. Said once, not a thousand times.
                if not self._failing:
                    log.warning("events_not_published", error=type(error).__name__)
                self._failing = True

    async def _send(self, event: SiteEvent, groups: tuple[str, ...]) -> None:
        layer = get_channel_layer()
        if layer is None:
            return
        message: EventMessage = {"type": "site.event", "event": event}
        for group in groups:
            await layer.group_send(group, message)


_publisher = _Publisher()
