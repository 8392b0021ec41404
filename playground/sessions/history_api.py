"""`/sessions/{id}/events` of the REST API: what happened to a session, also after its end."""

from typing import Annotated
from uuid import UUID

from ninja import Query, Router
from pydantic import BaseModel, Field

from playground.api.errors import InvalidCursor
from playground.api.request import ApiRequest
from playground.api.schemas import Instant
from playground.database import in_database
from playground.sessions.access import get_session_for
from playground.sessions.public import instant
from playground.sessions.selectors import events_of

router = Router(tags=["sessions"])

_LONGEST_NUMBER = 18


class EventAnswer(BaseModel):
    """One thing that happened."""

    sequence: int = Field(description="Grows within a session; as in the messages of /ws/v1/events.")
    at: Instant
    kind: str = Field(examples=["running"])
    data: dict[str, object] = Field(description="More about it, by kind.")


class EventList(BaseModel):
    """A page, oldest first."""

    items: list[EventAnswer]
    next_cursor: str | None


@router.get("/sessions/{uuid:session_id}/events", response=EventList, summary="Read what happened to a session")
async def list_events(
    request: ApiRequest,
    session_id: UUID,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, object]:
    """Oldest first, as long as the session is remembered. Listen to /ws/v1/events for what happens from now on."""
    after = _number_of(cursor)

    def read() -> dict[str, object]:
        session = get_session_for(request.person, session_id, terminals=False)
        found = events_of(session, after=after, limit=limit + 1)
        items = [
            {"sequence": event.pk, "at": instant(event.at), "kind": event.kind, "data": event.data}
            for event in found[:limit]
        ]
        return {"items": items, "next_cursor": str(found[limit - 1].pk) if len(found) > limit else None}

    return await in_database(read)()


def _number_of(cursor: str | None) -> int:
    """The event behind which the page begins. Raises InvalidCursor."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _LONGEST_NUMBER):
        raise InvalidCursor
    return int(cursor)
