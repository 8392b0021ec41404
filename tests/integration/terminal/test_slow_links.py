"""What a slow client costs, and how long Ctrl-C takes to be seen there: nothing, and hardly longer than elsewhere."""

import asyncio
import resource

from tests.integration.terminal.conftest import Place
from tests.support.slow_link import slow_link
from tests.support.websocket_terminal import WebSocketTerminal, opened

MBIT = 125_000.0
ROUNDS = 8
LONGEST = 0.15
"""Seconds from Ctrl-C to the prompt, in half of the rounds: of the link's time, which has stopped as well when the
machine that tests run on is busy with something else."""


async def flood(terminal: WebSocketTerminal, seconds: float) -> None:
    """Starts one and reads for so long."""
    await terminal.send_line("yes")
    try:
        async with asyncio.timeout(seconds):
            while await terminal.read():
                pass
    except TimeoutError:
        terminal.seen = b""


async def until_quiet(terminal: WebSocketTerminal) -> float:
    """Seconds of the link from Ctrl-C until the shell answers behind it: what it has carried by then."""
    start = terminal.offset
    await terminal.send(b"\x03")
    await terminal.expect(r"\^C(.|\n)*\$ $")
    return (terminal.offset - start) / MBIT


async def test_ctrl_c_under_a_flood_on_a_slow_link(place: Place) -> None:
    url = await place.open("one", "/bin/sh", "-c", "PS1='$ ' exec /bin/sh -i")
    async with slow_link(place.server.url, MBIT) as link, opened(link.url(url)) as terminal:
        await terminal.expect(r"\$ $")
        waits = []
        for _ in range(ROUNDS):
            await flood(terminal, 1.0)
            waits.append(await until_quiet(terminal))
        assert sorted(waits)[ROUNDS // 2] < LONGEST, waits


async def test_the_first_moment_of_a_flood(place: Place) -> None:
    """Nothing is known of the link then."""
    url = await place.open("one", "/bin/sh", "-c", "PS1='$ ' exec /bin/sh -i")
    async with slow_link(place.server.url, MBIT) as link, opened(link.url(url)) as terminal:
        await terminal.expect(r"\$ $")
        await flood(terminal, 0.15)
        assert await until_quiet(terminal) < 1.0


async def test_a_flood_into_a_slow_link_is_not_kept(place: Place) -> None:
    url = await place.open("one", "/bin/sh", "-c", "PS1='$ ' exec /bin/sh -i")
    async with slow_link(place.server.url, MBIT) as link, opened(link.url(url)) as terminal:
        await terminal.expect(r"\$ $")
        await flood(terminal, 0.5)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await flood(terminal, 3)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4_000, "kilobytes"
        await until_quiet(terminal)
