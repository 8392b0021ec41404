"""From nothing to a machine that answers, and back to nothing."""

import asyncio
import dataclasses
import shutil
import time
from pathlib import Path

import aiodocker
import pytest

from runtime.engines.base import Egress, MachineState
from runtime.engines.docker.bridge import bridge
from runtime.engines.docker.engine import DockerEngine
from runtime.engines.docker.machines import BOOT_SECONDS
from runtime.errors import EngineRefused, ImageUnavailable, MachineGone, MachineUnreachable, RuntimeFailure
from tests.support.docker import LIMITS, docker_host, ensure_image, machine_spec, output_of, running_engine
from tests.support.waiting import until


async def container_call(engine: DockerEngine, machine_id: str, verb: str) -> None:
    """What an administrator does to a container behind our back."""
    async with aiodocker.Docker(docker_host()) as docker:
        container = docker.containers.container(f"playground-{engine.config.instance}-{machine_id}")
        await getattr(container, verb)()


async def test_a_machine_lives_and_goes(engine: DockerEngine) -> None:
    spec = machine_spec(labels={"playground.session": "s"})
    await engine.create(spec)
    assert (await output_of(engine, spec.machine_id, "hostname")).strip() == "test"
    status = await engine.status(spec.machine_id)
    assert status is not None
    assert status.state is MachineState.RUNNING
    assert status.labels["playground.session"] == "s"
    assert [found.machine_id for found in await engine.machines()] == [spec.machine_id]
    await engine.remove(spec.machine_id)
    assert await engine.status(spec.machine_id) is None
    with pytest.raises(MachineGone):
        await engine.dial(spec.machine_id)
    await engine.remove(spec.machine_id)


async def test_a_second_create_harms_nothing(engine: DockerEngine) -> None:
    spec = machine_spec()
    await engine.create(spec)
    with pytest.raises(EngineRefused):
        await engine.create(spec)
    assert await output_of(engine, spec.machine_id, "echo", "alive") == "alive\n"
    await engine.remove(spec.machine_id)


async def test_removed_while_it_is_made(local_engine: DockerEngine) -> None:
    """By who ends the session meanwhile. The engine's host is not taken for another one for that."""

    async def removed_when_begun(directory: Path) -> None:
        while not directory.exists():
            await asyncio.sleep(0)
        shutil.rmtree(directory)

    async def is_too_late() -> bool:
        spec = machine_spec()
        removing = asyncio.create_task(removed_when_begun(local_engine.config.run_directory / spec.machine_id))
        try:
            with pytest.raises(RuntimeFailure) as failure:
                await local_engine.create(spec)
        finally:
            await removing
        return isinstance(failure.value, MachineUnreachable)

    await until(is_too_late, "the engine was too late to find the directory")
    spec = machine_spec()
    await local_engine.create(spec)
    assert (local_engine.config.run_directory / spec.machine_id / "sock").exists(), "it is reached by another way"
    await local_engine.remove(spec.machine_id)


async def test_many_at_once(engine: DockerEngine) -> None:
    specs = [machine_spec() for _ in range(6)]
    await asyncio.gather(*(engine.create(spec) for spec in specs))
    assert {status.machine_id for status in await engine.machines()} == {spec.machine_id for spec in specs}
    await asyncio.gather(*(engine.remove(spec.machine_id) for spec in specs for _ in range(2)))


async def test_egress_and_a_read_only_root(engine: DockerEngine) -> None:
    spec = machine_spec(egress=Egress.INTERNET, read_only_root=True)
    await engine.create(spec)
    assert "eth0" in await output_of(engine, spec.machine_id, "ls", "/sys/class/net")
    said = await output_of(engine, spec.machine_id, "sh", "-c", "touch /x 2>&1 || touch /tmp/x /run/x && echo kept")
    assert "Read-only" in said
    assert said.endswith("kept\n")
    await engine.remove(spec.machine_id)


async def test_killed_behind_our_back(engine: DockerEngine) -> None:
    spec = machine_spec()
    await engine.create(spec)
    await container_call(engine, spec.machine_id, "kill")
    while (status := await engine.status(spec.machine_id)) is None or status.state is not MachineState.EXITED:
        await asyncio.sleep(0.02)
    assert status.exit_code == 137
    assert (await engine.machines())[0].exit_code == 137
    with pytest.raises(MachineGone):
        await engine.dial(spec.machine_id)
    await engine.remove(spec.machine_id)


async def test_a_paused_machine_can_be_removed(engine: DockerEngine) -> None:
    spec = machine_spec()
    await engine.create(spec)
    await container_call(engine, spec.machine_id, "pause")
    status = await engine.status(spec.machine_id)
    assert status is not None
    assert status.state is MachineState.PAUSED
    await engine.remove(spec.machine_id)


