"""`/sessions/{id}/files` of the REST API: raw bytes in and out, streamed. What comes out is hostile."""

from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router, Status

from playground.api.fields import AbsolutePath, Slug
from playground.api.request import ApiRequest
from playground.database import in_database
from playground.sessions import machines, services
from playground.sessions.public import instant
from playground.sessions.schemas import FileList

router = Router(tags=["inside a session"])

PIECE = 64 * 1024
MOST_ENTRIES = 1000
OCTETS = "application/octet-stream"
_BYTES = {OCTETS: {"schema": {"type": "string", "format": "binary"}}}


@router.get(
    "/sessions/{uuid:session_id}/files",
    response={200: None},
    summary="Read a file",
    openapi_extra={"responses": {200: {"content": _BYTES}}},
)
async def read_file(
    request: ApiRequest, session_id: UUID, path: AbsolutePath, machine: Slug = "main"
) -> StreamingHttpResponse:
    """Its bytes, with the rights of the machine's user."""
    session = await in_database(services.use)(request.person, session_id)
    pieces = machines.read_file(session, path, machine=machine)
    # Waited for here, so that a file that is not there is a problem with a status.
    first = await anext(pieces, b"")
    response = StreamingHttpResponse(_chain(first, pieces), content_type=OCTETS)
    # A browser must neither show nor run what somebody put into a machine.
    name = quote(path.rsplit("/", 1)[-1] or "file", safe="")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@router.put(
    "/sessions/{uuid:session_id}/files",
    response={204: None},
    summary="Write a file",
    openapi_extra={"requestBody": {"required": False, "content": _BYTES}},
)
async def write_file(request: ApiRequest, session_id: UUID, path: AbsolutePath, machine: Slug = "main") -> Status[None]:
    """Replaces it by the body (at most 64 MiB), and makes the directories on the way."""
    session = await in_database(services.use)(request.person, session_id)
    await machines.write_file(session, path, _body(request), machine=machine)
    return Status(204, None)


@router.delete("/sessions/{uuid:session_id}/files", response={204: None}, summary="Delete a file or directory")
async def delete_file(
    request: ApiRequest, session_id: UUID, path: AbsolutePath, machine: Slug = "main"
) -> Status[None]:
    """A directory goes with all in it."""
    session = await in_database(services.use)(request.person, session_id)
    await machines.delete_file(session, path, machine=machine)
    return Status(204, None)


@router.get("/sessions/{uuid:session_id}/files/list", response=FileList, summary="List a directory")
async def list_files(
    request: ApiRequest, session_id: UUID, path: AbsolutePath, machine: Slug = "main"
) -> dict[str, object]:
    """By name; at most 1000 entries."""
    session = await in_database(services.use)(request.person, session_id)
    entries = await machines.list_files(session, path, machine=machine)
    items = [
        {
            "name": entry.name,
            "type": entry.kind,
            "size_bytes": entry.size_bytes,
            "mode": f"{entry.mode:04o}",
            "modified_at": instant(entry.modified_at),
        }
        for entry in sorted(entries, key=lambda entry: entry.name)[:MOST_ENTRIES]
    ]
    return {"items": items, "truncated": len(entries) > MOST_ENTRIES}


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _body(request: HttpRequest) -> AsyncIterator[bytes]:
    """The body piece by piece. Django has it in a file, beyond a few pieces: reading may wait for the disk."""
    read = sync_to_async(request.read, thread_sensitive=False)
    while piece := await read(PIECE):
        yield piece
