"""`make bench`: what people feel, beside what they would otherwise use, measured in one run on one machine."""

import asyncio
import os
import platform
import shutil
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvloop

from tests.benchmarks import (
    bursts,
    coming_back,
    commands,
    interrupting,
    many,
    memory,
    neighbours,
    output,
    sampling,
    typing_,
)
from tests.benchmarks.figures import Comparison, table
from tests.benchmarks.installation import Installation
from tests.benchmarks.starting import on_empty_pool, on_ready_pool

IMAGE = "debian"
BENCHMARKS = {
    "start": (on_ready_pool, on_empty_pool),
    "echo": (typing_.one_terminal, typing_.fifty_terminals, many.some_of_many),
    "output": (output.lines, output.blocks),
    "interrupt": (interrupting.on_a_slow_link,),
    "reconnect": (coming_back.reconnecting,),
    "exec": (commands.true,),
    "neighbours": neighbours.ATTACKS,
    "memory": (memory.per_terminal, memory.per_terminal_of_web, memory.per_stuck_client, memory.idle_sessions),
    "sampling": (sampling.two_hundred_machines,),
    "bursts": (bursts.on_empty_pool, bursts.on_full_pool, bursts.ending),
}


@asynccontextmanager
async def installation(image: str) -> AsyncIterator[Installation]:
    """A site of its own, with the image ready, removed afterwards."""
    made = await asyncio.to_thread(Installation, image)
    try:
        yield made
    finally:
        left = await asyncio.to_thread(made.stop)
        assert not left, left


async def measure(names: Sequence[str]) -> tuple[list[Comparison], list[str]]:
    """All comparisons of those names, in order, and which could not be made: the others' minutes are not lost."""
    found, failed = [], []
    async with installation(IMAGE) as made:
        for benchmark in (benchmark for name in names for benchmark in BENCHMARKS[name]):
            try:
                comparison = await benchmark(made)
            except Exception:  # whatever it is, ours or the peer's: it is shown, and the run fails
                traceback.print_exc()
                failed.append(f"{benchmark.__module__}.{benchmark.__name__}")
            else:
                print("\n".join(["", *comparison.lines()]), file=sys.stderr, flush=True)
                found.append(comparison)
    return found, failed


def machine() -> str:
    """What it was measured on."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return (
        f"commit {commit.stdout.strip() or 'unknown'}, {platform.machine()}, {os.cpu_count()} cores, "
        f"{pages * size / 2**30:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}, image {IMAGE}"
    )


if __name__ == "__main__":
    wanted = sys.argv[1:] or list(BENCHMARKS)
    unknown = set(wanted) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if shutil.which("ttyd") is None:
        print("ttyd is not installed (Debian 12 has no package of it): no comparison with it", file=sys.stderr)
    comparisons, failed = uvloop.run(measure(wanted))
    print(table(comparisons, machine()))
    if failed:
        sys.exit(f"could not be measured: {', '.join(failed)}")
