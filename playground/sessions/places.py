"""Where each waiting session stands, and how long it will take: what people are told."""

import math
import threading
import time
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Avg, F

from playground.sessions.models import Machine, Session
from playground.sessions.room import room
from playground.sessions.states import MachineState, SessionState
from playground.sessions.waiting import order

SAMPLE = 20
"""Machines whose making says how long the next will take."""
USUAL_SECONDS = 1.0
FRESH_SECONDS = 0.25
"""For how long an order that was worked out is told to those who ask."""


@dataclass(frozen=True, slots=True)
class Place:
    """The first is 1."""

    position: int
    estimate_seconds: int | None
    """Until it runs; None while there is no room, and so no telling."""


class _Board:
    """The order as this process last worked it out: a burst of readers asks the database once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[UUID, Place] = {}
        self._until = 0.0

    def place(self, session_id: UUID) -> Place | None:
        with self._lock:
            if time.monotonic() > self._until or session_id not in self._places:
                self._places = _places()
                self._until = time.monotonic() + FRESH_SECONDS
            return self._places.get(session_id)

    def forget(self) -> None:
        with self._lock:
            self._until = 0.0


_board = _Board()


def place_of(session: Session) -> Place | None:
    """Where it stands, or None: it does not wait for a machine to be made."""
    return _board.place(session.pk) if session.state == SessionState.PENDING else None


def moved_on() -> None:
    """The queue is not as it was."""
    _board.forget()


def _places() -> dict[UUID, Place]:
    waiting = order()
    if not waiting:
        return {}
    free, seconds = room(), _seconds_to_make()
    places, memory = {}, free.memory_bytes
    for index, each in enumerate(waiting):
        memory -= each.memory_bytes
        fits = index < free.machines and memory >= 0
        rounds = math.ceil((index + 1) / settings.CAPACITY.creates_at_once)
        places[each.session_id] = Place(index + 1, math.ceil(rounds * seconds) if fits else None)
    return places


def _seconds_to_make() -> float:
    latest = Machine.objects.filter(state=MachineState.READY).order_by("-created_at").values_list("pk", flat=True)
    made = Machine.objects.filter(pk__in=list(latest[:SAMPLE])).order_by()
    mean = made.aggregate(mean=Avg(F("state_changed_at") - F("created_at")))["mean"]
    return float(mean.total_seconds()) if mean else USUAL_SECONDS
