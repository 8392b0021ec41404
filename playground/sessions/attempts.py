"""An attempt to start a session: taken by one worker at a time, by a lease and a token. Synchronous.

Whoever holds the token may make the session's machine. Who has died, or lost, finds that the token has gone on.
"""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from playground.sessions.events import record
from playground.sessions.making import deadline_seconds, insert_machine
from playground.sessions.models import LIVE_MACHINE_STATES, Machine, PlannedMachine, Session
from playground.sessions.states import UNSTARTED, MachineState, SessionState
from playground.sessions.transitions import load, machine_transition, transition
from playground.sessions.waiting import unattended

LEASE = timedelta(seconds=10)


def take(session_id: UUID) -> int | None:
    """Takes the session for this worker; answers the token, or None when somebody else has it."""
    now = timezone.now()
    free = unattended()
    changes = {"lease_until": now + LEASE, "begun_at": now, "message": "Creating the machine"}
    with transaction.atomic():
        session = Session.objects.filter(free, pk=session_id, state__in=UNSTARTED).first()
        if session is None:
            return None
        token = session.attempts + 1
        where = free & Q(attempts=session.attempts, state=session.state)
        if session.state == SessionState.PENDING:
            taken = transition(session_id, SessionState.STARTING, where=where, changes={**changes, "attempts": token})
            return token if taken else None
        # Another worker began, and died or failed.
        rows = Session.objects.filter(where, pk=session_id).update(**changes, attempts=token)
        if rows:
            record(load(session_id), "starting", {"attempt": token})
    return token if rows else None


def renew(session_id: UUID, token: int) -> None:
    """Who takes it lives."""
    held(session_id, token).update(lease_until=timezone.now() + LEASE)


def held(session_id: UUID, token: int) -> QuerySet[Session]:
    """The session, as long as the token is good."""
    return Session.objects.filter(pk=session_id, state=SessionState.STARTING, attempts=token)


def insert(session_id: UUID, token: int) -> list[Machine]:
    """Writes the rows of the machines to make, the main one first; none when the token is no good any more.

    What an earlier worker left half made is for the sweep to remove.
    """
    with transaction.atomic():
        session = held(session_id, token).select_for_update(of=("self",)).select_related("image", "profile").first()
        if session is None:
            return []
        for earlier in Machine.objects.filter(session_id=session_id, state__in=LIVE_MACHINE_STATES):
            machine_transition(earlier.pk, MachineState.REMOVING)
        lifetime = timedelta(seconds=deadline_seconds(session))
        main = insert_machine(session.image, session.profile, session.hostname, lifetime, session)
        others = session.planned.select_related("image")
        return [main, *(_insert_other(session, planned, lifetime) for planned in others)]


def _insert_other(session: Session, planned: PlannedMachine, lifetime: timedelta) -> Machine:
    hostname = f"{session.hostname[:30]}-{planned.name}"
    return insert_machine(planned.image, session.profile, hostname, lifetime, session, name=planned.name)
