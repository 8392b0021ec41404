"""Requests that wait until their session has started, or won't. One look for all of a process.

The channel layer says who has started, and may lose that or be away, so the database is asked twice a second as well:
by one query, however many wait. A burst of people who wait must not take the CPU that their machines are made with.
"""

import asyncio
import contextlib
from collections.abc import Collection
from uuid import UUID

import structlog

from playground.database import in_database
from playground.sessions.events import STARTS_GROUP
from playground.sessions.listening import hear_group, listening, woken
from playground.sessions.models import Session
from playground.sessions.states import UNSTARTED

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
"""How late a start is noticed that the channel layer has lost."""


class Starts:
    """All who wait on one event loop; touched by that loop alone."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def wait(self, session_id: UUID, seconds: float) -> None:
        """Returns once the session is no longer `pending` or `starting`, or after so many seconds."""
        started = asyncio.Event()
        self._waiting.setdefault(session_id, set()).add(started)
        # It may have started since whoever waits looked.
        self._due.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._serve())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await started.wait()
        finally:
            self._waiting[session_id].discard(started)
            if not self._waiting[session_id]:
                del self._waiting[session_id]

    def _tell(self, session_id: UUID) -> None:
        for started in self._waiting.get(session_id, ()):
            started.set()

    async def _serve(self) -> None:
        """As long as anybody waits."""
        async with listening(lambda: hear_group(STARTS_GROUP, self._tell, self._due.set), "starts"):
            try:
                while self._waiting:
                    await woken(self._due, LOOK_SECONDS)
                    await self._look()
            finally:
                # Whoever comes while the listener ends begins anew.
                self._task = None

    async def _look(self) -> None:
        asked = list(self._waiting)
        try:
            unstarted = await in_database(_unstarted)(asked)
        except Exception as error:
            # A database that is away for a moment fails nobody's request; the next round looks again.
            log.warning("starts_not_read", error=type(error).__name__)
            return
        for session_id in asked:
            if session_id not in unstarted:
                self._tell(session_id)


def _unstarted(session_ids: Collection[UUID]) -> set[UUID]:
    return set(Session.objects.filter(pk__in=session_ids, state__in=UNSTARTED).order_by().values_list("pk", flat=True))


starts = Starts()
