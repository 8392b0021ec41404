"""Every engine that there is, ready for the same tests; and the proof that they left nothing behind."""

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from runtime.config import EngineConfig
from runtime.engines.base import Egress, Engine, Limits, MachineSpec
from runtime.engines.process import ProcessEngine
from tests.support import docker, sandboxd
from tests.support.processes import processes_with
from tests.support.waiting import until

UNKNOWN_IMAGE = "playground-test/nothing:1"
HOST_IMAGE = "playground/busybox:contract"
LIMITS = Limits(
    memory_bytes=256 << 20,
    cpus=1.0,
    pids=128,
    tmpfs_bytes=32 << 20,
    shm_bytes=16 << 20,
    nofile=1024,
    disk_bytes=1 << 30,
    file_bytes=1 << 30,
)


class Kind(StrEnum):
    PROCESS = "process"
    DOCKER = "docker"
    DOCKER_BRIDGED = "docker-bridged"
    """As where the engine's host is another one: no directory of ours can be mounted."""


@dataclass(frozen=True, slots=True)
class Case:
    """One engine, and an image on it that has a shell and the usual small tools."""

    kind: Kind
    engine: Engine
    config: EngineConfig
    image: str

    def spec(self, **changes: Any) -> MachineSpec:
        """A small machine without egress, of a new id."""
        spec = MachineSpec(
            machine_id=uuid.uuid4().hex,
            hostname="contract",
            image=self.image,
            limits=LIMITS,
            egress=Egress.NONE,
            deadline_seconds=300,
        )
        return replace(spec, **changes)

    @asynccontextmanager
    async def machine(self, **changes: Any) -> AsyncIterator[str]:
        """The id of a machine that runs; removed afterwards."""
        spec = self.spec(**changes)
        await self.engine.create(spec)
        try:
            yield spec.machine_id
        finally:
            await self.engine.remove(spec.machine_id)


@asynccontextmanager
async def running(kind: Kind) -> AsyncIterator[Case]:
    """An engine with an instance of its own. Fails when the block leaves anything of that instance behind."""
    daemon = await asyncio.to_thread(sandboxd.binary)
    if kind is Kind.PROCESS:
        async with _running_process(daemon) as case:
            yield case
        return
    async with docker.running_engine(daemon, shared_filesystem=kind is Kind.DOCKER) as engine:
        image = await docker.ensure_image(engine, "busybox")
        yield Case(kind, engine, engine.config, image)


async def _none_left(directory: Path) -> bool:
    """What was killed takes a moment to be gone."""
    return processes_with(str(directory)) == []


@asynccontextmanager
async def _running_process(daemon: Path) -> AsyncIterator[Case]:
    directory = Path(tempfile.mkdtemp(prefix="playground-test-"))
    config = EngineConfig(instance=uuid.uuid4().hex[:12], run_directory=directory / "machines", sandboxd=daemon)
    engine = ProcessEngine(config, debug=True)
    try:
        await engine.build("busybox", HOST_IMAGE, lambda share, words: None)
        yield Case(Kind.PROCESS, engine, config, HOST_IMAGE)
        assert await engine.machines() == [], "machines were left"
        await until(lambda: _none_left(directory), "no process of a machine is left")
    finally:
        for status in await engine.machines():
            await engine.remove(status.machine_id)
        await engine.close()
        shutil.rmtree(directory)
