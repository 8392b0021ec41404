"""`python -m tests.integration.docker.attacks`: every attempt on the engine at hand, as a table."""

import asyncio
import tempfile
from pathlib import Path

from tests.integration.docker.attacks.running import compile_attack, put_attack, results
from tests.integration.docker.attacks.table import ATTEMPTS
from tests.support import sandboxd
from tests.support.docker import ensure_image, machine_spec, running_engine

USERS = ("0", "1000")


async def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        program = compile_attack(Path(directory))
        async with running_engine(sandboxd.binary()) as engine:
            spec = machine_spec(await ensure_image(engine, "busybox"))
            await engine.create(spec)
            try:
                await put_attack(engine, spec.machine_id, program)
                found = [await results(engine, spec.machine_id, user) for user in USERS]
            finally:
                await engine.remove(spec.machine_id)
    print("| row | attempt | as root | as user 1000 |\n|---|---|---|---|")
    for attempt in ATTEMPTS:
        root, user = (each.get(attempt.name, "not tried") for each in found)
        print(f"| {attempt.row} | `{attempt.name}` | {root} | {user} |")


asyncio.run(main())
