"""kill -9 of each process of the site in turn while somebody types and a program prints: no byte lost, none doubled.

Two terminals of one machine at once. In the shell each line is echoed and executed: it counts in a file, which a line
too many or too few would show. The other one has its echo off, `cat` writes down what is typed, and a program prints
numbers beside it.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.mistreated import Mistreated
from tests.support.stack import PROCESSES
from tests.support.steady_terminal import SteadyTerminal, steady
from tests.support.waiting import until
from tests.support.websocket_terminal import opened

LINES_BETWEEN = 25
"""So many lines arrive before a kill, and after everything is back."""
MOST_WAITING = 8 * 1024
"""Bytes typed and not accepted, beyond which the typist pauses."""
KEY_SECONDS = 0.01
PRINTING = """
stty raw -echo
(i=0; until [ -e {0}/enough ]; do seq $((i+1)) $((i+50)); i=$((i+50)); sleep 0.02; done; echo $i > {0}/printed) &
exec cat > {0}/typed
"""
WEB = [("web",), ("web2",)]
KILLS: dict[str, list[tuple[str, ...]]] = {
    "web": [*WEB, *WEB],
    "all-web": [("web", "web2")] * 2,
    "worker": [("worker",)] * 3,
    "beat": [("beat",)] * 3,
    "valkey": [("valkey",)] * 3,
    "everything": [PROCESSES] * 2,
}
LEAST_CUTS = {"web": 2, "all-web": 2, "everything": 2}
"""The connection is with one of the two: killing both in turn cuts it once at least. All others cut nothing."""


class Typist:
    """Types one numbered line after another for as long as it is let."""

    def __init__(self, terminal: SteadyTerminal, line: str) -> None:
        self.terminal = terminal
        self._line = line
        self.lines = 0

    def __str__(self) -> str:
        cuts, repeated, came = self.terminal.connections - 1, self.terminal.repeated, len(self.terminal.output)
        return f"{self.lines} lines typed, {cuts} cuts, {repeated} bytes repeated, {came} bytes of output"

    async def work(self) -> None:
        while True:
            await asyncio.sleep(KEY_SECONDS)
            if len(self.terminal.typed) - self.terminal.accepted < MOST_WAITING:
                self.lines += 1
                await self.terminal.type(self._line.format(self.lines).encode())


@asynccontextmanager
async def typing(*typists: Typist) -> AsyncIterator[None]:
    """They type while the block runs; then everything typed has been accepted."""
    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(typist.work()) for typist in typists]
        yield
        for task in working:
            task.cancel()

    async def all_accepted() -> bool:
        return all(typist.terminal.accepted == len(typist.terminal.typed) for typist in typists)

    await until(all_accepted, "what was typed has arrived", 60)


async def some_lines_pass(*typists: Typist) -> None:
    """Waits until so many more have arrived in the machine, and something came back, in each terminal."""
    before = [(len(each.terminal.typed), len(each.terminal.output)) for each in typists]

    async def passed() -> bool:
        return all(
            each.terminal.accepted > typed + LINES_BETWEEN * 8 and len(each.terminal.output) > output
            for each, (typed, output) in zip(typists, before, strict=True)
        )

    await until(passed, "lines arrive", 60)


async def shows(terminal: SteadyTerminal, pattern: str) -> re.Match[bytes]:
    """Waits until the output matches."""

    async def shown() -> bool:
        return re.search(pattern.encode(), terminal.output) is not None

    await until(shown, f"{pattern!r} is shown; there is {bytes(terminal.output[-500:])!r}", 60)
    found = re.search(pattern.encode(), bytes(terminal.output))
    assert found is not None
    return found


async def all_output(url: str, headers: dict[str, str], size: int) -> bytes:
    """What the machine itself has kept of a terminal's first `size` bytes, as somebody new reads it."""
    async with opened(url, headers=headers, offset=0) as fresh:
        kept = b""
        while len(kept) < size:
            kept += await fresh.read()
        return kept[:size]


@pytest.mark.parametrize("victim", KILLS)
async def test_nothing_typed_or_printed_is_lost_or_doubled(site: Mistreated, victim: str) -> None:
    session = await site.reaches(await site.create(), "running")
    directory = (await site.execute(session, "mktemp -d")).strip()
    shell_url = session["terminals"][0]["websocket_url"]
    cat_url = await site.new_terminal(session, "sh", "-c", PRINTING.format(directory))
    async with steady(shell_url, site.key) as shell, steady(cat_url, site.key) as cat:
        await shell.type(f"n=0; exec 3>{directory}/executed; echo first-$$.\r".encode())
        first = await shows(shell, r"\nfirst-(\d+)\.")
        await shows(cat, "^1\n")
        typists = Typist(shell, "n=$((n+1)); echo $n; echo $n {} >&3\r"), Typist(cat, "line {:06}\n")
        async with typing(*typists):
            for names in KILLS[victim]:
                await some_lines_pass(*typists)
                await site.kill(*names)
                await site.run(*names)
            await some_lines_pass(*typists)
        await shell.type(b"echo last-$$.\r")
        last = await shows(shell, r"\nlast-(\d+)\.")

        assert last[1] == first[1], "it is another shell"
        executed = b"".join(b"%d %d\n" % (number, number) for number in range(1, typists[0].lines + 1))
        assert await site.file(session, f"{directory}/executed") == executed
        assert await all_output(shell_url, site.headers, len(shell.output)) == shell.output
        await cat_is_right(site, session, directory, cat)
        for terminal in (shell, cat):
            least = LEAST_CUTS.get(victim, 0)
            assert terminal.connections - 1 >= least if least else terminal.connections == 1
        print(f"{victim}:", *typists, sep="\n  ")
    await site.execute(session, f"rm -r {directory}")
    await site.end(session)


async def cat_is_right(site: Mistreated, session: dict[str, Any], directory: str, cat: SteadyTerminal) -> None:
    """Byte by byte: the file of what was typed, and the numbers that were printed."""
    await site.execute(session, f"touch {directory}/enough")

    async def has_printed() -> bool:
        return "yes" in await site.execute(session, f"test -s {directory}/printed && echo yes || true")

    await until(has_printed, "the program that prints has ended")
    count = int(await site.file(session, f"{directory}/printed"))
    printed = b"".join(b"%d\n" % number for number in range(1, count + 1))

    async def all_came() -> bool:
        return len(cat.output) >= len(printed)

    await until(all_came, "all that was printed has come")
    assert cat.output == printed

    async def all_written() -> bool:
        return len(await site.file(session, f"{directory}/typed")) >= len(cat.typed)

    await until(all_written, "all that was typed is in the file")
    assert await site.file(session, f"{directory}/typed") == cat.typed
