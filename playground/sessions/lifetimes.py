"""Telling machines when they end by themselves, should everything of ours be dead by then."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.utils import timezone

from playground.database import in_database
from playground.sessions.making import DEADLINE_MARGIN, tell_deadline
from playground.sessions.models import Machine
from playground.sessions.states import MachineState, SessionState
from runtime.errors import RuntimeFailure

log = structlog.get_logger(__name__)


async def push_deadline(session_id: UUID) -> None:
    """Tells the machines of a running session its present end. What fails, the sweep repeats."""
    for machine in await in_database(_machines)(session_id):
        session = machine.session
        if session is None or session.expires_at is None:
            continue
        deadline = session.expires_at + DEADLINE_MARGIN
        seconds = max(1, int((deadline - timezone.now()) / timedelta(seconds=1)))
        try:
            await tell_deadline(machine.pk, seconds)
        except (RuntimeFailure, TimeoutError) as error:
            log.warning("deadline_not_pushed", machine=machine.pk.hex, error=type(error).__name__)
        else:
            machine.deadline_at = deadline
            await in_database(machine.save)(update_fields=["deadline_at"])


def _machines(session_id: UUID) -> list[Machine]:
    machines = Machine.objects.filter(
        session_id=session_id, state=MachineState.READY, session__state=SessionState.RUNNING
    )
    return list(machines.select_related("session"))
