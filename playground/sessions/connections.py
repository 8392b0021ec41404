"""The open sockets and event streams of this process: how many, whose, and whether they may stay open."""

import asyncio
import contextlib
import logging
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from playground.accounts.sockets import Identity, still_valid
from playground.database import in_database
from playground.sessions.closing import CloseCode, Refused

log = logging.getLogger(__name__)

MOST_OF_A_PERSON = 64
"""Sockets of one person in this process."""
MOST_OF_A_TERMINAL = 16
"""Sockets to one terminal in this process."""
CHECK_SECONDS = 10.0
"""How long a revoked right may still be used."""


@dataclass(eq=False, slots=True)
class Connection:
    """One open socket or stream. `revoked` is set when its person may no longer have it."""

    identity: Identity
    terminal_id: uuid.UUID | None
    revoked: asyncio.Event = field(default_factory=asyncio.Event)


class Connections:
    """All of one event loop; touched by that loop alone."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()
        self._people: Counter[int] = Counter()
        self._terminals: Counter[uuid.UUID] = Counter()
        self._checker: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def admitted(self, identity: Identity, terminal_id: uuid.UUID | None = None) -> AsyncIterator[Connection]:
        """Counts the socket while it is open. Raises Refused when there are too many."""
        if self.is_full(identity):
            raise Refused(CloseCode.TOO_MANY, "You have too many connections open.")
        if terminal_id is not None and self._terminals[terminal_id] >= MOST_OF_A_TERMINAL:
            raise Refused(CloseCode.TOO_MANY, "This terminal has too many connections open.")
        connection = Connection(identity, terminal_id)
        self._count(connection, 1)
        self._open.add(connection)
        if self._checker is None or self._checker.done():
            self._checker = asyncio.create_task(self._check_rights())
        try:
            yield connection
        finally:
            self._open.discard(connection)
            self._count(connection, -1)

    def is_full(self, identity: Identity) -> bool:
        """Whether its person may open no more."""
        return self._people[identity.person_id] >= MOST_OF_A_PERSON

    def _count(self, connection: Connection, step: int) -> None:
        self._people[connection.identity.person_id] += step
        if not self._people[connection.identity.person_id]:
            del self._people[connection.identity.person_id]
        if connection.terminal_id is not None:
            self._terminals[connection.terminal_id] += step
            if not self._terminals[connection.terminal_id]:
                del self._terminals[connection.terminal_id]

    async def _check_rights(self) -> None:
        """Looks all of them up at once, as long as there are any."""
        while self._open:
            await asyncio.sleep(CHECK_SECONDS)
            asked = list(self._open)
            try:
                valid = await in_database(still_valid)(connection.identity for connection in asked)
            except Exception as error:
                # A database that is away for a moment ends nobody's terminal; the next round asks again.
                log.warning("rights of open sockets were not checked: %s", type(error).__name__)
                continue
            for connection in asked:
                if connection.identity not in valid:
                    connection.revoked.set()


connections = Connections()
