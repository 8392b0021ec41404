"""Keystroke echo while many terminals are open, some type, and one floods."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.benchmarks.echo import settle, type_together
from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import Installation
from tests.benchmarks.raw_socket import RawPlayground
from tests.benchmarks.site import Site
from tests.benchmarks.typing_ import KEYS_OF_MANY, PAUSE_OF_MANY

OPEN = 200
SESSIONS = 4
"""Among which they are, each of another person, who may have 64 connections."""
TYPING = 20


async def some_of_many(made: Installation) -> Comparison:
    """Of 200 open terminals 20 type, and one is flooded as fast as its client takes it, in a process of its own."""
    people = [made.site() for _ in range(SESSIONS)]
    links: list[RawPlayground] = []
    async with AsyncExitStack() as ends:
        sessions = [await ends.enter_async_context(site.session(made.image)) for site in people]
        for site, session in zip(people, sessions, strict=True):
            addresses = [await site.new_terminal_url(session) for _ in range(OPEN // SESSIONS)]
            links += [await asyncio.to_thread(RawPlayground, address, site.headers) for address in addresses]
        typing = links[:: OPEN // TYPING]
        for link in typing:
            await asyncio.to_thread(settle, link)
        async with _flooded(people[0], sessions[0]["terminals"][0]["websocket_url"]):
            values = await asyncio.to_thread(type_together, typing, KEYS_OF_MANY, PAUSE_OF_MANY)
        for link in links:
            link.close()
    comparison = Comparison(
        f"keystroke echo, {OPEN} open terminals of which {TYPING} type and one floods",
        Figure("ours", "ms", values),
        None,
        "p99 under 15 ms",
    )
    comparison.met = comparison.ours.p99 < 15
    return comparison


@asynccontextmanager
async def _flooded(site: Site, url: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.flood",
        url,
        site.headers["Authorization"],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield
        assert process.returncode is None, "the flood has ended"
    finally:
        process.terminate()
        await process.wait()
