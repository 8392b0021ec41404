"""Streams that follow the histories of sessions: who is to look again, and when. One of it for each process.

The history is what counts, and each stream reads it where it is. The channel layer only says when to look, and as it
may lose that, the last event of all followed sessions is asked for every few seconds: one query for all streams.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import structlog
from channels.layers import get_channel_layer
from django.db.models import Max

from playground.database import in_database
from playground.sessions.events import session_group
from playground.sessions.listening import LOOK_SECONDS, listening, woken
from playground.sessions.models import Event

log = structlog.get_logger(__name__)

LAYER_SECONDS = 2.0


class Tail:
    """One stream."""

    def __init__(self, session_id: UUID, seen: int) -> None:
        self.session_id = session_id
        self.seen = seen
        """The last event that was read; whoever reads says so."""
        self.woken = asyncio.Event()
        """There may be more."""


class Tails:
    """All streams of one event loop; touched by that loop alone."""

    def __init__(self) -> None:
        self._open: dict[UUID, set[Tail]] = {}
        self._layer: Any = None
        self._channel: str | None = None
        """Where the layer tells us; None: it does not, just now."""
        self._changing = asyncio.Lock()
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def followed(self, session_id: UUID, seen: int) -> AsyncIterator[Tail]:
        """A stream that is woken whenever the session may have events after those that it has read."""
        tail = Tail(session_id, seen)
        self._open.setdefault(session_id, set()).add(tail)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._serve())
        try:
            await self._join_or_leave(session_id)
            yield tail
        finally:
            self._open[session_id].discard(tail)
            if not self._open[session_id]:
                del self._open[session_id]
                await self._join_or_leave(session_id)

    async def _join_or_leave(self, session_id: UUID) -> None:
        """The session's group, as it is followed or not. Where that fails, the clock alone tells when to look."""
        # One at a time: whoever is last does what holds then.
        async with self._changing:
            if self._channel is None:
                return
            change = self._layer.group_add if session_id in self._open else self._layer.group_discard
            with contextlib.suppress(Exception):
                async with asyncio.timeout(LAYER_SECONDS):
                    await change(session_group(session_id), self._channel)

    def _wake(self, session_id: UUID, sequence: int) -> None:
        for tail in self._open.get(session_id, ()):
            if sequence > tail.seen:
                tail.woken.set()

    async def _serve(self) -> None:
        """As long as there is any."""
        while self._open:
            async with listening(self._listen_once, "histories"):
                while self._open:
                    await woken(self._due, LOOK_SECONDS)
                    await self._look()

    async def _look(self) -> None:
        try:
            latest = await in_database(_latest)(list(self._open))
        except Exception as error:
            # A database that is away for a moment ends nobody's stream; the next round looks again.
            log.warning("histories_not_read", error=type(error).__name__)
            return
        for session_id, tails in self._open.items():
            # Without any event the session itself is gone, and its streams are to notice.
            last = latest.get(session_id)
            for tail in tails:
                if last is None or last > tail.seen:
                    tail.woken.set()

    async def _listen_once(self) -> None:
        layer = get_channel_layer()
        if layer is None:
            return
        channel = await layer.new_channel()
        self._layer, self._channel = layer, channel
        try:
            for session_id in list(self._open):
                await layer.group_add(session_group(session_id), channel)
            # What happened before is not told.
            self._due.set()
            while True:
                message = await layer.receive(channel)
                self._wake(UUID(message["event"]["session"]["id"]), message["event"]["sequence"])
        finally:
            self._channel = None
            for session_id in list(self._open):
                with contextlib.suppress(Exception):
                    await layer.group_discard(session_group(session_id), channel)


def _latest(session_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = Event.objects.filter(session_id__in=session_ids).order_by().values("session_id").annotate(last=Max("pk"))
    return {row["session_id"]: row["last"] for row in rows}


tails = Tails()
