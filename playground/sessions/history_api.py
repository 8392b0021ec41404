"""`/sessions/{id}/events` of the REST API: what happened to a session, in pages, or as it happens until its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from playground.api import event_stream
from playground.api.errors import InvalidCursor
from playground.api.problems import problem_of, request_id_of
from playground.api.request import ApiRequest
from playground.api.schemas import Instant
from playground.database import in_database
from playground.sessions.access import get_session_for
from playground.sessions.closing import Refused
from playground.sessions.connections import Connection, connections
from playground.sessions.errors import TooManyStreams
from playground.sessions.models import Event, Session
from playground.sessions.public import instant
from playground.sessions.selectors import events_of
from playground.sessions.states import SessionState
from playground.sessions.tails import Tail, tails

router = Router(tags=["sessions"])

HEARTBEAT_SECONDS = 15.0
AT_ONCE = 100
"""Events that are read for a stream at a time."""
_LONGEST_NUMBER = 18
_DOCUMENTED = event_stream.documented(
    'id: 7\ndata: {"sequence": 7, "at": "2026-11-23T09:30:00.000Z", "kind": "running", "data": {}}\n\n'
)


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


@router.get(
    "/sessions/{uuid:session_id}/events",
    response={200: EventList, 204: None},
    summary="Read what happened to a session",
    openapi_extra=_DOCUMENTED,
)
async def list_events(
    request: ApiRequest,
    session_id: UUID,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, object] | HttpResponse | StreamingHttpResponse:
    """Oldest first, as long as the session is remembered.

    With `Accept: text/event-stream` each event comes as it happens, after those that there are, until the session has
    ended. `Last-Event-ID` (or `cursor`) resumes behind that event; `limit` is for pages alone. Once there is nothing
    more to come, that is answered with 204.
    """
    if event_stream.is_wanted(request):
        return await _stream(request, session_id, _number_of(request.headers.get("Last-Event-ID", cursor)))
    after = _number_of(cursor)

    def read() -> dict[str, object]:
        session = get_session_for(request.person, session_id, terminals=False)
        found = events_of(session, after=after, limit=limit + 1)
        items = [_public(event) for event in found[:limit]]
        return {"items": items, "next_cursor": str(found[limit - 1].pk) if len(found) > limit else None}

    return await in_database(read)()


def _public(event: Event) -> dict[str, object]:
    return {"sequence": event.pk, "at": instant(event.at), "kind": event.kind, "data": event.data}


def _number_of(cursor: str | None) -> int:
    """The event behind which the page begins. Raises InvalidCursor."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _LONGEST_NUMBER):
        raise InvalidCursor
    return int(cursor)


async def _stream(request: ApiRequest, session_id: UUID, after: int) -> HttpResponse | StreamingHttpResponse:
    """Raises SessionUnknown, TooManyStreams."""
    session = await in_database(get_session_for)(request.person, session_id, terminals=False)
    if session.state == SessionState.ENDED and not await in_database(events_of)(session, after=after, limit=1):
        # By this a browser's EventSource knows not to come back.
        return HttpResponse(status=204)
    if connections.is_full(request.identity):
        raise TooManyStreams("You have too many streams and sockets open. Close some.")
    return event_stream.streamed(_events(request, session_id, after))


async def _events(request: ApiRequest, session_id: UUID, after: int) -> AsyncIterator[str]:
    """Until the session has ended, the right to it is revoked, or the client is gone."""
    try:
        async with connections.admitted(request.identity) as connection, tails.followed(session_id, after) as tail:
            has_ended = False
            while not (has_ended or connection.revoked.is_set()):
                tail.woken.clear()
                found, has_ended = await in_database(_read)(session_id, tail.seen)
                for event in found:
                    yield event_stream.event(_public(event), sequence=event.pk)
                    tail.seen = event.pk
                if not (found or has_ended) and not await _woken(tail, connection):
                    yield event_stream.HEARTBEAT
    except Refused:
        return
    except Exception as error:
        yield event_stream.event(problem_of(error, request_id_of(request)), name="error")


def _read(session_id: UUID, after: int) -> tuple[list[Event], bool]:
    """The next events, and whether they are the last."""
    # Asked first: what ends a session writes its last event in the same transaction.
    session = Session.objects.filter(pk=session_id).only("state").first()
    if session is None:
        return [], True
    found = events_of(session, after=after, limit=AT_ONCE)
    return found, session.state == SessionState.ENDED and len(found) < AT_ONCE


async def _woken(tail: Tail, connection: Connection) -> bool:
    """False: nothing happened for so long that the client should hear of us."""
    waiting = [asyncio.create_task(tail.woken.wait()), asyncio.create_task(connection.revoked.wait())]
    try:
        done, _ = await asyncio.wait(waiting, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return bool(done)
