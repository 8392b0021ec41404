"""The Docker engine: machines are containers of one Docker Engine, found by label and named after their id."""

import asyncio
import contextlib
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace

from aiodocker import Docker

from runtime.config import EngineConfig
from runtime.engines.base import (
    Belonging,
    Capabilities,
    ImageDetails,
    MachineSpec,
    MachineStatus,
    ProgressCallback,
    Stream,
)
from runtime.engines.docker.belongings import Belongings
from runtime.engines.docker.capabilities import describe, fingerprint
from runtime.engines.docker.checks import CHECKS
from runtime.engines.docker.client import DockerClient, classified
from runtime.engines.docker.events import machine_events
from runtime.engines.docker.images import DockerImages
from runtime.engines.docker.machines import Machines, NotShared
from runtime.engines.docker.network_probe import probe
from runtime.engines.docker.networks import Networks, network_id_of
from runtime.engines.docker.probe import probe as probe_host
from runtime.engines.docker.reach import SandboxdVolume
from runtime.engines.docker.readings import Readings
from runtime.engines.docker.spec import Attachment, own_volumes
from runtime.errors import EngineUnavailable, ImageUnavailable, RuntimeFailure
from runtime.limits.usage import DiskUsage, Usage

CREATES_AT_ONCE = 4
"""dockerd gets slower, not faster, with more: they wait for each other's locks."""
PING_SECONDS = 5.0
NETWORK_CAPABILITIES = ("egress_filter", "bandwidth")
NETWORK_REMEDY = "Run the worker as root, with nftables, on the engine's host and in its network namespace."


class DockerEngine:
    """Implements `runtime.engines.base.Engine`."""

    name = "docker"

    def __init__(self, config: EngineConfig) -> None:
        """Connects to nothing yet. Raises OSError or ValueError when the seccomp profile can't be read."""
        profile = config.seccomp_profile
        # The engine wants the text itself: it travels with every create, so without the white space.
        self._seccomp = json.dumps(json.loads(profile.read_text()), separators=(",", ":")) if profile else None
        self.config = config
        self._client = DockerClient(config.docker_host)
        self._images = DockerImages(self._client)
        self._machines = Machines(config, self._client, self._seccomp)
        self._volume = SandboxdVolume(config)
        self._networks = Networks(config, self._client)
        self._belongings = Belongings(config, self._client)
        self._probing = asyncio.Lock()
        self._readings = Readings(config, self._client)
        self._creating = asyncio.Semaphore(CREATES_AT_ONCE)
        self._shared = config.shared_filesystem
        self._capabilities: Capabilities | None = None

    async def ping(self) -> None:
        docker = await self._client.api()
        async with classified(PING_SECONDS):
            await docker.version()

    async def incarnation(self) -> str:
        docker = await self._client.api()
        async with classified():
            info = await docker.system.info()
        binary = await asyncio.to_thread(self.config.sandboxd.read_bytes)
        return fingerprint(info, f"{self._seccomp} {hashlib.sha256(binary).hexdigest()}")

    async def capabilities(self) -> Capabilities:
        async with self._probing:
            if self._capabilities is None:
                self._capabilities = await self._probe()
        return self._capabilities

    async def probe(self) -> Capabilities:
        docker = await self._client.api()
        async with classified():
            info = await docker.system.info()
        tried = await probe_host(self, docker, info, CHECKS)
        known = await self.capabilities()
        networks = [replace(item, remedy=NETWORK_REMEDY) for item in known.items if item.name in NETWORK_CAPABILITIES]
        return replace(known, items=[*tried, *networks])

    async def _probe(self) -> Capabilities:
        docker = await self._client.api()
        async with classified():
            info, version = await docker.system.info(), await docker.version()
        seen = describe(info, version, profile=self._seccomp is not None)
        networks = await probe(self._networks, self.config, self._client)
        return replace(seen, items=[*seen.items, *networks])

    async def create(self, spec: MachineSpec) -> None:
        docker = await self._client.api()
        async with self._creating:
            image = await self._images.find(spec.image)
            if image is None:
                raise ImageUnavailable(f"This host does not have the image {spec.image}.")
            own_volumes(image.volumes)  # before anything is made
            attachment = await self._networks.ensure(spec)
            try:
                await self._create(docker, spec, image, attachment)
            except EngineUnavailable:
                raise  # what there is stays until `remove`
            except BaseException:
                # One that was there belongs to another machine, or to one of the same id.
                if attachment is not None and attachment.is_new:
                    await asyncio.shield(self._discard_network(spec))
                raise

    async def _create(
        self, docker: Docker, spec: MachineSpec, image: ImageDetails, attachment: Attachment | None
    ) -> None:
        if await self._shares_filesystem(docker):
            try:
                await self._machines.create_shared(spec, image, attachment)
            except NotShared:
                if self.config.shared_filesystem:
                    raise
                self._shared = False
            else:
                self._shared = True
                return
        volume = await self._volume.ensure(docker, spec.image)
        await self._machines.create_bridged(spec, image, attachment, volume)

    async def _discard_network(self, spec: MachineSpec) -> None:
        with contextlib.suppress(RuntimeFailure):
            await self._networks.remove(network_id_of(spec) or spec.machine_id)

    async def _shares_filesystem(self, docker: Docker) -> bool:
        """A guess until the first machine was made: a directory of ours that the engine does not find settles it."""
        if self._shared is None:
            local = sys.platform == "linux" and self.config.docker_host.startswith("unix://")
            async with classified():
                desktop = local and (await docker.system.info()).get("OperatingSystem") == "Docker Desktop"
            self._shared = local and not desktop
        return self._shared

    async def dial(self, machine_id: str) -> Stream:
        return await self._machines.dial(machine_id)

    async def remove(self, machine_id: str) -> None:
        network_id = await self._machines.remove(machine_id)
        for each in {machine_id, network_id or machine_id}:
            await self._networks.remove(each)

    async def mend(self) -> None:
        await self._networks.mend()

    async def status(self, machine_id: str) -> MachineStatus | None:
        return await self._machines.status(machine_id)

    async def machines(self) -> Sequence[MachineStatus]:
        return await self._machines.all()

    async def belongings(self) -> Sequence[Belonging]:
        return await self._belongings.all()

    async def discard(self, belonging: Belonging) -> None:
        await self._belongings.discard(belonging)

    async def usage(self, machine_ids: Collection[str]) -> Mapping[str, Usage]:
        return await self._readings.usage(machine_ids)

    async def disk_usage(self, machine_id: str, most_bytes: int) -> DiskUsage | None:
        return await self._readings.disk_usage(machine_id, most_bytes)

    async def limit_cpu(self, machine_id: str, cores: float) -> None:
        await self._readings.limit_cpu(machine_id, cores)

    async def pause(self, machine_id: str) -> None:
        await self._machines.freeze(machine_id, frozen=True)

    async def resume(self, machine_id: str) -> None:
        await self._machines.freeze(machine_id, frozen=False)

    async def image(self, reference: str) -> ImageDetails | None:
        return await self._images.details(reference)

    async def pull(self, reference: str, progress: ProgressCallback) -> ImageDetails:
        return await self._images.pull(reference, progress)

    async def build(self, recipe: str, reference: str, progress: ProgressCallback) -> ImageDetails:
        return await self._images.build(recipe, reference, progress)

    async def remove_image(self, reference: str) -> None:
        await self._images.remove(reference)

    def events(self) -> AsyncIterator[str]:
        return machine_events(self.config)

    async def close(self) -> None:
        self._readings.close()
        await self._client.close()
