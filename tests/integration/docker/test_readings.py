"""What we read agrees with what the engine says of the same container, to 2 %."""

import asyncio

import pytest

from runtime.engines.docker.client import DockerClient
from runtime.engines.docker.engine import DockerEngine
from runtime.engines.docker.readings import Readings, usage_from
from runtime.engines.docker.spec import container_name
from runtime.limits.cgroups import CgroupReader
from runtime.limits.usage import Usage
from runtime.terminal.client import SandboxdClient
from tests.support.docker import machine_spec
from tests.support.waiting import until

BUSY = "while :; do :; done & x=$(head -c 60000000 /dev/zero | tr '\\0' x); wait"


async def _engines_own(engine: DockerEngine, machine_id: str) -> Usage:
    client = DockerClient(engine.config.docker_host)
    try:
        docker = await client.api()
        name = container_name(engine.config.instance, machine_id)
        answer = await docker._query_json(f"containers/{name}/stats", params={"stream": "false", "one-shot": "true"})
    finally:
        await client.close()
    return usage_from(answer)


async def _of_one_moment(engine: DockerEngine, machine_id: str) -> tuple[Usage, Usage]:
    """Our reading of a paused machine and the engine's: the kernel adds its last throttled time some moments later."""
    found: list[Usage] = []

    async def nothing_came_between() -> bool:
        before = (await engine.usage([machine_id]))[machine_id]
        theirs = await _engines_own(engine, machine_id)
        after = (await engine.usage([machine_id]))[machine_id]
        found[:] = after, theirs
        return before == after

    await until(nothing_came_between, "it stands still")
    ours, theirs = found
    return ours, theirs


async def test_figures_agree_with_the_engines_own(local_engine: DockerEngine) -> None:
    spec = machine_spec()
    await local_engine.create(spec)
    try:
        async with SandboxdClient(await local_engine.dial(spec.machine_id)) as client:
            await client.open("busy", ["/bin/sh", "-c", BUSY])

        async def is_busy() -> bool:
            usage = (await local_engine.usage([spec.machine_id]))[spec.machine_id]
            return usage.cpu_seconds > 2 and usage.memory_bytes > 50 << 20

        await until(is_busy, "the container is busy and holds memory")
        # Paused, it stands still between the two readings; before that it was as busy as it may be.
        await local_engine.pause(spec.machine_id)
        ours, theirs = await _of_one_moment(local_engine, spec.machine_id)
        assert ours.cpu_seconds == pytest.approx(theirs.cpu_seconds, rel=0.02)
        assert ours.memory_bytes == pytest.approx(theirs.memory_bytes, rel=0.02)
        assert ours.throttled_seconds == pytest.approx(theirs.throttled_seconds, rel=0.02)
        assert ours.pids == theirs.pids
        await local_engine.resume(spec.machine_id)
        # And while it runs: what passes between the two readings is the difference.
        first = (await local_engine.usage([spec.machine_id]))[spec.machine_id]
        theirs = await _engines_own(local_engine, spec.machine_id)
        last = (await local_engine.usage([spec.machine_id]))[spec.machine_id]
        assert first.cpu_seconds <= theirs.cpu_seconds <= last.cpu_seconds
    finally:
        await local_engine.remove(spec.machine_id)


async def test_the_engine_is_asked_where_there_are_no_files(local_engine: DockerEngine, tmp_path: object) -> None:
    """As with an engine on another host."""
    spec = machine_spec()
    await local_engine.create(spec)
    client = DockerClient(local_engine.config.docker_host)
    nothing = CgroupReader(cgroups=local_engine.config.run_directory / "nothing")
    elsewhere = Readings(local_engine.config, client, nothing)
    try:
        async with SandboxdClient(await local_engine.dial(spec.machine_id)) as terminal:
            await terminal.open("busy", ["/bin/sh", "-c", BUSY])
        await asyncio.sleep(0)

        async def is_busy() -> bool:
            return (await elsewhere.usage([spec.machine_id]))[spec.machine_id].cpu_seconds > 0.5

        await until(is_busy, "the engine tells of its CPU time")
    finally:
        await client.close()
        await local_engine.remove(spec.machine_id)
