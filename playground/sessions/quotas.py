"""How many sessions a person may hold and start. Counted in the transaction that writes the new row."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q
from django.utils import timezone

from playground.accounts.models import User
from playground.sessions import budgets
from playground.sessions.errors import QuotaExceeded
from playground.sessions.models import Session
from playground.sessions.states import ALIVE
from playground.settings.limits import PersonLimits
from runtime.engines.base import Egress

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PersonUsage:
    """What one person did: alive now, started in the last 24 hours, started in the last 60 seconds."""

    concurrent_sessions: int
    sessions_last_day: int
    sessions_last_minute: int


def limits_of(user: User) -> PersonLimits:
    """The person's own limits, the site's where they have none."""
    site: PersonLimits = settings.PERSON_LIMITS
    concurrent, daily = user.max_concurrent_sessions, user.max_sessions_per_day
    return PersonLimits(
        concurrent_sessions=site.concurrent_sessions if concurrent is None else concurrent,
        sessions_per_day=site.sessions_per_day if daily is None else daily,
        sessions_per_minute=site.sessions_per_minute,
        cpu_seconds_per_day=_own(user.max_cpu_seconds_per_day, site.cpu_seconds_per_day),
        egress_bytes_per_day=_own(user.max_egress_bytes_per_day, site.egress_bytes_per_day),
    )


def _own(limit: int | None, site: int) -> int:
    return site if limit is None else limit


def usage_of(user: User) -> PersonUsage:
    """Counted now, in one query."""
    now = timezone.now()
    alive = Q(state__in=ALIVE)
    counts = Session.objects.filter(alive | Q(created_at__gt=now - DAY), owner_id=user.pk).aggregate(
        alive=Count("pk", filter=alive),
        day=Count("pk", filter=Q(created_at__gt=now - DAY)),
        minute=Count("pk", filter=Q(created_at__gt=now - MINUTE)),
    )
    return PersonUsage(counts["alive"], counts["day"], counts["minute"])


def reserve(user: User, egress: Egress = Egress.NONE) -> None:
    """Raises QuotaExceeded unless the person may start one more session, with that egress.

    Call it in the transaction that inserts the session, before the insert. Two requests can't both take the last place:
    SQLite's transactions begin with the write lock (`transaction_mode`), elsewhere the person's row is locked.
    """
    if connection.features.has_select_for_update:
        user = User.objects.select_for_update().get(pk=user.pk)
    limits, usage = limits_of(user), usage_of(user)
    if usage.concurrent_sessions >= limits.concurrent_sessions:
        raise QuotaExceeded(f"You may hold {limits.concurrent_sessions} sessions at once. End one to start another.")
    if usage.sessions_last_minute >= limits.sessions_per_minute:
        raise QuotaExceeded(
            f"You may start {limits.sessions_per_minute} sessions a minute. Wait a moment.",
            retry_after=_seconds_until_free(user, MINUTE),
        )
    if usage.sessions_last_day >= limits.sessions_per_day:
        raise QuotaExceeded(
            f"You may start {limits.sessions_per_day} sessions a day.", retry_after=_seconds_until_free(user, DAY)
        )
    budgets.check(user, limits, egress, usage.concurrent_sessions)


def _seconds_until_free(user: User, window: timedelta) -> int:
    now = timezone.now()
    oldest = Session.objects.filter(owner_id=user.pk, created_at__gt=now - window).aggregate(at=Min("created_at"))["at"]
    return max(1, int(((oldest or now) + window - now).total_seconds()) + 1)
