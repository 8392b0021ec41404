"""What was recorded. The file of a recording is `DATA/recordings/ID.cast`; `store` knows it."""

import uuid
from enum import StrEnum

from django.db import models
from django.utils import timezone

from playground import words
from playground.sessions.models import Machine, Session


class RecordingState(StrEnum):
    RECORDING = "recording"
    COMPLETE = "complete"
    """To the end of the terminal."""
    FULL = "full"
    """A limit was reached: it goes no further, though the terminal did."""
    STOPPED = "stopped"
    """The session's owner stopped it: it goes no further, though the terminal may."""


class Recording(models.Model):
    """Of one terminal. Written by the recorder; deleted by its owner, with its session, or when it is old."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="recordings")
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="recordings")
    terminal_id = models.UUIDField(unique=True)
    """The terminal's row goes when it is closed; its recording stays."""
    name = models.CharField(max_length=100)
    """The terminal's, when recording began."""
    state = models.CharField(
        max_length=16,
        choices=[(state.value, state.value) for state in RecordingState],
        default=RecordingState.RECORDING.value,
    )
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    """Of the file, as the recorder last noted it."""
    duration_ms = models.PositiveBigIntegerField(default=0)
    played_ms = models.PositiveBigIntegerField(default=0)
    """How long it plays where long pauses are cut, as players do; 0: not known."""
    missing_bytes = models.PositiveBigIntegerField(default=0)
    """Output that was lost because no recorder came in time."""
    stop_at = models.PositiveBigIntegerField(null=True, blank=True)
    """Offset in the terminal's output at which its session's owner stopped the recording, as far as that is known."""

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["state"]), models.Index(fields=["ended_at"])]

    @property
    def is_running(self) -> bool:
        """It still grows."""
        return self.state == RecordingState.RECORDING

    @property
    def clock(self) -> str:
        """How long it lasts: `4:07`, `1:04:07`."""
        return words.clock(self.duration_ms // 1000)

    @property
    def size(self) -> str:
        """Of its file, in words."""
        return words.size(self.size_bytes)

    @property
    def missing(self) -> str:
        """What was lost, in words."""
        return words.size(self.missing_bytes)

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"
