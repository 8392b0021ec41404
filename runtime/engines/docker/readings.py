"""What containers use: from this host's cgroup files where they are, else one by one from the engine's API."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.cancelling import to_its_end
from runtime.config import EngineConfig
from runtime.engines.docker.client import DockerClient, classified
from runtime.engines.docker.spec import INSTANCE_LABEL, MACHINE_LABEL, REACH_LABEL, container_name
from runtime.errors import MachineGone
from runtime.limits import layers
from runtime.limits.cgroups import CgroupReader
from runtime.limits.usage import DiskUsage, Usage

CALLS_AT_ONCE = 8
SHARED = "shared"
NANO = 1_000_000_000
NEVER = "0001-"
"""How the engine's time begins when there is none."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What stays the same as long as a container lives."""

    container_id: str
    layer: Path | None
    """The directory on this host that it writes to; None where the engine's files are not this host's."""


class Readings:
    """Of one instance's machines, on one engine."""

    def __init__(self, config: EngineConfig, client: DockerClient, reader: CgroupReader | None = None) -> None:
        self._config = config
        self._client = client
        self._reader = reader or CgroupReader()
        self._reading = asyncio.Lock()
        self._ids: dict[str, str] = {}
        """The engine's id of a container by ours."""
        self._layers: dict[str, _Found] = {}

    async def usage(self, machine_ids: Collection[str]) -> Mapping[str, Usage]:
        """One pass. The engine is asked only for ids of new machines, and for those that have no cgroup here."""
        async with self._reading:
            wanted = set(machine_ids)
            if not wanted <= self._ids.keys():
                await self._learn()
            self._ids = {machine_id: found for machine_id, found in self._ids.items() if machine_id in wanted}
            # Two threads that read at once would close each other's files.
            reading = asyncio.to_thread(self._reader.read, list(self._ids.values()))
            read = await to_its_end(asyncio.ensure_future(reading))
            usage = {machine_id: read[found] for machine_id, found in self._ids.items() if found in read}
            elsewhere = self._ids.keys() - usage.keys()
            return {**usage, **await self._ask(sorted(elsewhere))}

    async def _learn(self) -> None:
        docker = await self._client.api()
        async with classified():
            found = await docker.containers.list(
                filters={"label": [f"{INSTANCE_LABEL}={self._config.instance}", MACHINE_LABEL]}
            )
        self._ids |= {container["Labels"][MACHINE_LABEL]: container["Id"] for container in found}

    async def _ask(self, machine_ids: list[str]) -> Mapping[str, Usage]:
        places = asyncio.Semaphore(CALLS_AT_ONCE)

        async def one(machine_id: str) -> tuple[str, Usage | None]:
            async with places:
                return machine_id, await self._statistics(machine_id)

        answers = await asyncio.gather(*(one(machine_id) for machine_id in machine_ids))
        for machine_id, usage in answers:
            if usage is None:
                self._ids.pop(machine_id, None)
        return {machine_id: usage for machine_id, usage in answers if usage is not None}

    async def _statistics(self, machine_id: str) -> Usage | None:
        docker = await self._client.api()
        try:
            async with classified():
                answer = await docker._query_json(
                    f"containers/{self._ids[machine_id]}/stats", params={"stream": "false", "one-shot": "true"}
                )
        except MachineGone:
            return None
        # For a container that has ended it answers as well, with nothing in it.
        return None if str(answer.get("read", NEVER)).startswith(NEVER) else usage_from(answer)

    async def disk_usage(self, machine_id: str, most_bytes: int) -> DiskUsage | None:
        """Measured on this host where the layer is one of its directories; else the engine's own figure."""
        try:
            found = self._layers.get(machine_id) or await self._locate(machine_id)
        except MachineGone:
            return None
        if found.layer is not None:
            pids = self._reader.processes(found.container_id)
            try:
                return await asyncio.to_thread(layers.measure, found.layer, most_bytes, pids)
            except OSError:
                self._layers.pop(machine_id, None)  # it has gone, or can't be read: the engine knows
        return await self._ask_size(machine_id)

    async def _locate(self, machine_id: str) -> _Found:
        container = await self._inspect(machine_id)
        directory = (container.get("GraphDriver") or {}).get("Data") or {}
        layer = Path(str(directory.get("UpperDir", "")))
        here = container["Config"]["Labels"].get(REACH_LABEL) == SHARED and layer.is_absolute()
        self._layers = {known: found for known, found in self._layers.items() if known in self._ids}
        found = _Found(container["Id"], layer if here and await asyncio.to_thread(layer.is_dir) else None)
        self._layers[machine_id] = found
        return found

    async def _ask_size(self, machine_id: str) -> DiskUsage | None:
        try:
            container = await self._inspect(machine_id, size=True)
        except MachineGone:
            return None
        return DiskUsage(int(container.get("SizeRw") or 0), 0, complete=True)

    async def _inspect(self, machine_id: str, *, size: bool = False) -> Mapping[str, Any]:
        docker = await self._client.api()
        async with classified():
            answer: Mapping[str, Any] = await docker._query_json(
                f"containers/{container_name(self._config.instance, machine_id)}/json",
                params={"size": "true"} if size else None,
            )
        return answer

    async def limit_cpu(self, machine_id: str, cores: float) -> None:
        """Always by NanoCpus: the engine refuses to mix it with quota and period."""
        docker = await self._client.api()
        async with classified():
            await docker._query_json(
                f"containers/{container_name(self._config.instance, machine_id)}/update",
                "POST",
                data={"NanoCpus": max(NANO // 100, round(cores * NANO))},
            )

    def close(self) -> None:
        """Gives back what is kept open."""
        self._reader.close()


def usage_from(answer: Mapping[str, Any]) -> Usage:
    """The engine's `stats` as a reading. Pure; what an engine leaves out counts as nothing."""
    cpu, memory = _part(answer, "cpu_stats"), _part(answer, "memory_stats")
    details = _part(memory, "stats")
    droppable = details.get("total_inactive_file", details.get("inactive_file", 0))
    moved = {"read": 0, "write": 0}
    for entry in _part(answer, "blkio_stats").get("io_service_bytes_recursive") or []:
        operation = str(entry.get("op", "")).lower()
        if operation in moved:
            moved[operation] += int(entry.get("value", 0))
    networks = answer.get("networks") or {}
    return Usage(
        cpu_seconds=_part(cpu, "cpu_usage").get("total_usage", 0) / 1e9,
        throttled_seconds=_part(cpu, "throttling_data").get("throttled_time", 0) / 1e9,
        cpu_limit_cores=None,
        memory_bytes=max(0, int(memory.get("usage", 0)) - int(droppable)),
        oom_kills=0,
        pids=int(_part(answer, "pids_stats").get("current") or 0),
        read_bytes=moved["read"],
        written_bytes=moved["write"],
        received_bytes=sum(int(card.get("rx_bytes", 0)) for card in networks.values()),
        sent_bytes=sum(int(card.get("tx_bytes", 0)) for card in networks.values()),
    )


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part: Mapping[str, Any] = answer.get(name) or {}
    return part
