"""A terminal as a browser holds it: `playground.terminal.v1` over a WebSocket."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from runtime.remote.expecting import Expecting
from tests.support.waiting import WITHIN

SUBPROTOCOL = "playground.terminal.v1"
HELLO, OUTPUT, EXIT, NOTICE, INPUT_ACK, RESTORE = 0x80, 0x81, 0x82, 0x83, 0x84, 0x85
INPUT, RESIZE, ACK, INPUT_AT = 0x00, 0x01, 0x02, 0x03


@dataclass(frozen=True, slots=True)
class Closed:
    """How the server closed the socket."""

    code: int
    reason: str


@dataclass(slots=True)
class Heard:
    """Everything that was said beside output."""

    hello: dict[str, Any] = field(default_factory=dict)
    exit: dict[str, Any] | None = None
    notices: list[dict[str, Any]] = field(default_factory=list)
    input_accepted: int = 0
    restored: list[bytes] = field(default_factory=list)
    closed: Closed | None = None


class WebSocketTerminal(Expecting):
    """Checks that offsets follow each other, and acknowledges what was read unless `acknowledging` is off."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__()
        self.socket = socket
        self.heard = Heard()
        self.offset = 0
        """Of the next byte of output."""
        self.acknowledging = True

    async def read(self) -> bytes:
        """The next output; empty once the socket is closed, with `heard.closed` saying how."""
        while True:
            message = await self.next()
            if message is None:
                return b""
            if message[0] == OUTPUT:
                return message[9:]

    async def next(self) -> bytes | None:
        """The next message of any type, taken note of; None once the socket is closed."""
        message = await self.socket_message()
        if message is not None:
            await self._note(message)
        return message

    async def socket_message(self) -> bytes | None:
        """The next message, whatever it says; None once the socket is closed."""
        try:
            message = await self.socket.recv()
        except ConnectionClosed as closed:
            self.heard.closed = Closed(closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else Closed(1006, "")
            return None
        assert isinstance(message, bytes)
        return message

    async def _note(self, message: bytes) -> None:
        kind = message[0]
        if kind == OUTPUT:
            offset = int.from_bytes(message[1:9], "big")
            assert offset == self.offset, f"output at {offset} where {self.offset} follows"
            self.offset += len(message) - 9
            if self.acknowledging:
                await self.acknowledge()
        elif kind == INPUT_ACK:
            self.heard.input_accepted = int.from_bytes(message[1:9], "big")
        elif kind == RESTORE:
            assert int.from_bytes(message[1:9], "big") == self.offset
            self.heard.restored.append(message[9:])
        elif kind == EXIT:
            self.heard.exit = json.loads(message[1:])
        elif kind == NOTICE:
            notice = json.loads(message[1:])
            self.heard.notices.append(notice)
            if notice["type"] == "gap":
                assert notice["from"] == self.offset
                self.offset = notice["to"]
        else:
            raise AssertionError(f"type {kind:#x} after HELLO")

    async def greet(self, offset: int | None) -> None:
        """Reads HELLO, which comes first."""
        message = await self.socket.recv()
        assert isinstance(message, bytes)
        assert message[0] == HELLO
        self.heard.hello = json.loads(message[1:])
        self.offset = self.heard.hello["offset"] if offset is None else offset
        self.heard.input_accepted = self.heard.hello["input"]

    async def expect(self, pattern: str | bytes, within: float = WITHIN) -> re.Match[bytes]:
        """As a program does it, with more patience: the machine that tests run on may be busy."""
        return await super().expect(pattern, within)

    async def send(self, data: bytes) -> None:
        await self.socket.send(bytes((INPUT,)) + data)

    async def send_at(self, offset: int, data: bytes) -> None:
        """Input that is counted, so that repeating it is harmless."""
        await self.socket.send(bytes((INPUT_AT,)) + offset.to_bytes(8, "big") + data)

    async def resize(self, cols: int, rows: int) -> None:
        await self.socket.send(bytes((RESIZE,)) + cols.to_bytes(2, "big") + rows.to_bytes(2, "big"))

    async def acknowledge(self, offset: int | None = None) -> None:
        """All output before `offset`, or all that was read."""
        await self.socket.send(bytes((ACK,)) + (self.offset if offset is None else offset).to_bytes(8, "big"))

    async def closing(self) -> Closed:
        """Reads to the end; how the server closed the socket."""
        async with asyncio.timeout(WITHIN):
            while await self.next() is not None:
                pass
        assert self.heard.closed is not None
        return self.heard.closed

    def vanish(self) -> None:
        """As when the network is gone: no close, nothing more is read or sent."""
        self.socket.transport.abort()


@asynccontextmanager
async def opened(
    url: str, *, offset: int | None = None, headers: dict[str, str] | None = None, **query: object
) -> AsyncIterator[WebSocketTerminal]:
    """A socket that was greeted; closed afterwards."""
    asked = {**query, **({} if offset is None else {"offset": offset})}
    address = f"{url}?{urlencode(asked)}" if asked else url
    async with connect(
        address,
        additional_headers=headers,
        subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # a plain string is one
        compression=None,
        max_size=1 << 20,
        open_timeout=WITHIN,
    ) as socket:
        terminal = WebSocketTerminal(socket)
        await terminal.greet(offset)
        yield terminal


@asynccontextmanager
async def refused(url: str) -> AsyncIterator[WebSocketTerminal]:
    """A socket that may be closed before it is greeted."""
    async with connect(url, subprotocols=[SUBPROTOCOL], compression=None, open_timeout=WITHIN) as socket:  # type: ignore[list-item]
        yield WebSocketTerminal(socket)
