"""Server-sent events: how an answer goes on for as long as there is something to tell."""

import json
from collections.abc import AsyncIterator, Mapping

from django.http import HttpRequest, StreamingHttpResponse

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = ": still here\n\n"
"""A comment: it tells proxies, and both ends, that the other one lives."""


def is_wanted(request: HttpRequest) -> bool:
    """Whether the caller accepts a stream."""
    return MEDIA_TYPE in request.headers.get("Accept", "")


def event(data: Mapping[str, object], *, name: str = "", sequence: int | None = None) -> str:
    """One event. Without a name it is a `message`; `sequence` is what a client that comes back names as its last."""
    head = (f"id: {sequence}\n" if sequence is not None else "") + (f"event: {name}\n" if name else "")
    return f"{head}data: {json.dumps(data)}\n\n"


def streamed(events: AsyncIterator[str]) -> StreamingHttpResponse:
    """The answer, which nobody on the way keeps or holds back."""
    response = StreamingHttpResponse(events, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def documented(example: str) -> dict[str, object]:
    """For an operation's `openapi_extra`: that it can answer so."""
    return {"responses": {"200": {"content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": example}}}}}
