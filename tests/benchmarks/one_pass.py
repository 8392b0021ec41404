"""`python -m tests.benchmarks.one_pass ROUNDS`, in an installation's environment: what passes of the sampler cost.

Prints JSON: milliseconds of CPU of each whole pass, and of its reading alone.
"""

import asyncio
import json
import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
django.setup()

from playground.engine import get_engine  # noqa: E402
from playground.sessions import sampling  # noqa: E402
from playground.sessions.models import Machine  # noqa: E402
from playground.sessions.states import MachineState  # noqa: E402

PAUSE_SECONDS = 0.5


async def passes(rounds: int, machines: list[str]) -> dict[str, list[float]]:
    """So many of each that nobody else's pass was in the way of."""
    whole: list[float] = []
    reading: list[float] = []
    while len(whole) < rounds:
        before = time.process_time()
        usage = await get_engine().usage(machines)
        reading.append((time.process_time() - before) * 1000)
        assert len(usage) == len(machines), f"{len(usage)} of {len(machines)} machines were read"
        before = time.process_time()
        if await sampling.sample():
            whole.append((time.process_time() - before) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    # The first of each has found the machines' files and opened connections.
    return {"whole": whole[1:], "reading": reading[1:]}


if __name__ == "__main__":
    ready = Machine.objects.filter(state=MachineState.READY, session__isnull=False)
    ids = [machine.pk.hex for machine in ready]
    print(json.dumps({"machines": len(ids), **asyncio.run(passes(int(sys.argv[1]) + 1, ids))}))
