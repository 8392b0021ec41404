"""What the recorder reads and writes in the database. Synchronous; each is one short transaction."""

import shutil
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum
from django.utils import timezone

from playground.recordings import store
from playground.recordings.models import Recording, RecordingState
from playground.sessions.events import record
from playground.sessions.models import Terminal
from playground.sessions.states import ALIVE, MachineState, SessionState
from playground.sessions.transitions import load
from runtime.recording.asciicast import Position

_HELD = ALIVE | {SessionState.STOPPING}
_AWAKE = [SessionState.RUNNING, SessionState.STOPPING]


@dataclass(frozen=True, slots=True)
class Work:
    """One terminal to record."""

    recording_id: UUID
    machine_id: UUID
    terminal_id: UUID
    title: str
    gone: bool
    """The terminal was closed or its machine is gone: what can't be read now will never be."""
    is_stopped: bool = False
    """The session's owner stopped it: what the terminal shows from then on is not to be recorded."""
    stop_at: int | None = None
    """Offset at which that was; None: not known, so the recording ends where it is."""


def work() -> list[Work]:
    """All that is to be recorded now. Begins the recordings of new terminals."""
    recorded = Recording.objects.values("terminal_id")
    new = Terminal.objects.filter(
        machine__state=MachineState.READY, machine__session__is_recorded=True, machine__session__state__in=_HELD
    ).exclude(pk__in=recorded)
    for terminal in new.select_related("machine"):
        begin(terminal)
    unfinished = Recording.objects.filter(state=RecordingState.RECORDING).select_related("session", "machine")
    living = set(Terminal.objects.filter(pk__in=unfinished.values("terminal_id")).values_list("pk", flat=True))
    return [
        Work(
            recording.pk,
            recording.machine_id,
            recording.terminal_id,
            f"{recording.session.name} - {recording.name}",
            gone=_gone(recording, living),
            is_stopped=not recording.session.is_recorded,
            stop_at=recording.stop_at,
        )
        for recording in unfinished
    ]


def begin(terminal: Terminal) -> None:
    """The recording of a session's terminal, which comes with its machine; nothing when it has one."""
    assert terminal.machine.session_id is not None
    Recording.objects.get_or_create(
        terminal_id=terminal.pk,
        defaults={
            "session_id": terminal.machine.session_id,
            "machine_id": terminal.machine_id,
            "name": terminal.name,
        },
    )


def kept_in_vain() -> list[tuple[UUID, UUID]]:
    """Machine and terminal, of those whose output is kept although nothing more of it will be recorded.

    A paused machine does not hear that, and its programs wait for nothing meanwhile.
    """
    recordings = Recording.objects.filter(terminal_id=OuterRef("pk"))
    goes_on = recordings.filter(state=RecordingState.RECORDING)
    kept = Terminal.objects.filter(is_kept=True, machine__state=MachineState.READY, machine__session__state__in=_AWAKE)
    over = kept.filter(~Exists(goes_on)).filter(Q(machine__session__is_recorded=False) | Exists(recordings))
    return list(over.values_list("machine_id", "pk"))


def _gone(recording: Recording, living: set[UUID]) -> bool:
    machine_gone = recording.machine.state in (MachineState.REMOVING, MachineState.REMOVED)
    return machine_gone or recording.terminal_id not in living


def budget(recording_id: UUID) -> int:
    """Bytes that the recording's file may have: its own limit, or what its owner or the disk has left."""
    if shutil.disk_usage(store.directory()).free < settings.RECORDING.least_free_bytes:
        return 0
    mine = Recording.objects.select_related("session").filter(pk=recording_id).first()
    if mine is None:
        return 0
    others = Recording.objects.filter(~Q(pk=recording_id), session__owner_id=mine.session.owner_id)
    used = others.aggregate(sum=Sum("size_bytes"))["sum"] or 0
    return int(min(settings.RECORDING.most_bytes, settings.RECORDING.most_bytes_of_a_person - used))


def note(recording_id: UUID, size: int, position: Position) -> bool:
    """Writes down how far it is. False: it was deleted."""
    rows = Recording.objects.filter(pk=recording_id).update(
        size_bytes=size,
        duration_ms=position.elapsed_ms,
        played_ms=position.played_ms,
        missing_bytes=position.missing,
    )
    return bool(rows)


def finish(work: Work, state: RecordingState) -> None:
    """Nothing more follows. A second time changes nothing; nor does who has not heard yet that it was stopped, and may
    have recorded what came after."""
    with transaction.atomic():
        ended = Recording.objects.filter(
            pk=work.recording_id, state=RecordingState.RECORDING, session__is_recorded=not work.is_stopped
        )
        if ended.update(state=state, ended_at=timezone.now()) and state == RecordingState.FULL:
            recording = Recording.objects.get(pk=work.recording_id)
            data: dict[str, object] = {"recording": str(recording.pk), "terminal": str(recording.terminal_id)}
            record(load(recording.session_id), "recording_full", data)
