"""What the relay is told by the site about the one session that it serves."""

import asyncio
import time
from uuid import UUID

import structlog

from playground.database import in_database
from playground.engine import get_engine
from playground.sessions.closing import short
from playground.sessions.models import Session
from playground.sessions.services import ACTIVITY_RESOLUTION, note_activity
from playground.sessions.states import SessionState
from runtime.asgi import Message, Send
from runtime.engines.base import Stream
from runtime.terminal.closing import CloseCode
from runtime.terminal.relay import Ending

log = structlog.get_logger(__name__)

EXPLAIN_SECONDS = 3.0
"""The machine is often gone before the database knows why: so long it is asked again."""
_PAUSE = 0.2
PAUSED = "The session is paused. Resume it, and connect again."


class Door:
    """To one machine of one session."""

    def __init__(self, session_id: UUID, machine_id: UUID) -> None:
        self._session_id = session_id
        self._machine_id = machine_id
        self._noted = 0.0
        self._noting: asyncio.Task[None] | None = None

    async def dial(self) -> Stream:
        """A new stream to the machine. Raises RuntimeFailure."""
        return await get_engine().dial(self._machine_id.hex)

    async def explain(self) -> Ending:
        """Why the machine does not answer any more; "come back" while nobody knows."""
        until = time.monotonic() + EXPLAIN_SECONDS
        while (ending := self._end(session := await self._session())) is None:
            if session is not None and session.state == SessionState.PAUSED:
                return Ending(CloseCode.NOT_RUNNING, PAUSED)
            if time.monotonic() > until:
                return Ending(CloseCode.COME_BACK, "The machine can't be reached just now.")
            await asyncio.sleep(_PAUSE)
        return ending

    def truthful(self, send: Send) -> Send:
        """`send`, which closes with the session's end where that is why the terminal's process ended."""

        async def sent(message: Message) -> None:
            done = message["type"] == "websocket.close" and message.get("code") == CloseCode.DONE
            if done and (ending := self._end(await self._session())):
                message = {**message, "code": int(ending.code), "reason": short(ending.words)}
            await send(message)

        return sent

    async def _session(self) -> Session | None:
        try:
            return await in_database(Session.objects.filter(pk=self._session_id).first)()
        except Exception as error:
            log.warning("end_not_explained", error=type(error).__name__)
            return None

    def _end(self, session: Session | None) -> Ending | None:
        if session is None or session.state not in (SessionState.STOPPING, SessionState.ENDED):
            return None
        return Ending(CloseCode.ENDED, session.message or "The session has ended.", session.reason)

    def active(self) -> None:
        """Something was typed: the database hears of it every few seconds at most."""
        now = time.monotonic()
        if now - self._noted < ACTIVITY_RESOLUTION.total_seconds():
            return
        self._noted = now
        self._noting = asyncio.create_task(self._note())

    async def _note(self) -> None:
        try:
            await in_database(note_activity)(self._session_id)
        except Exception as error:
            # A database that is away for a moment must not end a terminal; the next key tries again.
            log.warning("activity_not_noted", error=type(error).__name__)
