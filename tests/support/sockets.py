"""The site's WebSockets, as a program opens them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

WITHIN = 60.0
"""Seconds: several times what the site needs to notice by the clock alone what it was not told, on a busy machine."""


@contextmanager
def opened(url: str, headers: dict[str, str] | None = None, origin: str | None = None) -> Iterator[ClientConnection]:
    """A socket; closed at the end."""
    with connect(
        url, additional_headers=headers, origin=origin, open_timeout=WITHIN, max_size=1 << 22, compression=None
    ) as socket:
        yield socket


def close_code(url: str, headers: dict[str, str] | None = None, origin: str | None = None) -> tuple[int, str]:
    """With what code and reason the site closes this socket; whatever it sends before is dropped."""
    with opened(url, headers, origin) as socket:
        read_to_the_end(socket)
        assert socket.close_code is not None
        return socket.close_code, socket.close_reason or ""


def read_to_the_end(socket: ClientConnection) -> None:
    """Drops what comes until the site closes the socket."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=WITHIN)


def next_json(socket: ClientConnection) -> dict[str, object]:
    """The next message."""
    message: dict[str, object] = json.loads(socket.recv(timeout=WITHIN))
    return message
