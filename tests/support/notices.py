"""What a terminal's socket says beside its output."""

import json
import time
from typing import Any

from websockets.sync.client import ClientConnection

from tests.support.sockets import WITHIN

HELLO, NOTICE = 0x80, 0x83


def greeted(socket: ClientConnection) -> dict[str, Any]:
    """HELLO, which comes first."""
    message = socket.recv(timeout=WITHIN)
    assert isinstance(message, bytes)
    assert message[0] == HELLO
    return dict(json.loads(message[1:]))


def next_notice(socket: ClientConnection, kind: str, within: float = WITHIN) -> dict[str, Any]:
    """The next NOTICE of this type; whatever comes before it is dropped."""
    until = time.monotonic() + within
    while True:
        message = socket.recv(timeout=max(0, until - time.monotonic()))
        if isinstance(message, bytes) and message[0] == NOTICE:
            notice: dict[str, Any] = json.loads(message[1:])
            if notice["type"] == kind:
                return notice