async def test_the_deadline_ends_it(engine: DockerEngine) -> None:
    spec = machine_spec(deadline_seconds=1)
    await engine.create(spec)
    async with asyncio.timeout(30):
        while (status := await engine.status(spec.machine_id)) is None or status.state is not MachineState.EXITED:
            await asyncio.sleep(0.05)
    assert status.exit_code == 124
    await engine.remove(spec.machine_id)


async def test_an_unknown_image(engine: DockerEngine) -> None:
    with pytest.raises(ImageUnavailable):
        await engine.create(machine_spec("playground/nothing:1"))


async def test_limits_that_the_engine_refuses(engine: DockerEngine) -> None:
    with pytest.raises(EngineRefused):
        await engine.create(machine_spec(limits=dataclasses.replace(LIMITS, memory_bytes=1 << 20)))


@pytest.mark.parametrize("bad", ["../../etc", "", "A" * 32, "0" * 31])
async def test_odd_ids(engine: DockerEngine, bad: str) -> None:
    with pytest.raises(RuntimeFailure):
        await engine.create(machine_spec(machine_id=bad))
    with pytest.raises(MachineGone):
        await engine.dial(bad)
    assert await engine.status(bad) is None
    await engine.remove(bad)


@pytest.mark.parametrize("shared", [True, False])
async def test_a_binary_that_is_none(tmp_path: Path, shared: bool) -> None:
    broken = tmp_path / "sandboxd"
    broken.write_text("no program")
    broken.chmod(0o755)
    async with running_engine(broken, shared_filesystem=shared) as engine:
        await ensure_image(engine, "busybox")
        with pytest.raises((EngineRefused, MachineUnreachable)):
            await engine.create(machine_spec())


@pytest.mark.parametrize("shared", [True, False])
async def test_a_binary_that_ends_at_once_is_found_out_fast(shared: bool) -> None:
    false = shutil.which("busybox")  # it knows no applet of our names
    assert false is not None
    async with running_engine(Path(false), shared_filesystem=shared) as engine:
        await ensure_image(engine, "busybox")
        began = time.monotonic()
        with pytest.raises(MachineUnreachable, match="ended while it started"):
            await engine.create(machine_spec())
        assert time.monotonic() - began < BOOT_SECONDS, "not the whole time for a boot"


async def test_words_of_the_engine_are_the_end_of_a_bridge(sandboxd: Path) -> None:
    async with running_engine(sandboxd, shared_filesystem=False) as engine, aiodocker.Docker(docker_host()) as docker:
        await ensure_image(engine, "busybox")
        spec = machine_spec()
        await engine.create(spec)
        container = docker.containers.container(f"playground-{engine.config.instance}-{spec.machine_id}")
        for words in ("cannot exec in a stopped state", ""):
            stream = await bridge(container, ["/bin/echo", "-n", words])
            assert await stream.read(1) == b""
            await stream.close()
        await engine.remove(spec.machine_id)


async def test_what_a_killed_worker_left_is_seen_and_removed(local_engine: DockerEngine) -> None:
    spec = machine_spec()
    guest = local_engine.config.run_directory / spec.machine_id / "guest"
    guest.mkdir(parents=True)
    (guest / "boot").touch()
    (left,) = await local_engine.machines()
    assert (left.machine_id, left.state) == (spec.machine_id, MachineState.CREATED)
    with pytest.raises(EngineRefused):
        await local_engine.create(spec)
    await local_engine.remove(spec.machine_id)
    assert await local_engine.machines() == []


async def test_a_cancelled_create_leaves_nothing(engine: DockerEngine) -> None:
    spec = machine_spec()
    creating = asyncio.create_task(engine.create(spec))
    while not await engine.machines():
        await asyncio.sleep(0.005)
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert await engine.machines() == []


async def test_events_name_the_machine(local_engine: DockerEngine) -> None:
    spec = machine_spec()
    events = local_engine.events()
    first = asyncio.create_task(anext(events))
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        while not first.done():
            await local_engine.create(spec)
            await local_engine.remove(spec.machine_id)
    assert await first == spec.machine_id
    await events.aclose()


async def test_the_engine_tells_what_it_enforces(local_engine: DockerEngine) -> None:
    capabilities = await local_engine.capabilities()
    assert capabilities.engine == "docker"
    assert capabilities.version[0].isdigit()
    assert capabilities.has("seccomp")
    assert capabilities.has("memory_limit")
    assert not capabilities.has("disk_quota")
