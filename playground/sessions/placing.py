"""Who gets the next machine of this host. Synchronous.

The queue is the rows of sessions that wait; nothing of it is kept elsewhere. It is served in turn between people
(`fairness`). A session for which there is no room is passed by those for which there is: otherwise one person who asks
for a large machine would hold up everybody.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max

from playground.sessions import attempts, capacity, events, places, slots
from playground.sessions.models import Machine, Session
from playground.sessions.room import room
from playground.sessions.states import SessionState
from playground.sessions.waiting import order

TELL_SECONDS = 1.0
MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class Begun:
    """Machines to make now, the main one first: their rows are written, and their session's attempt is ours."""

    machines: list[Machine]
    session_id: UUID
    token: int


def begin_next() -> Begun | list[UUID] | None:
    """Takes the session whose turn it is, or says which pool machines must go first. None: nobody can be served now."""
    with slots.deciding():
        for waiting in order():
            if not room().fits(waiting.memory_bytes, waiting.machines):
                if going := capacity.make_room(waiting.memory_bytes, waiting.machines):
                    return going
                continue
            token = attempts.take(waiting.session_id)
            machines = attempts.insert(waiting.session_id, token) if token is not None else []
            if token is not None and machines:
                return Begun(machines, waiting.session_id, token)
    return None


class _Teller:
    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self) -> bool:
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + TELL_SECONDS
        return True


_teller = _Teller()


def tell_waiting() -> None:
    """Lets those who wait know that the queue has moved on; at most once a second."""
    if not _teller.is_due():
        return
    places.moved_on()
    first = [each.session_id for each in order()[:MOST_TOLD]]
    sessions = Session.objects.filter(pk__in=first, state=SessionState.PENDING).annotate(last=Max("events__pk"))
    for session in sessions.prefetch_related("machines__terminals"):
        events.announce(session, "queued", getattr(session, "last", None) or 0)
