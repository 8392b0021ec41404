"""What of an installation is on its engine beside machines: volumes, networks, containers that were helpers.

Who adds another kind lists it in `Belongings.all` and removes it in `Belongings.discard`; the sweep does the rest.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiodocker import Docker

from runtime.config import EngineConfig
from runtime.engines.base import SESSION_LABEL, Belonging
from runtime.engines.docker import nft
from runtime.engines.docker.client import DockerClient, classified, status_of
from runtime.engines.docker.host_bridges import ages_of_bridges, remove_bridge
from runtime.engines.docker.names import bridge_prefix
from runtime.engines.docker.reach import volume_name
from runtime.engines.docker.ruleset import Ruleset
from runtime.engines.docker.spec import INSTANCE_LABEL, MACHINE_LABEL, PROBE_LABEL
from runtime.errors import EngineRefused, MachineGone

HELPER_SECONDS = 300
"""Containers that are no machines fill a volume, networks of nobody are for a probe, and both take a second: what is as
old as this was left by the dead."""
BRIDGE_SECONDS = 60
"""An engine that makes a network makes its bridge first, and writes the network down within seconds."""
SETTLED = (403, 404, 409)
"""Gone, or in use again: either way there is nothing to remove now."""

Labels = Mapping[str, str]


class Belongings:
    """Of one instance, on one engine."""

    def __init__(self, config: EngineConfig, client: DockerClient) -> None:
        self._config = config
        self._client = client

    async def all(self) -> Sequence[Belonging]:
        """Raises EngineUnavailable."""
        docker = await self._client.api()
        listed = [*await self._volumes(docker), *await self._networks(docker), *await self._helpers(docker)]
        return [*listed, *await self._bridges(docker), *await self._filter()]

    async def discard(self, belonging: Belonging) -> None:
        """Absent, or in use again, is success. Raises EngineUnavailable, EngineRefused, CapabilityUnavailable."""
        if belonging.kind == "filter":
            await nft.apply(Ruleset(self._config.instance).removal())
            return
        if belonging.kind == "bridge":
            await asyncio.to_thread(remove_bridge, belonging.name)
            return
        docker = await self._client.api()
        try:
            async with classified():
                match belonging.kind:
                    case "volume":
                        await _delete_volume(docker, belonging.name)
                    case "network":
                        await (await docker.networks.get(belonging.name)).delete()
                    case _:
                        await docker.containers.container(belonging.name).delete(force=True, v=True)
        except MachineGone:
            return
        except EngineRefused as error:
            if status_of(error) not in SETTLED:
                raise

    def _label(self) -> str:
        return f"{INSTANCE_LABEL}={self._config.instance}"

    async def _volumes(self, docker: Docker) -> list[Belonging]:
        async with classified():
            found = await _volumes(docker, {"label": [self._label()], "dangling": ["true"]})
        if not found:
            return []
        own = volume_name(self._config.instance, await asyncio.to_thread(self._config.sandboxd.read_bytes))
        return [_belonging("volume", each["Name"], each["Labels"], of_site=each["Name"] == own) for each in found]

    async def _networks(self, docker: Docker) -> list[Belonging]:
        async with classified():
            found = await docker.networks.list(filters={"label": [self._label()]})
        old = time.time() - HELPER_SECONDS
        return [
            _belonging(
                "network", each["Name"], each["Labels"], is_passing=int(each["Labels"].get(PROBE_LABEL, 0)) >= old
            )
            for each in found
        ]

    async def _bridges(self, docker: Docker) -> list[Belonging]:
        """Of networks that the engine knows nothing of: it ended between making one and writing it down."""
        # In this order: a network that is there now had its bridge before.
        ages = await asyncio.to_thread(ages_of_bridges, bridge_prefix(self._config.instance))
        if not ages:
            return []
        async with classified():
            found: list[Any] = await docker.networks.list(filters={"label": [self._label()]})
        known = {each["Options"].get("com.docker.network.bridge.name") for each in found}
        return [
            Belonging("bridge", name, is_passing=age < BRIDGE_SECONDS)
            for name, age in ages.items()
            if name not in known
        ]

    async def _filter(self) -> list[Belonging]:
        """The packet filter, which serves all networks; none where we can't look."""
        table = Ruleset(self._config.instance).table
        with contextlib.suppress(nft.FilterUnavailable):
            if await nft.held(table) is not None:
                return [Belonging("filter", table, of_site=True)]
        return []

    async def _helpers(self, docker: Docker) -> list[Belonging]:
        async with classified():
            found: list[Any] = await docker.containers.list(all=True, filters={"label": [self._label()]})
        old = time.time() - HELPER_SECONDS
        helpers = (each for each in found if MACHINE_LABEL not in each["Labels"])
        return [
            _belonging(
                "container", each["Names"][0].removeprefix("/"), each["Labels"], is_passing=each["Created"] >= old
            )
            for each in helpers
        ]


def _belonging(kind: str, name: str, labels: Labels, *, of_site: bool = False, is_passing: bool = False) -> Belonging:
    return Belonging(kind, name, labels.get(MACHINE_LABEL), labels.get(SESSION_LABEL), of_site, is_passing)


async def remove_volumes(docker: Docker, label: str) -> None:
    """All volumes with that label. Absent, or in use again, is success."""
    async with classified():
        found = await _volumes(docker, {"label": [label]})
    for each in found:
        try:
            async with classified():
                await _delete_volume(docker, each["Name"])
        except EngineRefused as error:
            if status_of(error) not in SETTLED:
                raise


# aiodocker has no types for volumes.
async def _volumes(docker: Docker, filters: Mapping[str, Sequence[str]]) -> list[Any]:
    volumes: Any = docker.volumes
    return (await volumes.list(filters=filters))["Volumes"] or []


async def _delete_volume(docker: Docker, name: str) -> None:
    volumes: Any = docker.volumes
    await (await volumes.get(name)).delete()
