"""kill -9 of every process of the site while somebody types: the same shell, no byte lost, none doubled."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager

import pytest
from websockets.sync.client import connect

from tests.support.launched import LOOK_SECONDS, Launched
from tests.support.sockets import read_to_the_end
from tests.support.typist import Typist
from tests.support.waiting import WITHIN, until, wait

LINES_BETWEEN = 40
"""So many lines come back between two kills."""
STEP = 100_000
"""Lines at a time. They have fewer bytes than a terminal keeps while nobody can watch: nothing may be lost."""
A_MILLION = (
    b"stty raw -echo; i=0; printf 'RE''ADY'; while [ $i -lt 10 ]; do read go; "
    b"seq $((i * %d + 1)) $(((i + 1) * %d)); i=$((i + 1)); done; read go; printf 'DO''NE'; stty sane\n"
) % (STEP, STEP)
NUMBERS = b"".join(b"%d\n" % number for number in range(1, 1_000_001))
TURNS = ("web", "worker", "beat", "valkey", "recorder")


@pytest.fixture
async def typist(copy: Launched, key: str) -> AsyncIterator[Typist]:
    """At the terminal of a new session."""
    with copy.api(key) as api:
        session = await asyncio.to_thread(copy.start_session, api)
        typist = Typist(session["terminals"][0]["websocket_url"], key)
        task = asyncio.create_task(typist.run())
        yield typist
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError), results
        assert api.get(f"/sessions/{session['id']}").json()["state"] == "running"
        assert api.delete(f"/sessions/{session['id']}").status_code == 204


async def shell_number(typist: Typist, mark: str) -> bytes:
    """The process id of the shell that we type into."""
    typist.type(f"echo {mark}'='$$.\n".encode())
    await typist.shows(f"\n{mark}=".encode())
    await until(lambda: _found(typist, mark), "the number of the shell")
    found = _number(typist, mark)
    assert found is not None
    return found


async def _found(typist: Typist, mark: str) -> bool:
    return _number(typist, mark) is not None


def _number(typist: Typist, mark: str) -> bytes | None:
    found = re.search(rf"\n{mark}=(\d+)\.".encode(), typist.output)
    return found[1] if found else None


class Echo:
    """A raw `cat` in the terminal: what is shown from here on is what was typed, byte for byte."""

    def __init__(self, typist: Typist) -> None:
        self._typist = typist
        self._start = 0
        self.expected = bytearray()

    async def begin(self) -> None:
        self._typist.type(b"stty raw -echo isig; printf 'RE''ADY'; exec_cat() { cat; }; exec_cat\n")
        await self._typist.shows(b"READY")
        self._start = self._typist.output.index(b"READY") + len(b"READY")

    def line(self, number: int) -> None:
        text = b"%08d the quick brown fox\n" % number
        self.expected += text
        self._typist.type(text)

    async def end(self) -> None:
        """Ctrl-C, and the shell is there again."""
        self._typist.type(b"\x03")
        await until(self._prompts, "the prompt after Ctrl-C")
        self._typist.type(b"stty sane\n")

    async def _prompts(self) -> bool:
        return b"# " in self.shown[len(self.expected) :]

    @property
    def shown(self) -> bytes:
        return bytes(self._typist.output[self._start :])

    async def is_complete(self) -> bool:
        return len(self.shown) >= len(self.expected)


@asynccontextmanager
async def typing(echo: Echo) -> AsyncIterator[None]:
    """Somebody types all the time, a line every few milliseconds."""

    async def type_on() -> None:
        number = 0
        while True:
            echo.line(number)
            number += 1
            await asyncio.sleep(0.005)

    task = asyncio.create_task(type_on())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def progress(echo: Echo) -> None:
    """Until what is typed after this moment has been shown as well."""
    goal = len(echo.expected) + LINES_BETWEEN * 30

    async def reached() -> bool:
        return len(echo.shown) >= goal

    await until(reached, "more of what is typed")


async def kill(copy: Launched, program: str) -> None:
    """kill -9 of all its processes; returns when the supervisor has put others in their place."""
    before = await all_of(copy, program)
    for process in before:
        os.kill(process, signal.SIGKILL)
    await all_of(copy, program, but=before)


async def all_of(copy: Launched, *programs: str, but: Container[int] = ()) -> set[int]:
    """Waits until all of their processes run, and none of those that were killed counts any more."""

    async def run() -> bool:
        return await asyncio.to_thread(copy.all_run, *programs, but=but)

    await until(run, f"all processes of {', '.join(programs)}", every=LOOK_SECONDS)
    return {pid for program in programs for pid in copy.pids(program)}


async def test_no_byte_is_lost_or_doubled(copy: Launched, typist: Typist) -> None:
    shell = await shell_number(typist, "before")
    echo = Echo(typist)
    await echo.begin()
    async with typing(echo):
        await progress(echo)
        for program in ("worker", "beat", "valkey"):
            connections = typist.connections
            await kill(copy, program)
            await progress(echo)
            assert typist.connections == connections, f"the socket noticed the death of {program}"
        for _ in range(3):
            connections = typist.connections
            await kill(copy, "web")
            await progress(echo)
            assert typist.connections > connections, "no web process with our socket died"
    await until(echo.is_complete, "all that was typed")
    assert echo.shown == bytes(echo.expected)
    assert typist.gaps == []
    await echo.end()
    assert await shell_number(typist, "after") == shell


async def test_web_dies_alone(copy: Launched, typist: Typist) -> None:
    """Of two web processes, one is killed: whoever was connected to it comes back by the other, at once."""
    echo = Echo(typist)
    await echo.begin()
    before = await all_of(copy, "web")
    async with typing(echo):
        for process in before:
            os.kill(process, signal.SIGKILL)
            await progress(echo)
    await until(echo.is_complete, "all that was typed")
    assert echo.shown == bytes(echo.expected)
    await all_of(copy, "web", but=before)


async def test_a_million_lines(copy: Launched, typist: Typist) -> None:
    """What `seq 1 1000000` prints, while every process is killed, none waits until another is back."""
    typist.type(A_MILLION)
    await typist.shows(b"READY")
    start = typist.output.index(b"READY") + len(b"READY")
    killed: set[int] = set()
    for number in range(10):
        typist.type(b"\n")
        if number < len(TURNS):
            for process in copy.pids(TURNS[number]):
                os.kill(process, signal.SIGKILL)
                killed.add(process)
        await typist.shows(b"\n%d\n" % ((number + 1) * STEP))
    typist.type(b"\n")
    await typist.shows(b"\nDONE")
    assert bytes(typist.output[start : typist.output.index(b"DONE", start)]) == NUMBERS
    assert typist.gaps == []
    await all_of(copy, *TURNS, but=killed)


def test_a_web_process_that_stops_says_come_back(copy: Launched, key: str, typist: Typist) -> None:
    """1012: clients know that it is worth it to connect again at once."""
    wait(lambda: copy.all_run("web"), "both web processes", every=LOOK_SECONDS)
    with connect(typist.url, additional_headers={"Authorization": f"Bearer {key}"}, compression=None) as socket:
        socket.recv(timeout=WITHIN)
        before = copy.pids("web")
        for process in before:
            os.kill(process, signal.SIGTERM)
        read_to_the_end(socket)
        assert socket.close_code == 1012
    # The old ones answer while they stop, and then nobody does.
    wait(lambda: copy.all_run("web", but=before), "new web processes", every=LOOK_SECONDS)
