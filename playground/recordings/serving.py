"""The file of a recording as the answer to a request: piece by piece, whatever its size."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse

from playground.recordings.errors import NotSatisfiable
from runtime.recording import file
from runtime.recording.asciicast import as_version_2

ASCIICAST = "application/x-asciicast"
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})", re.ASCII)
"""The form that players send. What is another, e.g. several ranges, is answered with the whole, as HTTP allows."""


def version_2(path: Path) -> StreamingHttpResponse:
    """Made anew from version 3, so its size is not known before."""
    return StreamingHttpResponse(_without_waiting(_joined(as_version_2(file.lines(path)))), content_type=ASCIICAST)


async def version_3(path: Path, request: HttpRequest) -> StreamingHttpResponse:
    """The file's whole batches, or the range of them that is asked for. Raises NotSatisfiable.

    What was served once stays as it is while the recording grows, so that who has a part of it can ask for the rest;
    until somebody stops it: then what came after that is taken back.
    """
    size = await sync_to_async(file.whole_bytes, thread_sensitive=False)(path)
    # There are no validators, so whoever sends one has it from elsewhere.
    wanted = None if "If-Range" in request.headers else _RANGE.fullmatch(request.headers.get("Range", "").strip())
    begin, end = 0, size
    if wanted is not None:
        begin, end = int(wanted[1]), min(size, int(wanted[2]) + 1) if wanted[2] else size
        if begin >= size:
            raise NotSatisfiable(f"The recording does not go so far: it has {size} bytes.")
        if end <= begin:
            wanted, begin, end = None, 0, size
    response = StreamingHttpResponse(_without_waiting(file.pieces(path, begin, end)), content_type=ASCIICAST)
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(end - begin)
    if wanted is not None:
        response.status_code = 206
        response["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    return response


async def _without_waiting(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Reading waits for the disk, so not on the event loop."""
    following = sync_to_async(lambda: next(pieces, b""), thread_sensitive=False)
    while piece := await following():
        yield piece


def _joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Many lines at once, whole ones."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= file.PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
