"""Sessions that wait for a machine to be made, in the order to serve them. Reads alone."""

from datetime import timedelta

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from playground.images.models import ImageState
from playground.sessions.fairness import NEVER, Served, Waiting, in_turn
from playground.sessions.models import Machine, PlannedMachine, Session
from playground.sessions.states import UNSTARTED, MachineState, SessionState

LOOK_BACK = timedelta(minutes=10)
"""Whose turn was longer ago counts as never."""


def unattended() -> Q:
    """Nobody works on it, or who did has died."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=timezone.now())


def waiting() -> QuerySet[Session]:
    """Sessions for which a machine could be made at once. Those that claimed one are not among them."""
    claimed = Machine.objects.filter(session=OuterRef("pk"), state=MachineState.READY)
    unstarted = Session.objects.filter(unattended(), ~Exists(claimed), state__in=UNSTARTED)
    missing = PlannedMachine.objects.filter(~Q(image__state=ImageState.READY), session=OuterRef("pk"))
    return unstarted.filter(~Exists(missing), image__state=ImageState.READY)


def order() -> list[Waiting]:
    """All of them, the next one first."""
    rows = waiting().annotate(beside=Count("planned")).order_by()
    found = [
        Waiting(pk, owner_id, since, memory * (1 + beside), 1 + beside)
        for pk, owner_id, since, memory, beside in rows.values_list(
            "pk", "owner_id", "created_at", "profile__memory_bytes", "beside"
        )
    ]
    return in_turn(found, _served({each.owner_id for each in found})) if found else []


def _served(owners: set[int]) -> dict[int, Served]:
    now = timezone.now()
    at_work = Q(state=SessionState.STARTING, lease_until__gte=now)
    begun = Session.objects.filter(owner_id__in=owners, begun_at__gt=now - LOOK_BACK).order_by()
    rows = begun.values("owner_id").annotate(count=Count("pk", filter=at_work), last=Max("begun_at"))
    return {row["owner_id"]: Served(row["count"], row["last"] or NEVER) for row in rows}
