"""Reads, deletion and pruning of recordings. Whoever asks for one goes through `recording_for`."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from playground.accounts.models import User
from playground.recordings import store
from playground.recordings.errors import RecordingUnknown, StillRecording
from playground.recordings.models import Recording, RecordingState
from playground.sessions.access import get_session_for
from playground.sessions.errors import SessionUnknown
from playground.sessions.events import record
from playground.sessions.models import Session
from playground.sessions.transitions import load
from playground.settings.recording import RecordingLimits

SAME_VISIT = timedelta(minutes=10)
"""Whoever opens a recording again within that time leaves one line in the session's history."""


def session_for(person: User, session_id: UUID) -> Session:
    """The person's own session, or for administrators any. Raises SessionUnknown."""
    return get_session_for(person, session_id, for_admin=True, terminals=False)


def recordings_of(session: Session) -> list[Recording]:
    """Of all its terminals, the oldest first."""
    return list(Recording.objects.filter(session=session))


def recordings_by(owner: User) -> QuerySet[Recording]:
    """Of all the person's own sessions, the newest first."""
    return Recording.objects.filter(session__owner=owner).select_related("session").order_by("-created_at", "-id")


def days_kept() -> int:
    """How long after its end a recording is kept."""
    limits: RecordingLimits = settings.RECORDING
    return limits.days


def recording_for(person: User, recording_id: UUID, session_id: UUID | None = None) -> Recording:
    """A recording of one's own sessions, or for administrators of any. Raises RecordingUnknown."""
    wanted = Recording.objects.select_related("session__owner").filter(pk=recording_id)
    if session_id is not None:
        wanted = wanted.filter(session_id=session_id)
    found = wanted.first()
    try:
        if found is not None:
            session_for(person, found.session_id)
    except SessionUnknown:
        found = None
    if found is None:
        raise RecordingUnknown("There is no such recording.")
    return found


def opened(person: User, recording: Recording) -> None:
    """Somebody is about to see it: when that is not its owner, the owner can read it in the session's history.

    Once in a while: players ask for a recording in pieces.
    """
    if recording.session.owner_id == person.pk:
        return
    with transaction.atomic():
        data: dict[str, object] = {"recording": str(recording.pk), "by": person.get_username()}
        lately = recording.session.events.filter(at__gt=timezone.now() - SAME_VISIT)
        if not lately.filter(kind="recording_opened", data=data).exists():
            record(load(recording.session_id), "recording_opened", data)


def delete(person: User, recording: Recording) -> None:
    """Its file and its row. Raises StillRecording."""
    with transaction.atomic():
        rows, _ = Recording.objects.filter(~Q(state=RecordingState.RECORDING), pk=recording.pk).delete()
        if rows:
            data: dict[str, object] = {"recording": str(recording.pk), "by": person.get_username()}
            record(load(recording.session_id), "recording_deleted", data)
        elif Recording.objects.filter(pk=recording.pk).exists():
            raise StillRecording("It can be deleted when its terminal has ended.")
    store.remove([recording.pk])


def prune() -> None:
    """Deletes recordings that are old enough, and files whose rows are gone, e.g. with their session."""
    before = timezone.now() - timedelta(days=settings.RECORDING.days)
    Recording.objects.filter(ended_at__lt=before).delete()
    files = store.kept()
    store.remove(files - set(Recording.objects.filter(pk__in=files).values_list("pk", flat=True)))
