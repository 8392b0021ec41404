"""From the POST that asks for a session to the first byte of its prompt on the socket."""

import asyncio
import time

from tests.benchmarks.engine_alone import create_and_start
from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import Installation
from tests.benchmarks.site import Site

READY_ROUNDS = 30
EMPTY_ROUNDS = 15


async def on_ready_pool(made: Installation) -> Comparison:
    """A machine is there: claimed, told its deadline, reached."""
    ours, peer = [], []
    docker, reference = made.docker, made.reference()
    for _ in range(READY_ROUNDS):
        await asyncio.to_thread(made.wait_for_pool)
        ours.append(await _request_to_prompt(made.site(), made.image))
        peer.append(await asyncio.to_thread(docker.run_to_prompt, reference, made.shell))
    comparison = Comparison(
        "POST /sessions on a ready pool -> first prompt byte",
        Figure("ours", "ms", ours),
        Figure("docker run -it, prompt", "ms", peer),
        "p50 at most 0.1 of it; aim at 25 ms",
    )
    comparison.met = (comparison.ratio or 1) <= 0.1
    return comparison


async def on_empty_pool(made: Installation) -> Comparison:
    """A machine has to be made: its own environment keeps the request away from the pool."""
    ours, peer = [], []
    reference = made.reference()
    for _ in range(EMPTY_ROUNDS):
        await asyncio.to_thread(made.wait_for_pool)
        ours.append(await _request_to_prompt(made.site(), made.image, env={"BENCHMARK": "1"}))
        await asyncio.to_thread(made.wait_for_pool)
        peer.append(await create_and_start(made.docker.host, reference, made.egress()))
    comparison = Comparison(
        "POST /sessions on an empty pool -> first prompt byte",
        Figure("ours", "ms", ours),
        Figure("engine create + start alone, same limits and network", "ms", peer),
        "at most 1.3 of it",
    )
    comparison.met = (comparison.ratio or 2) <= 1.3
    return comparison


async def _request_to_prompt(site: Site, image: str, **fields: object) -> float:
    """Milliseconds from the POST to the first output on the terminal's socket."""
    await site.warm()
    start = time.perf_counter()
    session = await (site.created(image, **fields) if fields else site.create(image))
    assert session["state"] == "running", f"no machine was ready: {session['state']} {session['message']}"
    link = await site.link(session["terminals"][0])
    await link.read()
    elapsed = (time.perf_counter() - start) * 1000
    await link.close()
    await site.delete(session)
    return elapsed
