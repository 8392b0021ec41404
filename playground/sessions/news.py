"""What open terminals are told about their session: paused, about to end, a limit reached. Nothing per byte.

The history of events is what counts. The channel layer only says when to look there, and as it may lose that, each
process looks every few seconds anyway: one query for all of its open terminals.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Set
from uuid import UUID

import structlog
from django.db.models import Max

from playground.database import in_database
from playground.sessions.events import NEWS, NEWS_GROUP
from playground.sessions.listening import LOOK_SECONDS, hear_group, listening, woken
from playground.sessions.models import Event
from runtime.asgi import Message, Send
from runtime.terminal.messages import notice

log = structlog.get_logger(__name__)

MOST_WAITING = 16
"""Notices for one socket that reads nothing; older ones are dropped."""


def last_event(session_id: UUID) -> int:
    """The number of the session's last event so far; 0: it has none."""
    return Event.objects.filter(session_id=session_id).aggregate(last=Max("pk"))["last"] or 0


class Follower:
    """One open terminal, and what it has not been told yet."""

    def __init__(self, session_id: UUID, seen: int, deaf_to: Set[str] = frozenset()) -> None:
        self.session_id = session_id
        self.seen = seen
        """The last event that it knows."""
        self._deaf_to = deaf_to
        self._notices: asyncio.Queue[dict[str, object]] = asyncio.Queue(MOST_WAITING)
        self._greeted = asyncio.Event()

    def tell(self, told: Mapping[str, object]) -> None:
        """Never waits: a client that reads nothing must not grow us. What it is deaf to is dropped."""
        if told["type"] in self._deaf_to:
            return
        if self._notices.full():
            self._notices.get_nowait()
        self._notices.put_nowait(dict(told))

    def after_greeting(self, send: Send) -> Send:
        """`send`, which notes that HELLO went out: a notice before it would break the protocol."""

        async def sent(message: Message) -> None:
            await send(message)
            self._greeted.set()

        return sent

    async def deliver(self, send: Send) -> None:
        """Sends what there is to tell, for ever; returns when the client is gone."""
        await self._greeted.wait()
        while True:
            told = await self._notices.get()
            try:
                await send({"type": "websocket.send", "bytes": notice(str(told.pop("type")), **told)})
            except (OSError, RuntimeError):
                return


class News:
    """All followers of one event loop; touched by that loop alone."""

    def __init__(self) -> None:
        self._followers: set[Follower] = set()
        self._changed: set[UUID] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def followed(
        self, session_id: UUID, seen: int, *, deaf_to: Set[str] = frozenset()
    ) -> AsyncIterator[Follower]:
        """Somebody who hears of every event of the session after `seen` that is news, but of none of those types."""
        follower = Follower(session_id, seen, deaf_to)
        self._followers.add(follower)
        # What happened since `seen` was read is looked for at once.
        self._hear(session_id)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._serve())
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    def _hear(self, session_id: UUID) -> None:
        self._changed.add(session_id)
        self._wake.set()

    async def _serve(self) -> None:
        """As long as there is anybody."""
        async with listening(lambda: hear_group(NEWS_GROUP, self._hear), "news"):
            try:
                await self._serve_followers()
            finally:
                # Whoever comes while the listener ends begins anew.
                self._task = None

    async def _serve_followers(self) -> None:
        look_at = time.monotonic()
        while self._followers:
            await woken(self._wake, max(0, look_at - time.monotonic()))
            changed, self._changed = self._changed, set()
            asked = {follower for follower in self._followers if follower.session_id in changed}
            if time.monotonic() >= look_at:
                asked, look_at = set(self._followers), time.monotonic() + LOOK_SECONDS
            if asked:
                await self._look(asked)

    async def _look(self, followers: set[Follower]) -> None:
        """Tells them what they have not heard of yet."""
        since = {follower.session_id: follower.seen for follower in followers}
        for follower in followers:
            since[follower.session_id] = min(since[follower.session_id], follower.seen)
        try:
            events = await in_database(_news_since)(since)
        except Exception as error:
            # A database that is away for a moment ends nobody's terminal; the next round looks again.
            log.warning("news_not_read", error=type(error).__name__)
            return
        for event in events:
            for follower in followers:
                if follower.session_id == event.session_id and follower.seen < event.pk:
                    follower.seen = event.pk
                    if (told := NEWS[event.kind](event.data)) is not None:
                        follower.tell(told)


def _news_since(since: Mapping[UUID, int]) -> list[Event]:
    """Of these sessions, after each one's last seen event, oldest first."""
    events = Event.objects.filter(session_id__in=since, pk__gt=min(since.values()), kind__in=NEWS)
    return [event for event in events.order_by("pk") if event.pk > since[event.session_id]]


news = News()
