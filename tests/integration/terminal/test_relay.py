"""What a well-behaved client gets."""

import asyncio
import os
import random

import pytest

from runtime.terminal.closing import CloseCode
from runtime.terminal.relay import Ending
from tests.integration.terminal.conftest import Place
from tests.support.machine_terminal import run
from tests.support.waiting import until
from tests.support.websocket_terminal import opened, refused

WINDOW = 512 << 10
LINES = "i=0; while [ $i -lt 5000 ]; do echo line $i of a long output; i=$((i+1)); done"


async def test_hello_then_a_shell(place: Place) -> None:
    url = await place.open("one")
    async with opened(url, cols=99, rows=33) as terminal:
        hello = terminal.heard.hello
        assert (hello["terminal"], hello["machine"], hello["role"]) == ("public-one", "main", "control")
        assert (hello["offset"], hello["cols"], hello["rows"], hello["input"]) == (0, 99, 33, 0)
        assert terminal.socket.subprotocol == "playground.terminal.v1"
        await terminal.send_line("stty size")
        await terminal.expect("33 99")
        assert place.server.inputs == 1


async def test_bytes_are_bytes(place: Place) -> None:
    """No byte is decoded, dropped or added on the way."""
    url = await place.open("raw", "/bin/sh", "-c", "stty raw -echo; echo ready; cat")
    sent = bytes(range(256)) * 4
    async with opened(url) as terminal:
        await terminal.expect("ready")
        await terminal.expect("\n")
        await terminal.send(sent)
        while len(terminal.seen) < len(sent):
            terminal.seen += await terminal.read()
        assert terminal.seen == sent


async def test_who_comes_back_gets_every_byte_once(place: Place) -> None:
    url = await place.open("long", "/bin/sh", "-c", f"{LINES}; read wait")
    chance = random.Random(7)
    got = b""
    while not got.endswith(b"line 4999 of a long output\r\n"):
        async with opened(url, offset=len(got)) as terminal:
            assert terminal.heard.hello["offset"] == len(got)
            until_here = len(got) + chance.randrange(1, 60_000)
            while len(got) < until_here and not got.endswith(b"4999 of a long output\r\n"):
                got += await terminal.read()
            # What was sent and not read when the network goes is what has to come again.
            terminal.vanish()
    assert got == b"".join(b"line %d of a long output\r\n" % number for number in range(5000))


async def test_what_has_left_the_ring_is_a_gap(place: Place) -> None:
    url = await place.open("flood", "/bin/sh", "-c", "head -c 3000000 /dev/zero; echo; echo end; read wait")
    async with opened(url) as terminal:
        await terminal.expect("end")
        end = terminal.offset
    async with opened(url, offset=10) as terminal:
        await terminal.expect("end")
        gaps = [notice for notice in terminal.heard.notices if notice["type"] == "gap"]
        assert len(gaps) == 1
        assert gaps[0]["from"] == 10
        assert gaps[0]["to"] == pytest.approx(end - place.case.config.ring_bytes, abs=200_000)
        assert terminal.heard.hello["offset"] in {10, gaps[0]["to"]}
        assert len(terminal.heard.restored) == 1


async def test_the_window_stops_output_and_an_ack_moves_it(place: Place) -> None:
    url = await place.open("flood", "/bin/sh", "-c", "head -c 3000000 /dev/zero; echo; echo end; read wait")
    async with opened(url) as terminal:
        terminal.acknowledging = False
        # What was written before anybody came may have left the ring.
        begin = terminal.offset
        while terminal.offset < begin + WINDOW:
            await terminal.read()
        assert terminal.offset == begin + WINDOW
        # An answer to this passes by, so more output would have come before it.
        await terminal.resize(70, 20)
        while not terminal.heard.notices:
            message = await terminal.next()
            assert message is not None
            assert message[0] != 0x81, "output beyond the window"
        await terminal.acknowledge(begin + 1000)
        assert len(await terminal.read()) == 1000
        terminal.acknowledging = True
        await terminal.acknowledge()
        await terminal.expect("end")


async def test_a_client_that_reads_nothing_harms_nobody(place: Place) -> None:
    url = await place.open("flood", "/bin/sh", "-c", "sleep 0.2; head -c 3000000 /dev/zero; echo; echo end; read wait")
    async with opened(url) as sleeper, opened(url) as reader:
        sleeper.acknowledging = False
        await reader.expect("end")


async def test_ctrl_c_passes_a_flood(place: Place) -> None:
    url = await place.open("one")
    async with opened(url) as terminal:
        await terminal.send_line("yes; echo st''opped")
        await terminal.expect("y\r\ny\r\n")
        await terminal.send(b"\x03")
        await terminal.send_line("echo al''ive")
        await terminal.expect("alive")


