"""What the clock decides: lifetimes, idle times, and the deadline that every transitional state has."""

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from playground.sessions import expiring, queue
from playground.sessions.ending import end_overdue, stop
from playground.sessions.making import DEADLINE_MARGIN
from playground.sessions.models import Machine, Session
from playground.sessions.states import STARTED, UNSTARTED, MachineState, Reason, SessionState

START_DEADLINE = timedelta(minutes=30)
"""A session that has not started by then, e.g. because its image takes so long, ends."""
CREATE_DEADLINE = timedelta(seconds=150)
"""No worker that lives needs longer for one machine."""
REMOVE_GRACE = timedelta(seconds=10)
"""Whoever is removing a machine gets this long before the sweep does it again."""
ASK_AGAIN = timedelta(seconds=6)
"""How long a question to the worker may go unanswered."""
DEADLINE_TOLERANCE = timedelta(seconds=30)


def enforce() -> None:
    """Ends what is over and asks again for what nobody works on. Every step is a compare-and-set."""
    now = timezone.now()
    _end_expired(now)
    _end_idle(now)
    _end_unstarted(now)
    _end_without_machine()
    end_overdue()
    _ask_again(now)
    _push_deadlines()
    expiring.warn()


def _end_expired(now: datetime) -> None:
    over = Q(expires_at__lte=now)
    for session_id in Session.objects.filter(over, state__in=STARTED).values_list("pk", flat=True):
        stop(session_id, Reason.EXPIRED, where=over)


def _end_idle(now: datetime) -> None:
    rows = Session.objects.filter(state=SessionState.RUNNING, last_activity_at__isnull=False)
    for session_id, seen, idle_seconds in rows.values_list("pk", "last_activity_at", "idle_seconds"):
        if seen is not None and seen + timedelta(seconds=idle_seconds) <= now:
            stop(session_id, Reason.IDLE, where=Q(last_activity_at=seen, state=SessionState.RUNNING))


def _end_unstarted(now: datetime) -> None:
    late = Q(state__in=UNSTARTED, created_at__lt=now - START_DEADLINE)
    for session_id in Session.objects.filter(late).values_list("pk", flat=True):
        stop(session_id, Reason.FAILED, "The session could not be started in time.", where=late)


def _end_without_machine() -> None:
    alone = Q(state__in=STARTED)
    rows = Session.objects.filter(alone).exclude(machines__state=MachineState.READY).values_list("pk", flat=True)
    for session_id in rows:
        stop(session_id, Reason.ENGINE_LOST, where=alone)


def _ask_again(now: datetime) -> None:
    unattended = Q(queued_at__lt=now - ASK_AGAIN) & (Q(lease_until__isnull=True) | Q(lease_until__lt=now))
    for states, ask in ((UNSTARTED, queue.provision), ((SessionState.STOPPING,), queue.destroy)):
        waiting = Session.objects.filter(unattended, state__in=states)
        for session_id in waiting.values_list("pk", flat=True):
            if Session.objects.filter(unattended, pk=session_id, state__in=states).update(queued_at=now):
                ask(session_id)


def _push_deadlines() -> None:
    early = Q(deadline_at__lt=F("session__expires_at") + (DEADLINE_MARGIN - DEADLINE_TOLERANCE))
    # As of one that was paused, and could not be told its own end when it was resumed.
    late = Q(deadline_at__gt=F("session__expires_at") + (DEADLINE_MARGIN + DEADLINE_TOLERANCE))
    rows = Machine.objects.filter(early | late, state=MachineState.READY, session__state=SessionState.RUNNING)
    for session_id in rows.values_list("session_id", flat=True).distinct():
        if session_id is not None:
            queue.push_deadline(session_id)


def overdue_machines() -> QuerySet[Machine]:
    """Machines that should have been removed by now, whoever was to do it."""
    now = timezone.now()
    return Machine.objects.filter(
        Q(state=MachineState.REMOVING, state_changed_at__lt=now - REMOVE_GRACE)
        | Q(state=MachineState.CREATING, state_changed_at__lt=now - CREATE_DEADLINE)
        | Q(state=MachineState.READY, session__state=SessionState.ENDED)
    )
