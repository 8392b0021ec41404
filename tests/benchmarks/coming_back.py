"""A cut connection: from connecting again until the screen is what it should be."""

import time

from runtime.remote import RemoteTerminal
from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import Installation

ROUNDS = 50
MISSED = 100_000
"""Bytes that come while nobody is connected, about."""
WRITES = f"echo at-$(({{0}}+0)); head -c {MISSED} /dev/zero | tr '\\0' x; echo; echo end-$(({{0}}+0))"


async def reconnecting(made: Installation) -> Comparison:
    """Each time a program has written more meanwhile, and all of it has to be there."""
    site = made.site()
    values = []
    async with site.session(made.image) as session:
        url, key = session["terminals"][0]["websocket_url"], site.headers["Authorization"].removeprefix("Bearer ")
        offset = None
        for number in range(ROUNDS):
            async with RemoteTerminal(url, key=key, offset=offset) as terminal:
                await terminal.send_line(WRITES.format(number))
                await terminal.expect(rf"at-{number}\r")
                offset = terminal.offset
                await terminal.arrived()
            terminal_seen = terminal.seen
            start = time.perf_counter()
            async with RemoteTerminal(url, key=key, offset=offset) as terminal:
                terminal.seen = terminal_seen
                await terminal.expect(rf"x\r\nend-{number}\r")
                values.append((time.perf_counter() - start) * 1000)
                offset = terminal.offset
    comparison = Comparison(
        f"connecting again with an offset, until all of {MISSED // 1000} kB that were missed is there",
        Figure("ours", "ms", values),
        None,
        "p50 under 100 ms",
    )
    comparison.met = comparison.ours.p50 < 100
    return comparison
