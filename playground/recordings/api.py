"""`/sessions/{id}/recordings` of the REST API."""

from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from django.http.response import HttpResponseBase
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from playground.api.request import ApiRequest
from playground.api.schemas import Instant
from playground.database import in_database
from playground.recordings import services, serving, stopping, store
from playground.recordings.errors import RecordingUnknown
from playground.recordings.models import RecordingState
from playground.recordings.public import PublicRecording, public_recording
from playground.sessions.access import get_session_for
from playground.sessions.public import PublicSession, public_session
from playground.sessions.schemas import SessionAnswer

router = Router(tags=["recordings"])

_CONTENT = {serving.ASCIICAST: {"schema": {"type": "string"}}}


class RecordingAnswer(BaseModel):
    """What was shown in one terminal. What was typed is not in it, unless the terminal showed it."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    terminal: str = Field(json_schema_extra={"format": "uuid"})
    name: str
    state: RecordingState = Field(
        description="full: a limit was reached; stopped: its owner stopped it; the terminal went on without it."
    )
    created_at: Instant
    ended_at: Instant | None
    size_bytes: int
    duration_seconds: float
    played_seconds: float | None = Field(
        description="How long it plays where pauses are cut to two seconds; null: not known."
    )
    missing_bytes: int = Field(description="Output that was lost because no recorder came in time; 0: it is complete.")
    links: dict[str, str]


class RecordingList(BaseModel):
    """Of one session, the oldest first."""

    items: list[RecordingAnswer]
    next_cursor: None = None


@router.get(
    "/sessions/{uuid:session_id}/recordings", response=RecordingList, summary="List the recordings of a session"
)
async def list_recordings(request: ApiRequest, session_id: UUID) -> dict[str, object]:
    """Also while they grow. They stay when the session has ended, for as long as the site keeps them."""

    def read() -> list[PublicRecording]:
        session = services.session_for(request.person, session_id)
        return [public_recording(recording) for recording in services.recordings_of(session)]

    return {"items": await in_database(read)()}


@router.get(
    "/sessions/{uuid:session_id}/recordings/{uuid:recording_id}",
    response=RecordingAnswer,
    summary="Read about a recording",
)
async def get_recording(request: ApiRequest, session_id: UUID, recording_id: UUID) -> PublicRecording:
    """Its size and length are at most a second old."""

    def read() -> PublicRecording:
        return public_recording(services.recording_for(request.person, recording_id, session_id))

    return await in_database(read)()


@router.post(
    "/sessions/{uuid:session_id}/recordings/stop",
    response=SessionAnswer,
    summary="Stop recording a session",
)
async def stop_recording(request: ApiRequest, session_id: UUID) -> PublicSession:
    """While the session goes on: what its terminals showed until now stays, and nothing more is recorded.

    What is not recorded any more stays so: it can't be begun again. Where the profile wants its sessions recorded it
    is refused with `recording_required`.
    """
    session = await in_database(get_session_for)(request.person, session_id)
    return await in_database(public_session)(await stopping.stop(session))


@router.get(
    "/sessions/{uuid:session_id}/recordings/{uuid:recording_id}/asciicast",
    response={200: None, 206: None},
    summary="Download a recording",
    openapi_extra={"responses": {200: {"content": _CONTENT}, 206: {"content": _CONTENT}}},
)
async def get_asciicast(
    request: ApiRequest,
    session_id: UUID,
    recording_id: UUID,
    version: Annotated[Literal["2", "3"], Query(description="2 is for players that do not know 3.")] = "3",
) -> HttpResponseBase:
    """As far as it goes; version 3 also from a byte on (`Range`), so that who has a part of it gets the rest alone.

    An administrator who reads somebody else's leaves a line in the session's history.
    """

    def read() -> Path:
        recording = services.recording_for(request.person, recording_id, session_id)
        services.opened(request.person, recording)
        return store.path_of(recording.pk)

    path = await in_database(read)()
    if not path.exists():
        raise RecordingUnknown("There is nothing in this recording yet.")
    response = serving.version_2(path) if version == "2" else await serving.version_3(path, request)
    # Whatever was in the terminal: no browser shows or runs it.
    response["Content-Disposition"] = f'attachment; filename="{recording_id}.cast"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@router.delete(
    "/sessions/{uuid:session_id}/recordings/{uuid:recording_id}",
    response={204: None},
    summary="Delete a recording",
)
async def delete_recording(request: ApiRequest, session_id: UUID, recording_id: UUID) -> Status[None]:
    """Once its terminal has ended. Also when it was deleted before."""

    def delete() -> None:
        session = services.session_for(request.person, session_id)
        for recording in services.recordings_of(session):
            if recording.pk == recording_id:
                services.delete(request.person, recording)

    await in_database(delete)()
    return Status(204, None)