@pytest.mark.parametrize("seed", range(3))
async def test_input_is_accepted_exactly_once_however_often_the_line_is_cut(place: Place, seed: int) -> None:
    chance = random.Random(seed)
    target = place.case.config.run_directory.parent / "typed"
    url = await place.open("sink", "/bin/sh", "-c", f"stty raw -echo; echo ready; cat > {target}")
    sent = b"".join(b"%d," % number for number in range(20_000))
    client = chance.getrandbits(64)
    async with opened(url, client=client) as terminal:
        await terminal.expect("ready")
    accepted = 0
    while accepted < len(sent):
        async with opened(url, client=client) as terminal:
            assert terminal.heard.input_accepted >= accepted
            accepted = at = terminal.heard.input_accepted
            until_here = min(len(sent), at + chance.randrange(1, 30_000))
            while at < until_here:
                piece = sent[at : at + chance.randrange(1, 5000)]
                await terminal.send_at(at, piece)
                at += len(piece)
            if chance.random() < 0.5:
                while terminal.heard.input_accepted < at:
                    assert await terminal.next() is not None
            terminal.vanish()

    async def is_all_there() -> bool:
        return target.exists() and target.stat().st_size >= len(sent)

    await until(is_all_there, "all input has arrived")
    assert target.read_bytes() == sent


async def test_two_clients_see_and_type_in_one_terminal(place: Place) -> None:
    url = await place.open("one")
    async with opened(url) as first, opened(url) as second:
        await first.send_line("name=one")
        # Each has a way of its own, so the second is only behind the first when that has arrived.
        await second.expect("name=one")
        await second.send_line("echo hello from $name")
        await first.expect("hello from one")
        await second.expect("hello from one")
        await first.resize(61, 21)
        while {"type": "resized", "cols": 61, "rows": 21} not in second.heard.notices:
            assert await second.next() is not None


async def test_an_observer_sees_and_neither_types_nor_resizes(place: Place) -> None:
    url = await place.open("one")
    async with opened(url) as terminal:
        for message in (b"\x00rm -rf /\r", b"\x01\x00\x50\x00\x18", b"\x03" + bytes(8) + b"x"):
            async with opened(url, role="observe", cols=10, rows=10, client=5) as observer:
                assert observer.heard.hello["role"] == "observe"
                assert observer.heard.hello["cols"] == 80
                await terminal.send_line("echo sh''own")
                await observer.expect("shown")
                await observer.socket.send(message)
                assert (await observer.closing()).code == CloseCode.FORBIDDEN
        await terminal.send_line("echo still he''re")
        await terminal.expect("still here")


async def test_the_end_of_the_process_is_an_exit(place: Place) -> None:
    for terminal_id, command, expected in (
        ("code", "echo bye; exit 3", {"exit_code": 3, "signal": None, "reason": "exited"}),
        ("signal", "echo bye; kill -9 $$", {"exit_code": None, "signal": 9, "reason": "signal"}),
    ):
        url = await place.open(terminal_id, "/bin/sh", "-c", command)
        for _ in range(2):  # it can be read again afterwards
            async with opened(url) as terminal:
                await terminal.expect("bye")
                assert (await terminal.closing()).code == CloseCode.DONE
                assert terminal.heard.exit == expected


async def test_an_ended_session_is_told_why(place: Place) -> None:
    url = await place.open("one")
    place.server.ending = Ending(CloseCode.ENDED, "Your time is over.", "expired")
    async with opened(url) as terminal:
        await place.kill_machine()
        closed = await terminal.closing()
        assert (closed.code, closed.reason) == (CloseCode.ENDED, "Your time is over.")
        assert terminal.heard.notices[-1] == {"type": "ended", "reason": "expired", "message": "Your time is over."}


async def test_a_lost_machine_asks_to_come_back(place: Place) -> None:
    url = await place.open("one")
    async with opened(url) as terminal:
        await place.kill_machine()
        assert (await terminal.closing()).code == CloseCode.COME_BACK
        assert terminal.heard.notices == []


async def test_a_closed_terminal_is_unknown(place: Place) -> None:
    async with refused(place.url("nothing")) as terminal:
        assert (await terminal.closing()).code == CloseCode.UNKNOWN


async def test_a_stopping_server_asks_to_come_back(place: Place) -> None:
    url = await place.open("one")
    async with opened(url) as terminal:
        assert place.server.uvicorn is not None
        place.server.uvicorn.should_exit = True
        assert (await terminal.closing()).code == CloseCode.COME_BACK


async def test_a_client_that_vanishes_leaves_nothing(place: Place) -> None:
    url = await place.open("one")
    async with opened(url):
        pass
    await _settled(place)
    descriptors, tasks = len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())  # noqa: PTH208
    for _ in range(10):
        async with opened(url) as terminal:
            await terminal.send_line("echo he''re")
            await terminal.expect("here")
            terminal.vanish()

    async def is_as_before() -> bool:
        return len(os.listdir("/proc/self/fd")) <= descriptors and len(asyncio.all_tasks()) <= tasks  # noqa: PTH208

    await until(is_as_before, "descriptors and tasks are as before")
    assert (await run(place.case.engine, place.machine_id, "true")).status.exit_code == 0


async def test_a_paste_into_a_flood_does_not_jam(place: Place) -> None:
    """The program reads nothing and writes on: acknowledgements must pass the input that it does not take."""
    url = await place.open("flood", "/bin/sh", "-c", "stty raw -echo; echo ready; head -c 1 >/dev/null; exec yes")
    async with opened(url, client=77) as terminal:
        await terminal.expect("ready")
        for at in range(0, 128 << 10, 16 << 10):
            await terminal.send_at(at, bytes(16 << 10))
        start = terminal.offset
        async with asyncio.timeout(60):
            while terminal.offset < start + 4 * WINDOW:
                assert await terminal.read() != b""


async def _settled(place: Place) -> None:
    async def is_quiet() -> bool:
        return place.server.open == 0

    await until(is_quiet, "no socket is relayed")
