"""What this engine's host really enforces, found by trying it in a machine of our own specification.

The machine's image has one file, `sandboxd/probe/probe.c`. Its id comes from the instance alone: whoever probes next
removes what a killed probe has left. Each check stands alone: one that fails says so and spoils no other.
"""

import asyncio
import contextlib
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiodocker import Docker

from runtime.config import EngineConfig
from runtime.engines.base import Capability, Egress, Limits, MachineSpec, Stream, probe_machine_id
from runtime.engines.docker.client import classified
from runtime.engines.docker.spec import INSTANCE_LABEL, Json
from runtime.errors import EngineUnavailable, ImageUnavailable, MachineGone, RuntimeFailure
from runtime.terminal import execution, files
from runtime.terminal.client import SandboxdClient

PROGRAM = "/probe"
MIB = 1 << 20
LIMITS = Limits(
    memory_bytes=64 * MIB,
    cpus=0.25,
    pids=32,
    tmpfs_bytes=4 * MIB,
    shm_bytes=1 * MIB,
    nofile=256,
    disk_bytes=64 * MIB,
    file_bytes=256 * MIB,
)
DEADLINE_SECONDS = 90
CHECK_SECONDS = 20.0


class Host(Protocol):
    """The part of the engine that a probe needs."""

    config: EngineConfig

    async def create(self, spec: MachineSpec) -> None: ...
    async def dial(self, machine_id: str) -> Stream: ...
    async def remove(self, machine_id: str) -> None: ...
    async def pause(self, machine_id: str) -> None: ...
    async def resume(self, machine_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command in the probe machine ended."""

    exit_code: int
    signal: int
    output: str


@dataclass(frozen=True, slots=True)
class ProbeMachine:
    """The machine while it runs, and what the engine says of itself (`/info`)."""

    host: Host
    machine_id: str
    image: str
    docker: Docker
    info: Mapping[str, Any]

    async def run(self, *arguments: str) -> Ended:
        """`probe` with these arguments."""
        said = bytearray()
        async with SandboxdClient(await self.host.dial(self.machine_id)) as client:
            await client.execute([PROGRAM, *arguments], timeout_ms=int(CHECK_SECONDS * 1000), limit_bytes=65536)
            async for piece in execution.run(client):
                if isinstance(piece, execution.Chunk):
                    said += piece.data
                else:
                    return Ended(piece.exit_code, piece.signal, said.decode(errors="replace"))
        raise MachineGone("The probe machine ended.")

    async def read(self, path: str) -> str:
        """A file inside. Raises FileFailed."""
        async with SandboxdClient(await self.host.dial(self.machine_id)) as client:
            return b"".join([data async for data in files.read(client, path)]).decode(errors="replace")

    async def first(self, *paths: str) -> str:
        """The first of these files that is there; empty when none is."""
        for path in paths:
            with contextlib.suppress(RuntimeFailure):
                return (await self.read(path)).strip()
        return ""


Check = Callable[[ProbeMachine], Awaitable[Capability]]


async def probe(host: Host, docker: Docker, info: Mapping[str, Any], checks: Mapping[str, Check]) -> list[Capability]:
    """The answer of each check, by its name and in order; what could not be found out is `known=False`.

    Leaves neither machine nor image behind, unless the engine goes away: then the next probe removes them.
    Raises EngineUnavailable.
    """
    try:
        async with _machine(host, docker, info) as machine:
            return [await _one(name, check, machine) for name, check in checks.items()]
    except EngineUnavailable:
        raise
    except (RuntimeFailure, TimeoutError, OSError) as error:
        words = str(error) or type(error).__name__
        return [_unknown(name, f"no probe machine could be started: {words}") for name in checks]


async def _one(name: str, check: Check, machine: ProbeMachine) -> Capability:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check(machine)
    except EngineUnavailable:
        raise
    except (RuntimeFailure, TimeoutError, OSError, ValueError) as error:
        return _unknown(name, f"it could not be tried: {str(error) or type(error).__name__}")


def _unknown(name: str, detail: str) -> Capability:
    remedy = "Probe again; if it fails again, the worker's log says more."
    return Capability(name, False, detail, remedy=remedy, known=False)


@contextlib.asynccontextmanager
async def _machine(host: Host, docker: Docker, info: Mapping[str, Any]) -> AsyncIterator[ProbeMachine]:
    machine_id = probe_machine_id(host.config.instance)
    await host.remove(machine_id)
    image = await _image(host.config, docker)
    spec = MachineSpec(
        machine_id=machine_id,
        hostname="probe",
        image=image,
        limits=LIMITS,
        egress=Egress.NONE,
        deadline_seconds=DEADLINE_SECONDS,
    )
    try:
        await host.create(spec)
        yield ProbeMachine(host, machine_id, image, docker, info)
    finally:
        await asyncio.shield(_clear(host, docker, machine_id, image))


async def _clear(host: Host, docker: Docker, machine_id: str, image: str) -> None:
    with contextlib.suppress(RuntimeFailure):
        await host.remove(machine_id)
    with contextlib.suppress(RuntimeFailure):
        async with classified():
            await docker.images.delete(image, force=True)


async def _image(config: EngineConfig, docker: Docker) -> str:
    """Made anew for each probe; needs no registry."""
    binary = await asyncio.to_thread(_program(config).read_bytes)
    name = f"playground/probe:{config.instance}-{hashlib.sha256(binary).hexdigest()[:12]}"
    recipe = f"FROM scratch\nADD probe {PROGRAM}\nLABEL {INSTANCE_LABEL}={config.instance}\n".encode()
    context = _archive({"Dockerfile": recipe, "probe": binary})
    async with classified():
        said: Sequence[Json] = await docker.images.build(fileobj=context, encoding="identity", tag=name, rm=True)
    errors = [str(line["error"]) for line in said if "error" in line]
    if errors:
        raise ImageUnavailable(errors[0])
    return name


def _program(config: EngineConfig) -> Path:
    return config.sandboxd.with_name("probe")


def _archive(contents: Mapping[str, bytes]) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    return packed
