"""exec of `true` through the API, beside `docker exec`."""

import asyncio
import time

from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import Installation

ROUNDS = 50


async def true(made: Installation) -> Comparison:
    """Ours and the peer in turn, in the same container."""
    ours, peer = [], []
    site = made.site()
    async with site.session(made.image) as session:
        container = made.docker.container_of(session["machines"][0]["id"])
        for _ in range(ROUNDS):
            start = time.perf_counter()
            await site.execute(session, ["true"])
            ours.append((time.perf_counter() - start) * 1000)
            peer.append(await asyncio.to_thread(made.docker.exec_true, container))
    comparison = Comparison(
        "exec of `true` through the API",
        Figure("ours", "ms", ours),
        Figure("docker exec", "ms", peer),
        "p50 at most 0.2 of it",
    )
    comparison.met = (comparison.ratio or 1) <= 0.2
    return comparison
