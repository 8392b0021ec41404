"""No request brings more bytes than its address takes: Django would write them all to disk before it asks anybody.

Large files are taken of people alone, for the same reason: the disk is not the strangers' to fill.
"""

import logging
import re
import secrets
from collections.abc import MutableMapping
from typing import Any

from django.db import DatabaseError

from playground.accounts.identify import somebody_sent
from playground.accounts.sockets import headers_of
from playground.api.errors import NotAuthenticated, NotReady, TooLarge
from playground.api.problems import answer_of
from playground.database import in_database
from playground.errors import SiteError
from runtime.asgi import Application, Receive, Scope, Send

log = logging.getLogger(__name__)


MOST_BYTES = 1024 * 1024
MOST_FILE_BYTES = 64 * 1024 * 1024
MOST_DRAINED = 8 * 1024 * 1024
"""So much of what is refused is still read: a client that is cut off while it sends never sees the answer."""
_FILE = re.compile(r"/api/v1/sessions/[^/]+/files", re.ASCII)


class _Exceeded(Exception):
    """More came than was announced, or than is taken."""


class BodyLimit:
    """Wraps the application for HTTP requests; answers 413 itself."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        limit, announced = MOST_BYTES, _announced(scope)
        if scope["method"] == "PUT" and _FILE.fullmatch(scope["path"]) and not 0 < announced <= MOST_BYTES:
            refusal = await _refusal_of_stranger(scope)
            if refusal is not None:
                await _refuse(receive, send, refusal)
                return
            limit = MOST_FILE_BYTES
        if announced > limit:
            await _refuse(receive, send, TooLarge())
            return
        seen = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _Exceeded
            return message

        try:
            await self._application(scope, counted, send)
        except _Exceeded:
            await _refuse(receive, send, TooLarge())


async def _refusal_of_stranger(scope: Scope) -> SiteError | None:
    try:
        known = await in_database(somebody_sent)(headers_of(scope))
    except DatabaseError:
        log.exception("a large body was refused, because nobody could say whose it is")
        return NotReady(retry_after=2)
    return None if known else NotAuthenticated()


def _announced(scope: Scope) -> int:
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(values[0]) if values and values[0].isdigit() else 0


async def _refuse(receive: Receive, send: Send, error: SiteError) -> None:
    drained, more = 0, True
    while more and drained < MOST_DRAINED:
        message = await receive()
        drained += len(message.get("body", b""))
        more = message.get("more_body", False)
    request_id = secrets.token_hex(8)
    answer = answer_of(error, request_id)
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.items()]
    headers += [(b"x-request-id", request_id.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})
