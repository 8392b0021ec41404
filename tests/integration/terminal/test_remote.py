"""The client for programs, at a real relay and a real machine."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from runtime.remote import ExitStatus, NotSeen, RemoteTerminal, TerminalClosed, TerminalEnded
from tests.integration.terminal.conftest import Place
from tests.support.waiting import WITHIN, until

ROOT = Path(__file__).resolve().parents[3]


async def test_say_something_and_wait_for_what_comes(place: Place) -> None:
    url = await place.open("one")
    async with RemoteTerminal(url, size=(99, 33)) as terminal:
        await terminal.send_line("stty size; echo a''nswer")
        found = await terminal.expect(r"\n(\d+) (\d+)\r", WITHIN)
        assert found.groups() == (b"33", b"99")
        await terminal.expect("answer", WITHIN)
        await terminal.resize(80, 25)
        await terminal.send_line("stty size")
        await terminal.expect("\n25 80\r", WITHIN)
        with pytest.raises(NotSeen, match="never"):
            await terminal.expect("never", within=0.2)
        await terminal.send_line("exit 3")
        assert await terminal.exit_status(WITHIN) == ExitStatus(3, None)
        with pytest.raises(TerminalEnded):
            await terminal.expect("more", WITHIN)


async def test_a_signal_ends_it(place: Place) -> None:
    url = await place.open("one", "/bin/sh", "-c", "kill -9 $$")
    async with RemoteTerminal(url) as terminal:
        assert await terminal.exit_status(WITHIN) == ExitStatus(None, 9)


async def test_it_comes_back_and_nothing_is_lost_or_doubled(place: Place) -> None:
    url = await place.open("one", "/bin/sh", "-c", "stty raw -echo; echo ready; exec cat")
    typed = b"".join(b"%d," % number for number in range(40_000))
    async with RemoteTerminal(url) as terminal:
        await terminal.expect("ready\n", WITHIN)
        shown = bytearray()

        async def read() -> None:
            while len(shown) < len(typed):
                shown.extend(await terminal.read())

        async def is_connected() -> bool:
            return terminal.connected

        reading = asyncio.create_task(read())
        for begin in range(0, len(typed), 20_000):
            await terminal.send(typed[begin : begin + 20_000])
            await until(is_connected, "it is back")
            await terminal.cut()
        await asyncio.wait_for(reading, 60)
        assert shown == typed
        assert terminal.connections > 3
        await terminal.arrived(WITHIN)


async def test_another_client_resumes_where_one_stopped(place: Place) -> None:
    url = await place.open("one", "/bin/sh", "-c", "seq 1 50000; read x")
    async with RemoteTerminal(url) as first:
        await first.expect("\r\n20000\r\n", WITHIN)
        rest, offset = first.seen, first.offset
    async with RemoteTerminal(url, offset=offset) as second:
        second.seen = rest
        found = await second.expect(r"^20001\r\n(.|\n)*\r\n50000\r\n", WITHIN)
        assert found[0].split() == [b"%d" % number for number in range(20_001, 50_001)]


async def test_who_reads_nothing_holds_the_program_back(place: Place) -> None:
    url = await place.open("one", "/bin/sh", "-c", "stty raw -echo; read x; cat /dev/zero")
    async with RemoteTerminal(url) as terminal:
        await terminal.send(b"\n")

        async def has_all() -> bool:
            return sum(len(data) for _, data in terminal._unread) == 512 << 10

        await until(has_all, "a window has come")
        await terminal.cut()
        await until(has_all, "it is here once")


async def test_a_refusal_is_final(place: Place) -> None:
    with pytest.raises(TerminalClosed) as closed:
        async with RemoteTerminal(place.url("nowhere")):
            pass
    assert closed.value.code == 4404


async def test_what_begins_in_the_middle_says_how(place: Place) -> None:
    url = await place.open("one", "/bin/sh", "-c", r"printf '\033[?2004h'; head -c 3000000 /dev/zero; echo end; read x")
    async with RemoteTerminal(url, offset=0) as terminal:
        await terminal.expect("end", WITHIN)
    async with RemoteTerminal(url) as late:
        await late.expect("end", WITHIN)
        assert late.restored is not None
        assert b"2004" in late.restored
        assert late.restored.index(b"2004") < late.restored.index(b"h", late.restored.index(b"2004"))
    async with RemoteTerminal(url, offset=5) as gapped:
        await gapped.expect("end", WITHIN)
        assert [notice["type"] for notice in gapped.notices] == ["gap"]


async def test_an_observer_watches(place: Place) -> None:
    url = await place.open("one")
    async with RemoteTerminal(url) as owner, RemoteTerminal(url, observe=True) as observer:
        await owner.send_line("echo see''n")
        await observer.expect("seen", WITHIN)


async def test_the_example_of_the_guide(place: Place) -> None:
    guide = (ROOT / "docs" / "api.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        cwd=ROOT,
        env={**os.environ, "TERMINAL": await place.open("one"), "KEY": "any"},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert said.decode() == "the answer is 42\nExitStatus(exit_code=3, signal=None)\n"
    assert all(line in guide for line in said.decode().splitlines())
