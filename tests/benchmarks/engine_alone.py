"""What the engine needs by itself for a machine with the same limits, hardening and network as ours."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.networks import DockerNetwork

from runtime.config import EngineConfig
from runtime.engines.base import Egress, Limits, MachineSpec
from runtime.engines.docker.names import network_name
from runtime.engines.docker.spec import Attachment, Json, Way, create_body, network_body, resolver_of

MIB = 1 << 20
LIMITS = Limits(
    memory_bytes=512 * MIB,
    cpus=1.0,
    pids=256,
    tmpfs_bytes=128 * MIB,
    shm_bytes=64 * MIB,
    nofile=4096,
    disk_bytes=2048 * MIB,
    file_bytes=1024 * MIB,
)
"""Of the default profile."""
SECCOMP = Path(__file__).resolve().parents[2] / "deploy" / "seccomp" / "machine.json"


INSTANCE = "benchmark"


def _bodies(image: str, name: str, egress: Egress) -> tuple[Json, Json | None]:
    """Of the container, and of the network that it has to itself, if it has one."""
    spec = MachineSpec(name, "alone", image, LIMITS, egress, 60)
    config = EngineConfig(INSTANCE, Path("/nowhere"), Path("/nowhere"))
    way = Way("alone", ["/bin/sleep", "3600"], [])
    network, attachment = None, None
    if egress is not Egress.NONE:
        network = network_body(spec, INSTANCE, name, "")
        attachment = Attachment(network_name(INSTANCE, name), resolver=resolver_of(egress, config))
    body = create_body(spec, config, way, image_user="", seccomp=SECCOMP.read_text(), attachment=attachment)
    return body, network


async def create_and_start(host: str, image: str, egress: Egress) -> float:
    """Milliseconds of the requests to the engine's own API; what they made is removed afterwards."""
    async with Alone(host, image, egress) as engine:
        return await engine.make(1, 1) * 1000


class Alone:
    """Containers like our machines, made and removed by requests to the engine and nothing else.

    With egress each has a network of its own, as ours have; nothing filters it.
    """

    def __init__(self, host: str, image: str, egress: Egress) -> None:
        self._image = image
        self._egress = egress
        parts = urlsplit(host)
        # Without a limit of its own on connections: how many work at a time is what is measured.
        connector = aiohttp.UnixConnector(path=parts.path, limit=0) if parts.scheme == "unix" else None
        self._connector = connector
        self._docker = Docker(url="unix://localhost" if connector else host, connector=connector)
        self._made: list[tuple[DockerContainer, DockerNetwork | None]] = []

    async def __aenter__(self) -> Self:
        await self._docker.version()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.remove(4)
        await self._docker.close()
        if self._connector is not None:
            await self._connector.close()

    async def make(self, count: int, parallel: int) -> float:
        """Seconds to create and start so many, so many at a time."""

        async def one() -> None:
            name = uuid4().hex
            body, wanted = _bodies(self._image, name, self._egress)
            network = await self._docker.networks.create(dict(wanted)) if wanted else None
            container = await self._docker.containers.create(body, name=f"benchmark-{name}")
            self._made.append((container, network))
            await container.start()

        return await _timed([one] * count, parallel)

    async def remove(self, parallel: int) -> float:
        """Seconds to remove all that were made."""
        made, self._made = self._made, []

        async def one(container: DockerContainer, network: DockerNetwork | None) -> None:
            await container.delete(force=True, v=True)
            if network is not None:
                await network.delete()

        return await _timed([partial(one, *each) for each in made], parallel)


async def _timed(work: Sequence[Callable[[], Awaitable[object]]], parallel: int) -> float:
    places = asyncio.Semaphore(parallel)

    async def one(step: Callable[[], Awaitable[object]]) -> None:
        async with places:
            await step()

    start = time.perf_counter()
    await asyncio.gather(*(one(step) for step in work))
    return time.perf_counter() - start
