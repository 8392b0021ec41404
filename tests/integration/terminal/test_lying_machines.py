"""What a machine that breaks the rules gets: its own socket is closed. Nothing waits for it, and nothing grows."""

import asyncio
import resource
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runtime.terminal import client as sandboxd_client
from runtime.terminal.closing import CloseCode
from runtime.terminal.frames import FrameType, encode_frame
from tests.support.liar import HELLO, Says, attached, lying, output
from tests.support.relay_server import RelayServer, relay_server
from tests.support.websocket_terminal import refused

U64 = ((1 << 64) - 1).to_bytes(8, "big")
GREETING = HELLO + attached(100, 300)

LIES: dict[str, bytes] = {
    "no hello": attached(),
    "hello of another version": HELLO.replace((1).to_bytes(4, "big"), (9).to_bytes(4, "big"), 1),
    "hello twice": HELLO + HELLO,
    "a frame of 4 GiB": HELLO + b"\xff\xff\xff\xff",
    "an empty frame": HELLO + bytes(4),
    "an unknown type": HELLO + b"\x00\x00\x00\x01\x77",
    "a type of the host": HELLO + b"\x00\x00\x00\x02\x00x",
    "an answer cut off": HELLO + encode_frame(FrameType.OK, b"\x09\x00\x00\x00\x08\x00"),
    "an answer with a field of 4 GiB": HELLO + encode_frame(FrameType.OK, b"\x09\xff\xff\xff\xff"),
    "an answer without its fields": HELLO + encode_frame(FrameType.OK),
    "an offset behind the end": HELLO + attached(300, 100),
    "a size of nothing": HELLO + attached(cols=0),
    "output from before": GREETING + output(99, b"x"),
    "output with a hole": GREETING + output(101, b"x"),
    "output twice": GREETING + output(100, b"xy") + output(100, b"xy"),
    "output at the end of numbers": GREETING + encode_frame(FrameType.OUTPUT, U64 + b"x"),
    "output without an offset": GREETING + encode_frame(FrameType.OUTPUT, b"\x00"),
    "output of nothing": GREETING + encode_frame(FrameType.OUTPUT, (100).to_bytes(8, "big")),
    "a gap backwards": GREETING + encode_frame(FrameType.GAP, (100).to_bytes(8, "big") + bytes(8)),
    "a gap elsewhere": GREETING + encode_frame(FrameType.GAP, (200).to_bytes(8, "big") + U64),
    "a gap cut off": GREETING + encode_frame(FrameType.GAP, bytes(3)),
    "a state of elsewhere": GREETING + encode_frame(FrameType.RESTORE, (99).to_bytes(8, "big") + b"x"),
    "a state of nothing": GREETING + encode_frame(FrameType.RESTORE, (100).to_bytes(8, "big")),
    "a state without end": GREETING + encode_frame(FrameType.RESTORE, (100).to_bytes(8, "big") + bytes(4097)),
    "a size beyond": GREETING + encode_frame(FrameType.RESIZED, b"\xff\xff\xff\xff"),
    "an exit of nothing": GREETING + encode_frame(FrameType.EXIT),
    "an input ack cut off": GREETING + encode_frame(FrameType.INPUT_ACK, b"x"),
    "the output of a command": GREETING + encode_frame(FrameType.STDOUT, b"x"),
    "an answer to nothing": GREETING + encode_frame(FrameType.OK),
}


@asynccontextmanager
async def relaying(says: Says) -> AsyncIterator[RelayServer]:
    with tempfile.TemporaryDirectory() as directory:
        async with lying(Path(directory) / "sock", says) as liar, relay_server(liar.dial) as server:
            yield server


@pytest.mark.parametrize("name", LIES)
async def test_a_lie_ends_its_own_socket(name: str) -> None:
    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(LIES[name])
        await writer.drain()

    async with relaying(says) as server, refused(f"{server.url}/m/t") as terminal:
        async with asyncio.timeout(60):
            while await terminal.socket_message() is not None:
                pass
        assert terminal.heard.closed is not None
        assert terminal.heard.closed.code == CloseCode.BROKEN


async def test_output_without_end_is_not_kept() -> None:
    """It ignores the window: the socket is closed after one window, and the process does not grow."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO + attached())
        for number in range(4096):
            writer.write(output(number * 65_536, bytes(65_536)))
            await writer.drain()

    async with relaying(says) as server, refused(f"{server.url}/m/t") as terminal:
        received = 0
        while (message := await terminal.socket_message()) is not None:
            received += len(message)
        assert received < 1 << 20
        assert terminal.heard.closed is not None
        assert terminal.heard.closed.code == CloseCode.BROKEN
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000, "kilobytes"


async def test_notices_without_end_are_not_kept() -> None:
    """Frames that no window bounds: they come as fast as the client reads them, and no faster."""
    sent = 0

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(HELLO + attached())
        resized = encode_frame(FrameType.RESIZED, b"\x00\x50\x00\x18") * 1000
        while True:
            writer.write(resized)
            await writer.drain()
            sent += 1

    async with relaying(says) as server, refused(f"{server.url}/m/t"):
        last = -1
        async with asyncio.timeout(60):
            while sent != last:
                last = sent
                await asyncio.sleep(0.5)
        assert sent * 9000 < 32 << 20


@pytest.mark.parametrize("first", [b"", HELLO, HELLO[:7]], ids=["silent", "silent after hello", "cut off"])
async def test_silence_is_not_waited_for_for_ever(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandboxd_client, "ANSWER_SECONDS", 0.2)

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()

    async with relaying(says) as server, refused(f"{server.url}/m/t") as terminal:
        async with asyncio.timeout(60):
            assert (await terminal.closing()).code == CloseCode.COME_BACK
