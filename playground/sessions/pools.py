"""Machines that were started ahead of time, per image, with the default profile."""

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from playground.host.models import HostReport
from playground.images.models import Image
from playground.sessions.models import Machine, Session
from playground.sessions.network import network_of
from playground.sessions.offers import refusal
from playground.sessions.profiles import fingerprint
from playground.sessions.requests import SessionRequest
from playground.sessions.states import MachineState

MAX_AGE = timedelta(hours=4)
"""A pool machine older than this is replaced, well before its own deadline."""
DEADLINE = timedelta(hours=5)
"""What sandboxd in a pool machine is told."""


def eligible(request: SessionRequest, session: Session) -> bool:
    """Whether a pool machine is what was asked for: they have the default profile, nobody's processes, and
    a network of their own, with the profile's reach."""
    as_made = network_of(session) == network_of(session.profile)
    return session.profile.is_default and as_made and not (request.command or request.environment or request.machines)


def available(image: Image, session: Session, found: HostReport | None) -> QuerySet[Machine]:
    """Pool machines that are as good as new for this session, oldest first, on the host of that report."""
    return Machine.objects.filter(
        _unclaimed(),
        image_id=image.pk,
        profile_id=session.profile_id,
        fingerprint=fingerprint(image, session.profile, found),
        deadline_at__gt=timezone.now() + timedelta(minutes=2),
    ).order_by("created_at", "id")


def claim(session: Session, deadline_seconds: int, found: HostReport | None) -> Machine | None:
    """Makes one pool machine the session's main machine by one conditional UPDATE; None when there is none.

    Whoever comes second with the same machine changes nothing and takes the next. The machine's `deadline_at` is what
    it will be told: tell it, or drop it. None is claimed where `found`, the last report of the host, means that the
    profile is refused: its pool may still be there.
    """
    if refusal(session.profile, found):
        return None
    for _ in range(4):
        with transaction.atomic(savepoint=False):
            candidates = available(session.image, session, found)
            if connection.features.has_select_for_update_skip_locked:
                candidates = candidates.select_for_update(skip_locked=True)
            rows = Machine.objects.filter(_unclaimed(), pk=candidates.values("pk")[:1]).update(
                session_id=session.pk, deadline_at=timezone.now() + timedelta(seconds=deadline_seconds)
            )
        if rows:
            return Machine.objects.get(session_id=session.pk, name="main", state=MachineState.READY)
        if not available(session.image, session, found).exists():
            return None
    return None


def claimed_machine(session_id: UUID) -> Machine | None:
    """The session's ready main machine."""
    machines = Machine.objects.filter(session_id=session_id, name="main", state=MachineState.READY)
    return machines.select_related("session__profile").first()


def _unclaimed() -> Q:
    return Q(session__isnull=True, state=MachineState.READY)
