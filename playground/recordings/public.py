"""What the API and the pages say about a recording."""

from typing import TypedDict

from playground.recordings.models import Recording
from playground.sessions.public import instant


class PublicRecording(TypedDict):
    id: str
    terminal: str
    name: str
    state: str
    created_at: str | None
    ended_at: str | None
    size_bytes: int
    duration_seconds: float
    played_seconds: float | None
    missing_bytes: int
    links: dict[str, str]


def public_recording(recording: Recording) -> PublicRecording:
    """All that its owner sees, but the recording itself."""
    own = f"/api/v1/sessions/{recording.session_id}/recordings/{recording.pk}"
    return {
        "id": str(recording.pk),
        "terminal": str(recording.terminal_id),
        "name": recording.name,
        "state": recording.state,
        "created_at": instant(recording.created_at),
        "ended_at": instant(recording.ended_at),
        "size_bytes": recording.size_bytes,
        "duration_seconds": recording.duration_ms / 1000,
        "played_seconds": recording.played_ms / 1000 if recording.played_ms or not recording.duration_ms else None,
        "missing_bytes": recording.missing_bytes,
        "links": {"self": own, "asciicast": f"{own}/asciicast", "page": f"/recordings/{recording.pk}"},
    }
