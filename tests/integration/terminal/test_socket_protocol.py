"""Clients that speak WebSocket by the letter and mean harm: the server's memory is not theirs."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.terminal.conftest import Place
from tests.support.websocket_terminal import opened

PAGE = os.sysconf("SC_PAGE_SIZE")
ALLOWED = 4_000_000
PING = bytes((0x89, 0x80 | 125)) + bytes(4) + bytes(125)
FIRST_FRAGMENT = bytes((0x02, 0x80)) + bytes(4)
EMPTY_FRAGMENT = bytes((0x00, 0x80)) + bytes(4)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


@asynccontextmanager
async def _raw(place: Place, path: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A WebSocket after its handshake, to write any bytes to."""
    port = int(place.server.url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 12)
    key = base64.b64encode(os.urandom(16)).decode()
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}"
    writer.write(f"{head}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _write(writer: asyncio.StreamWriter, block: bytes, times: int) -> None:
    for _ in range(times):
        writer.write(block)
        await writer.drain()
        await asyncio.sleep(0)  # the server is of this loop, and reads it now: else the kernel keeps megabytes of it


@pytest.mark.parametrize(
    ("first", "then", "sent"),
    [(b"", PING, 12_000_000), (FIRST_FRAGMENT, EMPTY_FRAGMENT, 9_000_000)],
    ids=["pings", "fragments"],
)
async def test_what_is_never_answered_is_not_kept(place: Place, first: bytes, then: bytes, sent: int) -> None:
    url = await place.open("one")
    async with _raw(place, url.removeprefix(place.server.url)) as (_, writer):
        writer.write(first)
        block = then * (50_000 // len(then))
        await _write(writer, block, 40)  # what one reading of the socket takes is taken by now
        before = _resident()
        await _write(writer, block, sent // len(block))
        assert _resident() - before < ALLOWED
        async with opened(url) as other:
            await other.send_line("echo un''harmed")
            await other.expect("unharmed")


async def test_a_ping_is_answered(place: Place) -> None:
    async with opened(await place.open("one")) as terminal, asyncio.timeout(60):
        await (await terminal.socket.ping())
