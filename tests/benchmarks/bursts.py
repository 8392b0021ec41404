"""Many at once: fifty sessions asked for together, a hundred ended together, and what others feel meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Sequence

from tests.benchmarks.engine_alone import Alone
from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import PEOPLE, Installation
from tests.benchmarks.site import Session, Site

BURST = 50
ENDED = 100
PARALLEL = (2, 4, 8)
QUIET_READS = 200
PAUSE_SECONDS = 0.06
"""Between two reads of somebody who is not part of the burst."""
ALL_PROMPTS_MS = 2000
HALF_PROMPTS_MS = 300


async def on_empty_pool(made: Installation) -> Comparison:
    """Fifty sessions whose machines must be made, beside the engine alone at its best parallelism."""
    await asyncio.to_thread(made.resize_pool, 0)
    sites = [made.site() for _ in range(PEOPLE)]
    quiet = await _reads(sites[-1], QUIET_READS)
    busy: list[float] = []
    reading = asyncio.create_task(_read_until_cancelled(sites[-1], busy))
    start = time.perf_counter()
    sessions = await asyncio.gather(*(_created(sites[number % (PEOPLE - 1)], made.image) for number in range(BURST)))
    ours = BURST / (time.perf_counter() - start)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await _end(sessions)
    await asyncio.to_thread(made.wait_for_nothing)
    alone = {}
    async with Alone(made.docker.host, made.reference(), made.egress()) as engine:
        for parallel in PARALLEL:
            alone[parallel] = BURST / await engine.make(BURST, parallel)
            await engine.remove(parallel)
    best = max(alone, key=lambda parallel: alone[parallel])
    before, during = Figure("quiet", "ms", quiet), Figure("during", "ms", busy)
    comparison = Comparison(
        f"{BURST} sessions at once on an empty pool",
        Figure("ours", "1/s", [ours]),
        Figure(f"engine create + start alone, {best} at a time", "1/s", [alone[best]]),
        "at least 0.8 of it; GET /sessions of others: p95 at most 2 times the quiet value",
    )
    slower = during.p95 / before.p95
    comparison.met = (comparison.ratio or 0) >= 0.8 and slower <= 2
    comparison.notes = [
        "engine alone: " + ", ".join(f"{rate:.1f}/s with {parallel}" for parallel, rate in alone.items()),
        f"GET /sessions of others: p95 {before.p95:.1f} ms quiet, {during.p95:.1f} ms during ({slower:.1f} times)",
    ]
    return comparison


async def on_full_pool(made: Installation) -> Comparison:
    """Fifty sessions for which a machine is ready: each until its prompt is read on its socket."""
    await asyncio.to_thread(made.resize_pool, BURST)
    sites = [made.site() for _ in range(PEOPLE)]
    await asyncio.gather(*(site.warm() for site in sites))
    prompts = await asyncio.gather(*(_to_prompt(sites[number % PEOPLE], made.image) for number in range(BURST)))
    await asyncio.to_thread(made.resize_pool, 0)
    await _end([session for session, _ in prompts])
    await asyncio.to_thread(made.wait_for_nothing)
    comparison = Comparison(
        f"{BURST} sessions at once on a pool of {BURST}, to the first prompt byte",
        Figure("ours", "ms", [elapsed for _, elapsed in prompts]),
        None,
        f"all within {ALL_PROMPTS_MS} ms, p50 under {HALF_PROMPTS_MS} ms",
    )
    comparison.met = comparison.ours.p50 < HALF_PROMPTS_MS and max(comparison.ours.values) <= ALL_PROMPTS_MS
    return comparison


async def ending(made: Installation) -> Comparison:
    """A hundred sessions end; nothing of them is left anywhere."""
    await asyncio.to_thread(made.resize_pool, 0)
    sites = [made.site() for _ in range(PEOPLE)]
    sessions = await asyncio.gather(*(_created(sites[number % PEOPLE], made.image) for number in range(ENDED)))
    start = time.perf_counter()
    await _end(sessions)
    await asyncio.to_thread(made.wait_for_nothing)
    ours = time.perf_counter() - start
    left = await asyncio.to_thread(made.stack.leftovers)
    async with Alone(made.docker.host, made.reference(), made.egress()) as engine:
        await engine.make(ENDED, max(PARALLEL))
        alone = await engine.remove(max(PARALLEL) // 2)
    comparison = Comparison(
        f"{ENDED} sessions ended at once, until nothing of them is left",
        Figure("ours", "s", [ours]),
        Figure("engine alone, removing as many containers", "s", [alone]),
        "none left anywhere",
        notes=[f"left: {len(left)}"],
    )
    comparison.met = not left
    return comparison


async def _created(site: Site, image: str) -> tuple[Site, Session]:
    return site, await site.created(image, env={"BENCHMARK": "1"})


async def _to_prompt(site: Site, image: str) -> tuple[tuple[Site, Session], float]:
    start = time.perf_counter()
    session = await site.create(image)
    assert session["state"] == "running", f"no machine was ready: {session['state']} {session['message']}"
    link = await site.link(session["terminals"][0])
    await link.read()
    elapsed = (time.perf_counter() - start) * 1000
    await link.close()
    return (site, session), elapsed


async def _end(sessions: Sequence[tuple[Site, Session]]) -> None:
    ending: list[Awaitable[None]] = [site.delete(session) for site, session in sessions]
    await asyncio.gather(*ending)


async def _reads(site: Site, count: int) -> list[float]:
    values: list[float] = []
    for _ in range(count):
        await _read(site, values)
    return values


async def _read_until_cancelled(site: Site, values: list[float]) -> None:
    while True:
        await _read(site, values)


async def _read(site: Site, values: list[float]) -> None:
    start = time.perf_counter()
    (await site.http.get("/sessions")).raise_for_status()
    values.append((time.perf_counter() - start) * 1000)
    await asyncio.sleep(PAUSE_SECONDS)
