"""Ctrl-C under `yes` on a slow link: until the prompt is there, so until all that was on its way has come."""

import asyncio
import time
from collections.abc import Callable

from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import Installation
from tests.benchmarks.raw_socket import RawLink, RawPlayground, RawTerminado, read_until
from tests.support.slow_link import slow_link

MBIT = 125_000
ROUNDS = 40
ROUNDS_OF_PEER = 2
"""A minute each: what it has on its way comes first."""
FLOOD_SECONDS = 1.0


async def on_a_slow_link(made: Installation) -> Comparison:
    """Through a proxy that lets 1 Mbit/s pass; ours, then the peer, which takes its time."""
    site = made.site()
    async with site.session(made.image) as session:
        container = made.docker.container_of(session["machines"][0]["id"])
        url = session["terminals"][0]["websocket_url"]
        async with slow_link(url, MBIT) as link:
            mine = await asyncio.to_thread(_rounds, lambda: RawPlayground(link.url(url), site.headers), ROUNDS)
        async with made.docker.terminado(container, made.shell) as peer, slow_link(peer, MBIT) as link:
            theirs = await asyncio.to_thread(_rounds, lambda: RawTerminado(link.url(peer)), ROUNDS_OF_PEER)
    comparison = Comparison(
        "Ctrl-C under `yes` at 1 Mbit/s, to the prompt",
        Figure("ours", "ms", mine),
        Figure("terminado, docker exec -it", "ms", theirs),
        "p95 under 150 ms",
    )
    comparison.met = comparison.ours.p95 < 150
    return comparison


def _rounds(open_link: Callable[[], RawLink], count: int) -> list[float]:
    link = open_link()
    values = []
    try:
        for number in range(count):
            link.send(b"yes\n")
            until = time.monotonic() + FLOOD_SECONDS
            while time.monotonic() < until:
                link.read()
            start = time.perf_counter()
            link.send(b"\x03")
            link.send(f"echo quiet-$(({number}+0))\n".encode())
            read_until(link, f"quiet-{number}".encode())
            values.append((time.perf_counter() - start) * 1000)
    finally:
        link.close()
    return values
