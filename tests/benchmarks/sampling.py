"""What it costs to know what all machines of a host use."""

import asyncio
import json
import subprocess
import sys

from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import PEOPLE, Installation

MACHINES = 200
ROUNDS = 20
REACH_MS = 50


async def two_hundred_machines(made: Installation) -> Comparison:
    """CPU time of one pass over 200 machines."""
    await asyncio.to_thread(made.resize_pool, 0)
    sites = [made.site() for _ in range(PEOPLE)]
    sessions = []
    for start in range(0, MACHINES, PEOPLE):
        wanted = sites[: min(PEOPLE, MACHINES - start)]
        made_now = await asyncio.gather(*(site.created(made.image, env={"BENCHMARK": "1"}) for site in wanted))
        sessions += list(zip(wanted, made_now, strict=True))
    found = json.loads(
        await asyncio.to_thread(
            subprocess.check_output,
            [sys.executable, "-m", "tests.benchmarks.one_pass", str(ROUNDS)],
            env=made.stack.environment(),
        )
    )
    assert found["machines"] == MACHINES, f"{found['machines']} machines were there"
    await asyncio.gather(*(site.delete(session) for site, session in sessions))
    await asyncio.to_thread(made.wait_for_nothing)
    reading = Figure("reading alone", "ms", found["reading"])
    comparison = Comparison(
        f"CPU time of a pass over {MACHINES} machines",
        Figure("read, added up, written, enforced", "ms", found["whole"]),
        None,
        f"under {REACH_MS} ms of one core",
        notes=[reading.row().strip()],
    )
    comparison.met = comparison.ours.p50 < REACH_MS
    return comparison
