"""The guests' open sockets of this process: how many, whose, and whether they may stay open."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass, field
from uuid import UUID

from playground.database import in_database
from playground.sessions.closing import CloseCode, Refused, short
from playground.sharing import limits, services
from playground.sharing.models import Role
from playground.sharing.standing import standings

log = logging.getLogger(__name__)

MAY_TYPE = "You may type now."
MAY_WATCH = "You only watch now."
TOO_MANY = "Too many of this session's guests are connected."


@dataclass(eq=False, slots=True)
class Place:
    """One open socket of a guest, as what they were when it was opened."""

    guest_id: UUID
    session_id: UUID
    terminal_id: UUID
    role: Role
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it must close; `why` says with what."""
    why: Refused | None = None


class Presence:
    """All of one event loop; touched by that loop alone."""

    def __init__(self) -> None:
        self._open: set[Place] = set()
        self._counts: Counter[Hashable] = Counter()
        self._checker: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def admitted(self, place: Place) -> AsyncIterator[None]:
        """Counts the socket, and looks after its guest's rights, while it is open. Raises Refused at a limit."""
        most: dict[Hashable, int] = {
            place.guest_id: limits.SOCKETS_OF_A_GUEST,
            place.session_id: limits.SOCKETS_OF_A_SESSION,
        }
        if place.role == Role.HELPER:
            most[place.terminal_id] = limits.HELPERS_OF_A_TERMINAL
        if any(self._counts[counted] >= limit for counted, limit in most.items()):
            raise Refused(CloseCode.TOO_MANY, TOO_MANY)
        self._counts.update(most.keys())
        self._open.add(place)
        if self._checker is None or self._checker.done():
            self._checker = asyncio.create_task(self._check())
        try:
            yield
        finally:
            self._open.discard(place)
            self._counts.subtract(most.keys())
            self._counts += Counter()
            await self._note_gone(place)

    async def _check(self) -> None:
        """Looks all of them up at once, as long as there are any."""
        while self._open:
            asked = list(self._open)
            try:
                await in_database(services.note_seen)({place.guest_id for place in asked})
                found = await in_database(standings)({place.guest_id for place in asked})
            except Exception as error:
                # A database that is away for a moment ends nobody's visit; the next round asks again.
                log.warning("rights of guests were not checked: %s", type(error).__name__)
            else:
                for place in asked:
                    place.why = _why(place.role, found[place.guest_id])
                    if place.why is not None:
                        place.over.set()
                # Who left meanwhile may have been noted as seen after their going.
                for place in asked:
                    if place not in self._open:
                        await self._note_gone(place)
            await asyncio.sleep(limits.CHECK_SECONDS)

    async def _note_gone(self, place: Place) -> None:
        """Unless they are there by another socket, or come back at once."""
        comes_back = place.why is not None and place.why.code == CloseCode.COME_BACK
        if self._counts[place.guest_id] or comes_back:
            return
        try:
            await in_database(services.note_gone)(place.guest_id)
        except Exception as error:
            log.info("a guest's going was not noted: %s", type(error).__name__)


def _why(role: Role, standing: Role | Exception) -> Refused | None:
    """Why a socket that was opened by this role has to close, if it has to."""
    if isinstance(standing, Exception):
        return Refused(CloseCode.NOT_AUTHENTICATED, short(str(standing)))
    if standing == role:
        return None
    # The client comes back, and is met as what it is now.
    return Refused(CloseCode.COME_BACK, MAY_TYPE if standing == Role.HELPER else MAY_WATCH)


presence = Presence()
