"""What the worker does when it is asked, and what beat has it do. Thin: each is one call, and can be repeated."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from playground import background, heartbeat
from playground.sessions import ending, filling, lifetimes, provisioning, queue, reconcile, sampling
from playground.sessions.models import Machine, PersonHour, Session
from playground.sessions.states import MachineState, SessionState

RETENTION = timedelta(days=30)
"""How long an ended session is remembered."""
TASK_SECONDS = 150.0


@shared_task
def provision(session_id: str) -> None:
    """Make a machine for a session."""
    if background.run(provisioning.attend(UUID(hex=session_id)), TASK_SECONDS):
        provisioning.begin_to_work()


@shared_task
def destroy(session_id: str) -> None:
    """Remove a session's machines and end it."""
    background.run(ending.destroy(UUID(hex=session_id)), TASK_SECONDS)
    # There may be room now for somebody who waits for it.
    provisioning.begin_to_work()


@shared_task
def push_deadline(session_id: str) -> None:
    """Tell a session's machines when they end."""
    background.run(lifetimes.push_deadline(UUID(hex=session_id)), TASK_SECONDS)


@shared_task
def refill(slug: str) -> None:
    """Fill one pool."""
    background.run(filling.fill(slug), TASK_SECONDS)


@shared_task
def refill_all() -> None:
    """Ask for each pool that may need it."""
    for slug in filling.pools_to_fill():
        queue.refill(slug)


@shared_task
def sweep() -> None:
    """Compare the database with the engine and the clock."""
    background.run(reconcile.sweep(), TASK_SECONDS)
    background.run(heartbeat.note(), TASK_SECONDS)


@shared_task
def sample() -> None:
    """Read what machines use, and act on it."""
    background.run(sampling.sample(), TASK_SECONDS)


@shared_task
def prune() -> None:
    """Forget sessions that ended long ago, and machines that are long gone."""
    now = timezone.now()
    unremoved = Machine.objects.exclude(state=MachineState.REMOVED).filter(session__isnull=False).values("session_id")
    Session.objects.filter(~Q(pk__in=unremoved), state=SessionState.ENDED, ended_at__lt=now - RETENTION).delete()
    PersonHour.objects.filter(hour__lt=now - timedelta(days=2)).delete()
    Machine.objects.filter(
        session__isnull=True, state=MachineState.REMOVED, state_changed_at__lt=now - timedelta(days=1)
    ).delete()
