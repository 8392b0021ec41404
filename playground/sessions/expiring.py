"""Warnings before the clock acts: a lifetime or an idle time that is nearly over. Each is given once.

They are events of the session's history, `expiring`; open terminals show them as notices (`news`). What was foretold
and does not happen is an event too: `extended`, and `kept` when somebody typed or ran something again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from playground.sessions.events import record
from playground.sessions.models import Session
from playground.sessions.public import instant
from playground.sessions.states import STARTED, Reason, SessionState
from playground.sessions.transitions import load
from playground.words import duration

LIFETIME = (timedelta(minutes=5), timedelta(minutes=1))
"""How long before a lifetime is over, the first time and the last. Shorter for a session that is as short itself."""
IDLE = timedelta(minutes=2)
_WHAT_TO_DO = {
    Reason.EXPIRED: "Extend gives it more time.",
    Reason.IDLE: "Nothing was typed or run for a while: press a key in a terminal to keep it.",
}


@dataclass(frozen=True, slots=True)
class Expiry:
    """That a session ends at a time unless somebody does something."""

    reason: Reason
    """EXPIRED or IDLE."""
    at: datetime
    stage: int
    """0 for the first warning of this end, then 1."""

    @property
    def token(self) -> str:
        """Names this warning: what was warned of once is not warned of again."""
        return f"{self.stage} {self.at.timestamp():.3f}"

    def told(self, now: datetime) -> dict[str, object]:
        """What people and programs are told of it."""
        seconds = max(0, round((self.at - now).total_seconds()))
        return {
            "reason": self.reason.value,
            "at": instant(self.at),
            "seconds": seconds,
            "message": f"This session ends in {duration(seconds)}. {_WHAT_TO_DO[self.reason]}",
        }


def standing(session: Session, now: datetime) -> list[Expiry]:
    """Of what a session's owner should be warned now, whether that was done or not. Pure."""
    found = []
    if session.state in STARTED and session.expires_at and session.started_at:
        total = session.expires_at - session.started_at
        stages = (min(LIFETIME[0], total / 2), min(LIFETIME[1], total / 4))
        found += list(_due(Reason.EXPIRED, session.expires_at, stages, now))
    if session.state == SessionState.RUNNING and session.last_activity_at:
        idle = timedelta(seconds=session.idle_seconds)
        found += list(_due(Reason.IDLE, session.last_activity_at + idle, (min(IDLE, idle / 2),), now))
    return found


def _due(reason: Reason, at: datetime, stages: tuple[timedelta, ...], now: datetime) -> Iterator[Expiry]:
    reached = [number for number, stage in enumerate(stages) if at - stage <= now < at]
    if reached:
        yield Expiry(reason, at, reached[-1])


def warn() -> None:
    """Gives every warning that is due and was not given. Each is a compare-and-set: two sweeps give it once."""
    now = timezone.now()
    for session in Session.objects.filter(state__in=STARTED):
        for expiry in standing(session, now):
            if expiry.token != getattr(session, _FIELDS[expiry.reason]):
                _give(session, expiry, now)


_FIELDS = {Reason.EXPIRED: "warned_lifetime", Reason.IDLE: "warned_idle"}


def _give(session: Session, expiry: Expiry, now: datetime) -> None:
    field = _FIELDS[expiry.reason]
    # What was extended or used meanwhile is not warned of.
    unchanged = Q(state=session.state, expires_at=session.expires_at, last_activity_at=session.last_activity_at)
    with transaction.atomic():
        fresh = Session.objects.filter(unchanged, pk=session.pk).exclude(**{field: expiry.token})
        if fresh.update(**{field: expiry.token}):
            record(load(session.pk), "expiring", expiry.told(now))


def keep(session_id: UUID) -> None:
    """Takes the idle warning back, if there was one: somebody uses the session again."""
    with transaction.atomic():
        if Session.objects.filter(pk=session_id).exclude(warned_idle="").update(warned_idle=""):
            record(load(session_id), "kept", {"reason": Reason.IDLE.value})
