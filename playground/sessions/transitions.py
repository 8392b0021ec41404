"""Moves of sessions and machines: compare-and-set on the written table. Whoever loses a race changes nothing."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from playground.sessions.events import record
from playground.sessions.models import Machine, Session
from playground.sessions.states import MachineState, SessionState, machine_sources, sources


def transition(
    session_id: UUID,
    target: SessionState,
    *,
    where: Q | None = None,
    changes: Mapping[str, Any] | None = None,
    data: dict[str, object] | None = None,
) -> Session | None:
    """Moves a session to `target`, writes its history and, on commit, tells who watches.

    Answers the session as it is now, with machines and terminals, or None: it was in no state to move from, or `where`
    did not hold any more. Then nothing has changed.
    """
    with transaction.atomic(savepoint=False):
        rows = Session.objects.filter(where or Q(), pk=session_id, state__in=sources(target)).update(
            state=target, state_changed_at=timezone.now(), **(changes or {})
        )
        if rows == 0:
            return None
        session = load(session_id)
        record(session, target.value, data)
    return session


def machine_transition(machine_id: UUID, target: MachineState, *, where: Q | None = None) -> bool:
    """Moves a machine to `target`. False: somebody else got there first, and nothing has changed."""
    rows = Machine.objects.filter(where or Q(), pk=machine_id, state__in=machine_sources(target)).update(
        state=target, state_changed_at=timezone.now()
    )
    return rows == 1


def load(session_id: UUID) -> Session:
    """The session with its machines and terminals. Raises Session.DoesNotExist."""
    return Session.objects.prefetch_related("machines__terminals").get(pk=session_id)
