"""A WebSocket client that does next to nothing with what it gets: what is measured is the server's, not its own.

Both sides of a comparison use it. It blocks: run it in a thread.
"""

import base64
import json
import os
import socket
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

SECONDS = 60.0
"""How long it waits for anything."""


class RawSocket:
    """Whole messages, unmasked in and masked with zeros out."""

    def __init__(self, url: str, headers: Mapping[str, str], protocol: str = "") -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._space = memoryview(bytearray(1 << 18))
        self._held = bytearray()
        while b"\r\n\r\n" not in self._held:
            self._receive()
        del self._held[: self._held.index(b"\r\n\r\n") + 4]

    def _receive(self) -> None:
        got = self._socket.recv_into(self._space)
        if not got:
            raise ConnectionError("the server hung up")
        self._held += self._space[:got]

    def send(self, body: bytes, opcode: int = 2) -> None:
        size = len(body)
        head = bytes((size | 0x80,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._socket.sendall(bytes((0x80 | opcode,)) + head + bytes(4) + body)

    @property
    def idle(self) -> bool:
        """Nothing that came is left to be looked at."""
        return not self._held

    def message(self) -> bytes:
        """The next one, of any type."""
        while True:
            head, size = self._header()
            if head and len(self._held) >= head + size:
                body = bytes(memoryview(self._held)[head : head + size])
                del self._held[: head + size]
                return body
            self._receive()

    def _header(self) -> tuple[int, int]:
        """Its length and the body's; a length of 0: it is not there so far."""
        held = self._held
        short = held[1] & 0x7F if len(held) >= 2 else 0
        more = {126: 2, 127: 8}.get(short, 0)
        if len(held) < 2 + more:
            return 0, 0
        return 2 + more, int.from_bytes(held[2 : 2 + more], "big") if more else short

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()


class RawLink(Protocol):
    """A terminal as a program holds it that reads as fast as it can."""

    def send(self, data: bytes) -> None:
        """Types."""

    def read(self) -> bytes:
        """The next piece of output; for some, with wrappings."""

    def fileno(self) -> int:
        """For a selector; it says nothing of what came with the last message."""

    @property
    def idle(self) -> bool:
        """Nothing that came is left to be read."""

    def close(self) -> None:
        """Hangs up."""


class RawPlayground:
    """`playground.terminal.v1`, acknowledging when all that came was read, or 64 KiB, as the page does."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._socket = RawSocket(url, headers, "playground.terminal.v1")
        self._acknowledged = 0

    def send(self, data: bytes) -> None:
        self._socket.send(b"\x00" + data)

    def read(self) -> bytes:
        while (message := self._socket.message())[0] != 0x81:
            pass
        end = int.from_bytes(message[1:9], "big") + len(message) - 9
        if self._socket.idle or end - self._acknowledged >= 65_536:
            self._acknowledged = end
            self._socket.send(b"\x02" + end.to_bytes(8, "big"))
        return message[9:]

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def idle(self) -> bool:
        return self._socket.idle

    def close(self) -> None:
        self._socket.close()


class RawTerminado:
    """terminado's JSON, not decoded: that would be the client's work, not the server's."""

    def __init__(self, url: str) -> None:
        self._socket = RawSocket(url, {})

    def send(self, data: bytes) -> None:
        self._socket.send(json.dumps(["stdin", data.decode()]).encode(), 1)

    def read(self) -> bytes:
        return self._socket.message()

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def idle(self) -> bool:
        return self._socket.idle

    def close(self) -> None:
        self._socket.close()


def read_until(link: RawLink, mark: bytes) -> None:
    """Reads until `mark` has been seen."""
    tail = b""
    while True:
        data = link.read()
        if mark in tail + data[: len(mark)] or mark in data:
            return
        tail = (tail + data)[-len(mark) :]
