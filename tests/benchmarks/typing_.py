"""Keystroke echo through the socket, beside terminado in front of `docker exec -it` in the same container.

The client does next to nothing, and is the same for both (`raw_socket`): a browser is another computer's work.
"""

import asyncio
from collections.abc import Sequence

from tests.benchmarks.echo import settle, type_keys, type_together
from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import Installation
from tests.benchmarks.raw_socket import RawLink, RawPlayground, RawTerminado

KEYS = 2000
TURNS = 4
MANY = 50
KEYS_OF_MANY = 60
PAUSE_OF_MANY = 0.15
"""Seconds between the keys of each of many people: a fast typist."""


async def one_terminal(made: Installation) -> Comparison:
    """One person types, as fast as the echo comes; ours and the peer in turn."""
    site = made.site()
    async with site.session(made.image) as session:
        container = made.docker.container_of(session["machines"][0]["id"])
        address = session["terminals"][0]["websocket_url"]
        async with made.docker.terminado(container, made.shell) as url:
            mine, theirs = await asyncio.to_thread(
                lambda: _in_turn([RawPlayground(address, site.headers), RawTerminado(url)])
            )
    comparison = Comparison(
        "keystroke echo, 1 open terminal",
        Figure("ours", "ms", mine),
        Figure("terminado, docker exec -it", "ms", theirs),
        "p50 at most 0.25 of it, p99 at most 0.35",
    )
    peer = comparison.peer
    assert peer is not None
    comparison.notes.append(f"p99: {comparison.ours.p99 / peer.p99:.3f} of it")
    comparison.met = (comparison.ratio or 1) <= 0.25 and comparison.ours.p99 <= 0.35 * peer.p99
    return comparison


def _in_turn(links: Sequence[RawLink]) -> list[list[float]]:
    for link in links:
        settle(link)
    values: list[list[float]] = [[] for _ in links]
    for _ in range(TURNS):
        for found, link in zip(values, links, strict=True):
            found.extend(type_keys(link, KEYS // TURNS))
    for link in links:
        link.close()
    return values


async def fifty_terminals(made: Installation) -> Comparison:
    """Fifty people type at once, each at a fast typist's speed; terminado has as many for comparison."""
    site = made.site()
    async with site.session(made.image) as session:
        addresses = [await site.new_terminal_url(session) for _ in range(MANY)]
        mine = await asyncio.to_thread(_typed, [RawPlayground(address, site.headers) for address in addresses])
        container = made.docker.container_of(session["machines"][0]["id"])
        async with made.docker.terminado(container, made.shell) as url:
            theirs = await asyncio.to_thread(lambda: _typed([RawTerminado(url) for _ in range(MANY)]))
    comparison = Comparison(
        f"keystroke echo, {MANY} open terminals that all type",
        Figure("ours", "ms", mine),
        Figure("terminado, docker exec -it", "ms", theirs),
        "p99 under 10 ms",
    )
    comparison.met = comparison.ours.p99 < 10
    return comparison


def _typed(links: Sequence[RawLink]) -> list[float]:
    for link in links:
        settle(link)
    values = type_together(links, KEYS_OF_MANY, PAUSE_OF_MANY)
    for link in links:
        link.close()
    return values
