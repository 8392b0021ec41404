"""What one person's sessions may use in 24 hours together: CPU time, and bytes that are sent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from playground.accounts.models import User
from playground.sessions.errors import QuotaExceeded
from playground.sessions.models import PersonHour
from playground.settings.limits import PersonLimits
from runtime.engines.base import Egress

WINDOW = timedelta(hours=24)
CPU_RESERVE = 60
"""Seconds of one core that each session of the person holds back for itself: what is left may not be given twice."""
EGRESS_RESERVE = 10 << 20


@dataclass(frozen=True, slots=True)
class BudgetUsage:
    """In the last 24 hours, by whole hours."""

    cpu_seconds: float
    egress_bytes: int


def used_by(user_id: int) -> BudgetUsage:
    """By all sessions of the person, also those that have ended."""
    return used_by_each([user_id])[user_id]


def used_by_each(user_ids: Collection[int]) -> Mapping[int, BudgetUsage]:
    """By each of these people, in one query."""
    hours = PersonHour.objects.filter(owner_id__in=user_ids, hour__gt=timezone.now() - WINDOW).order_by()
    sums = hours.values("owner_id").annotate(cpu=Sum("cpu_seconds"), egress=Sum("egress_bytes"))
    nothing = dict.fromkeys(user_ids, BudgetUsage(0.0, 0))
    return {**nothing, **{each["owner_id"]: BudgetUsage(float(each["cpu"]), int(each["egress"])) for each in sums}}


def check(user: User, limits: PersonLimits, egress: Egress, sessions: int) -> None:
    """Raises QuotaExceeded unless there is enough for one more beside `sessions` that live. Part of `reserve`."""
    used, now = used_by(user.pk), timezone.now()
    if used.cpu_seconds + CPU_RESERVE * (sessions + 1) > limits.cpu_seconds_per_day:
        raise QuotaExceeded(
            f"The CPU time of {_hours(limits.cpu_seconds_per_day)} in 24 hours is used up, or held by your sessions.",
            retry_after=_seconds_until_less(user.pk, now),
        )
    if egress is Egress.NONE:
        return
    if used.egress_bytes + EGRESS_RESERVE * (sessions + 1) > limits.egress_bytes_per_day:
        raise QuotaExceeded(
            "As much as you may send in 24 hours was sent, or is held by your sessions.",
            retry_after=_seconds_until_less(user.pk, now),
        )


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:g} hours"


def _seconds_until_less(user_id: int, now: datetime) -> int:
    oldest = PersonHour.objects.filter(owner_id=user_id, hour__gt=now - WINDOW).order_by("hour").first()
    return max(1, int(((oldest.hour if oldest else now) + WINDOW - now).total_seconds()) + 1)
