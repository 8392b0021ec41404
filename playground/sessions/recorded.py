"""That a session is recorded, and that its terminals wait for the recorder: what changes of it while it runs."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from playground.sessions.errors import RecordingRequired, SessionNotRunning
from playground.sessions.events import record
from playground.sessions.models import Session, Terminal
from playground.sessions.states import STARTED
from playground.sessions.transitions import load


def stop(session_id: UUID) -> bool:
    """Its terminals are not recorded from now on. False: they were not before either, and nothing has changed.

    What has been kept for the recorder until now is the recorder's matter. Raises SessionNotRunning, RecordingRequired.
    """
    with transaction.atomic():
        stopped = Session.objects.filter(
            pk=session_id, state__in=STARTED, is_recorded=True, is_recording_required=False
        ).update(is_recorded=False, recording_stopped_at=timezone.now())
        session = load(session_id)
        if stopped:
            record(session, "recording_stopped")
        elif session.is_recording_required:
            raise RecordingRequired("Sessions with this profile are recorded to their end.")
        elif session.is_recorded:
            raise SessionNotRunning("The session is not running.")
    return bool(stopped)


def released(terminal_id: UUID) -> None:
    """sandboxd keeps nothing of this terminal any more."""
    Terminal.objects.filter(pk=terminal_id).update(is_kept=False)
