"""Clients and machines that mean harm beside ones that do not: only they are dropped."""

import asyncio
import base64
import os
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runtime.engines.base import Stream
from runtime.terminal.closing import CloseCode
from tests.integration.terminal.conftest import Place
from tests.integration.terminal.test_lying_machines import LIES
from tests.support.liar import lying
from tests.support.relay_server import relay_server
from tests.support.waiting import until
from tests.support.websocket_terminal import WebSocketTerminal, opened, refused

CONNECTS = 1000
AT_ONCE = 50


@asynccontextmanager
async def raw(place: Place, url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A socket after its handshake, to write any bytes to."""
    port = int(place.server.url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    head = f"GET {url.removeprefix(place.server.url)} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade"
    writer.write(f"{head}\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def frame(body: bytes) -> bytes:
    """A binary message as a browser sends it."""
    mask = os.urandom(4)
    size = bytes((0x80 | len(body),)) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2, "big")
    return b"\x82" + size + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(body))


async def works(terminal: WebSocketTerminal, word: str) -> None:
    await terminal.send_line(f"echo {word[:1]}''{word[1:]}")
    await terminal.expect(word)


@pytest.mark.parametrize("step", [1, 2, 7, 64])
async def test_frames_that_come_in_any_pieces(place: Place, step: int) -> None:
    url = await place.open("one")
    typed = b"".join(frame(b"\x00" + piece) for piece in (b"echo ", b"cut", b"''-", b"x" * 300, b"\r"))
    async with raw(place, url) as (reader, writer):
        for begin in range(0, len(typed), step):
            writer.write(typed[begin : begin + step])
            await writer.drain()
            await asyncio.sleep(0)
        seen = b""
        async with asyncio.timeout(60):
            while b"cut-" + b"x" * 300 not in seen:
                seen += await reader.read(65_536)


@pytest.mark.parametrize("seed", range(4))
async def test_any_bytes_end_their_own_socket_alone(place: Place, seed: int) -> None:
    chance = random.Random(seed)
    # Some of the bytes are typed, and no end of file, stopped output or quoted Ctrl-C must outlast them.
    url = await place.open("one", "/bin/sh", "-c", "stty -ixon eof undef lnext undef; exec /bin/sh")
    async with opened(url) as other:
        await works(other, "ready")
        for _ in range(40):
            async with raw(place, url) as (_, writer):
                good = frame(bytes((chance.choice([0, 1, 2, 3]),)) + chance.randbytes(chance.randrange(40)))
                bad = bytearray(good * chance.randrange(1, 4))
                for _ in range(chance.randrange(1, 6)):
                    bad[chance.randrange(len(bad))] = chance.randrange(256)
                writer.write(bytes(bad[: chance.randrange(1, len(bad) + 1)]))
                await asyncio.sleep(0)

        async def gone() -> bool:
            return place.server.open == 1

        # What they typed may come until then, and would stand in the middle of what is typed here.
        await until(gone, "the others are gone")
        await other.send(b"\x03\x15\r")
        await works(other, "unharmed")


async def test_acknowledgements_out_of_order(place: Place) -> None:
    """Older ones say nothing new; the stream goes on as if they had not come."""
    url = await place.open(
        "one", "/bin/sh", "-c", "stty raw -echo; head -c 1 >/dev/null; head -c 3000000 /dev/zero; echo end"
    )
    chance = random.Random(1)
    async with opened(url) as terminal:
        terminal.acknowledging = False
        await terminal.send(b"x")
        async with asyncio.timeout(60):
            while b"end" not in await terminal.read():
                for offset in (terminal.offset, 0, chance.randrange(terminal.offset + 1), terminal.offset):
                    await terminal.acknowledge(offset)
        assert (await terminal.closing()).code == CloseCode.DONE


async def test_a_thousand_connects(place: Place) -> None:
    """Cut at any moment of the handshake or after it; places are free again."""
    url = await place.open("one")
    chance = random.Random(2)
    port = int(place.server.url.rsplit(":", 1)[1])
    limit = asyncio.Semaphore(AT_ONCE)

    async def connect() -> None:
        async with limit:
            if chance.random() < 0.5:
                async with raw(place, url) as (_, writer):
                    writer.write(frame(b"\x00#"))
            else:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"[: chance.randrange(50)])
                writer.transport.abort()

    async with opened(url) as other:
        await asyncio.gather(*(connect() for _ in range(CONNECTS)), return_exceptions=True)

        async def gone() -> bool:
            return place.server.open == 1

        await until(gone, "the thousand are gone", 60)
        await other.send(b"\x03\x15\r")
        await works(other, "unharmed")


async def test_liars_beside_a_good_machine(place: Place) -> None:
    """All lies at once in one web process; somebody types beside them and notices nothing."""
    lies = list(LIES.values())

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(lies[said.pop()])
        await writer.drain()

    said = list(range(len(lies)))
    await place.open("one")
    with tempfile.TemporaryDirectory() as directory:
        async with lying(Path(directory) / "sock", says) as liar:

            async def dial(machine_id: str) -> Stream:
                return await (liar.dial(machine_id) if machine_id == "liar" else place.case.engine.dial(machine_id))

            async with relay_server(dial) as server, opened(f"{server.url}/{place.machine_id}/one") as good:

                async def believe() -> int:
                    async with refused(f"{server.url}/liar/t") as terminal, asyncio.timeout(60):
                        while await terminal.socket_message() is not None:
                            await asyncio.sleep(0)
                    assert terminal.heard.closed is not None
                    return terminal.heard.closed.code

                codes = asyncio.gather(*(believe() for _ in lies))
                for number in range(20):
                    await works(good, f"word-{number}-")
                assert set(await codes) == {CloseCode.BROKEN}
                await works(good, "unharmed")
