"""What a client that breaks the rules gets: 4400 for itself, and nothing for anybody else."""

import asyncio

import pytest
from websockets.asyncio.client import connect

from runtime.terminal import relay
from runtime.terminal.closing import CloseCode
from tests.integration.terminal.conftest import Place
from tests.support.waiting import WITHIN, until
from tests.support.websocket_terminal import WebSocketTerminal, opened, refused

U64 = (1 << 64) - 1
BAD: dict[str, bytes | str] = {
    "text": "ls\r",
    "empty text": "",
    "empty": b"",
    "unknown type": b"\x7f",
    "a type of the server": b"\x81" + bytes(9),
    "a request of the host": b"\x10",
    "STDIN": b"\x08rm",
    "empty input": b"\x00",
    "input too large": b"\x00" + bytes(65_537),
    "resize to nothing": b"\x01\x00\x00\x00\x00",
    "resize to no rows": b"\x01\x00\x50\x00\x00",
    "resize too wide": b"\x01\x03\xe9\x00\x18",
    "resize cut off": b"\x01\x00\x50",
    "resize too long": b"\x01\x00\x50\x00\x18\x00",
    "ack cut off": b"\x02\x00",
    "ack of the future": b"\x02" + U64.to_bytes(8, "big"),
    "counted input cut off": b"\x03\x00",
    "counted input of nothing": b"\x03" + bytes(8),
    "counted input with a hole": b"\x03" + (5).to_bytes(8, "big") + b"x",
    "counted input too large": b"\x03" + bytes(8) + bytes(65_537),
}


@pytest.mark.parametrize("name", BAD)
async def test_it_is_closed_and_the_terminal_goes_on(place: Place, name: str) -> None:
    url = await place.open("one")
    async with opened(url) as other:
        async with opened(url, client=9) as hostile:
            await hostile.socket.send(BAD[name])
            closed = await hostile.closing()
            assert closed.code == CloseCode.PROTOCOL_ERROR
            assert 0 < len(closed.reason.encode()) <= 123
        await other.send_line("echo un''harmed")
        await other.expect("unharmed")


async def test_counted_input_needs_a_client_number(place: Place) -> None:
    async with opened(await place.open("one")) as hostile:
        await hostile.send_at(0, b"x")
        assert (await hostile.closing()).code == CloseCode.PROTOCOL_ERROR


async def test_an_offset_of_the_future_is_refused(place: Place) -> None:
    url = await place.open("one")
    async with refused(f"{url}?offset={U64 >> 1}") as hostile:
        assert (await hostile.closing()).code == CloseCode.PROTOCOL_ERROR


async def test_a_message_beyond_all_measure_is_not_even_read(place: Place) -> None:
    url = await place.open("one")
    async with opened(url) as hostile:
        await hostile.socket.send(bytes(1 << 20))
        assert (await hostile.closing()).code in {1009, CloseCode.PROTOCOL_ERROR}
    async with opened(url) as other:
        await other.send_line("echo un''harmed")
        await other.expect("unharmed")


async def test_a_hundred_sockets_and_an_end(place: Place) -> None:
    """More than sandboxd takes: each either works or is told, and room is back when they are gone."""
    url = await place.open("one")
    wish = {"subprotocols": ["playground.terminal.v1"], "compression": None, "open_timeout": WITHIN}
    sockets = [await connect(url, **wish) for _ in range(140)]  # type: ignore[arg-type]
    try:
        firsts = [await socket.recv() for socket in sockets[:100]]
        assert all(isinstance(first, bytes) and first[0] == 0x80 for first in firsts)
    finally:
        for socket in sockets:
            await socket.close()
    async with opened(url) as other:
        await other.send_line("echo un''harmed")
        await other.expect("unharmed")


async def test_who_floods_a_deaf_program_and_vanishes_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While input waits for room nobody reads the socket, so nobody would notice."""
    # Longer than the flood, also where the machine that tests run on stands still for a moment.
    monkeypatch.setattr(relay, "STUCK_SECONDS", 6.0)
    url = await place.open("deaf", "/bin/sh", "-c", "stty raw -echo; echo ready; exec sleep 600")
    async with opened(url) as hostile:
        await hostile.expect("ready")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_flood(hostile), 1)
        assert place.server.open == 1
        hostile.vanish()

        async def is_gone() -> bool:
            return place.server.open == 0

        await until(is_gone, "its place is free")


async def _flood(terminal: WebSocketTerminal) -> None:
    while True:
        await terminal.socket.send(b"\x00" + b"x" * 60_000)
