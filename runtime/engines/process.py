"""The process engine: sandboxd as a plain child process. It isolates nothing and bounds nothing.

For tests, and for work on the site where no engine is at hand. Commands run on this host, as the current user, in a
scratch directory of their machine. A machine outlives the process that made it, as a container does.
"""

import asyncio
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runtime.config import EngineConfig
from runtime.engines import boot, handshake, sockets
from runtime.engines.base import (
    Belonging,
    Capabilities,
    Capability,
    Egress,
    ImageDetails,
    MachineSpec,
    MachineState,
    MachineStatus,
    ProgressCallback,
    Stream,
)
from runtime.engines.capability_names import TITLES
from runtime.engines.host_process import HostProcess, end, freeze
from runtime.engines.host_usage import usage_of
from runtime.errors import CapabilityUnavailable, EngineRefused, ImageUnavailable, MachineGone, MachineUnreachable
from runtime.limits import layers
from runtime.limits.usage import DiskUsage, Usage

BOOT_SECONDS = 15.0
LOOK_SECONDS = 0.02
EVENT_SECONDS = 0.3
IMAGES = ".images"
SCRATCH = "root"
PAUSED = "paused"
"""A file in the directory of a machine that was told to pause."""
_LACKS = (
    "user_namespace",
    "seccomp",
    "memory_limit",
    "cpu_limit",
    "pids_limit",
    "disk_quota",
    "egress_filter",
    "bandwidth",
)


class ProcessEngine:
    """Implements `runtime.engines.base.Engine` for Linux."""

    name = "process"

    def __init__(self, config: EngineConfig, *, debug: bool) -> None:
        """Raises ValueError unless `debug`: nobody may be let into this by mistake."""
        if not debug:
            raise ValueError("the process engine isolates nobody: it is for debugging alone")
        self._config = config

    async def ping(self) -> None:
        return

    async def incarnation(self) -> str:
        return f"process {platform.release()}"

    async def capabilities(self) -> Capabilities:
        nothing = [Capability(name, False, "The process engine isolates and bounds nothing.") for name in _LACKS]
        pause = Capability("pause", True, "by signals to its processes")
        return Capabilities(self.name, platform.release(), [*nothing, pause])

    async def probe(self) -> Capabilities:
        lacks = "the process engine isolates and bounds nothing"
        use = "Use a Docker engine for everything but work on the site itself."
        pause = Capability("pause", True, "by signals to its processes")
        items = [pause if name == "pause" else Capability(name, False, lacks, remedy=use) for name in TITLES]
        return Capabilities(self.name, platform.release(), items)

    async def create(self, spec: MachineSpec) -> None:
        if spec.egress is not Egress.NONE:
            raise CapabilityUnavailable("The process engine does not filter what machines reach.")
        if await self.image(spec.image) is None:
            raise ImageUnavailable(f"This host does not have the image {spec.image}.")
        directory = self._directory(spec.machine_id)
        try:
            self._config.run_directory.mkdir(mode=0o711, parents=True, exist_ok=True)
            waiting = boot.BootSocket(directory, self._config.sandboxd)
        except OSError as error:
            raise EngineRefused(f"A machine can't be made on this host: {error.strerror}.") from error
        with waiting:
            try:
                process = self._start(spec, directory)
                await self._arrival(process, waiting)
                stream = await sockets.dial(waiting.path)
                try:
                    await handshake.start(stream, spec.deadline_seconds, self._config.ring_bytes)
                finally:
                    await stream.close()
            except BaseException:
                await asyncio.shield(self.remove(spec.machine_id))
                raise

    def _start(self, spec: MachineSpec, directory: Path) -> HostProcess:
        scratch = directory / SCRATCH
        scratch.mkdir()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(scratch),
            "HOSTNAME": spec.hostname,
        }
        process = HostProcess.start(directory, scratch, environment)
        _write(directory / "state", json.dumps({"labels": dict(spec.labels), "process": asdict(process)}))
        return process

    async def _arrival(self, process: HostProcess, waiting: boot.BootSocket) -> None:
        arriving = asyncio.create_task(waiting.bind())
        try:
            async with asyncio.timeout(BOOT_SECONDS):
                while not (await asyncio.wait({arriving}, timeout=LOOK_SECONDS))[0]:
                    if not process.runs():
                        raise MachineUnreachable("The machine ended while it started.")
                await arriving
        except (TimeoutError, OSError) as error:
            raise MachineUnreachable("The machine did not start as it should.") from error
        finally:
            arriving.cancel()
            await asyncio.wait({arriving})

    async def dial(self, machine_id: str) -> Stream:
        status = await self.status(machine_id)
        if status is None or status.state is MachineState.EXITED:
            raise MachineGone("The machine is gone.")
        try:
            return await sockets.dial(self._directory(machine_id) / "sock")
        except OSError as error:
            raise MachineUnreachable("The machine does not accept connections.") from error

    async def remove(self, machine_id: str) -> None:
        directory = self._directory(machine_id)
        if directory.is_dir():
            await end(machine_id, _process_of(directory))
            boot.forget(directory)

    async def mend(self) -> None:
        pass

    async def status(self, machine_id: str) -> MachineStatus | None:
        directory = self._directory(machine_id)
        if not directory.is_dir():
            return None
        process = _process_of(directory)
        if process is None:
            return MachineStatus(machine_id, MachineState.CREATED, None, False, {})
        labels = _read(directory / "state")["labels"]
        if process.runs():
            state = MachineState.PAUSED if (directory / PAUSED).exists() else MachineState.RUNNING
            return MachineStatus(machine_id, state, None, False, labels)
        return MachineStatus(machine_id, MachineState.EXITED, _exit_code(directory), False, labels)

    async def machines(self) -> Sequence[MachineStatus]:
        if not self._config.run_directory.is_dir():
            return []
        names = [entry.name for entry in self._config.run_directory.iterdir() if entry.name != IMAGES]
        found = [await self.status(name) for name in names]
        return [status for status in found if status is not None]

    async def belongings(self) -> Sequence[Belonging]:
        return []

    async def discard(self, belonging: Belonging) -> None:
        raise EngineRefused(f"There is no {belonging.kind} here.")

    async def usage(self, machine_ids: Collection[str]) -> Mapping[str, Usage]:
        found = {machine_id: self._process(machine_id) for machine_id in machine_ids}
        return await asyncio.to_thread(usage_of, {key: process for key, process in found.items() if process})

    async def disk_usage(self, machine_id: str, most_bytes: int) -> DiskUsage | None:
        scratch = self._directory(machine_id) / SCRATCH
        try:
            return await asyncio.to_thread(layers.measure, scratch, most_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EngineRefused(f"The machine's files can't be measured: {error.strerror}.") from error

    async def limit_cpu(self, machine_id: str, cores: float) -> None:
        await self._running(machine_id)
        raise CapabilityUnavailable("The process engine does not bound the CPU.")

    def _process(self, machine_id: str) -> HostProcess | None:
        directory = self._directory(machine_id)
        return _process_of(directory) if directory.is_dir() else None

    async def pause(self, machine_id: str) -> None:
        process = await self._running(machine_id)
        (self._directory(machine_id) / PAUSED).touch()
        await freeze(machine_id, process, frozen=True)

    async def resume(self, machine_id: str) -> None:
        process = await self._running(machine_id)
        await freeze(machine_id, process, frozen=False)
        (self._directory(machine_id) / PAUSED).unlink(missing_ok=True)

    async def _running(self, machine_id: str) -> HostProcess:
        status = await self.status(machine_id)
        process = _process_of(self._directory(machine_id)) if status is not None else None
        if process is None or not process.runs():
            raise MachineGone("The machine is gone.")
        return process

    async def image(self, reference: str) -> ImageDetails | None:
        if not self._mark(reference).exists():
            return None
        digest = "sha256:" + hashlib.sha256(f"{platform.node()} {reference}".encode()).hexdigest()
        return ImageDetails(reference, digest, 0, [], "", ["/bin/sh"], [], "/", platform.machine())

    async def pull(self, reference: str, progress: ProgressCallback) -> ImageDetails:
        raise ImageUnavailable("The process engine pulls nothing: its machines are this host.")

    async def build(self, recipe: str, reference: str, progress: ProgressCallback) -> ImageDetails:
        progress(1.0, "This host stands in for the image.")
        mark = self._mark(reference)
        mark.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        mark.touch()
        details = await self.image(reference)
        if details is None:
            raise ImageUnavailable("The image was removed while it was made.")
        return details

    async def remove_image(self, reference: str) -> None:
        self._mark(reference).unlink(missing_ok=True)

    async def events(self) -> AsyncIterator[str]:
        known: dict[str, MachineState] = {}
        while True:
            # One that began and ended between two looks has changed as well.
            now = {status.machine_id: status.state for status in await self.machines()}
            for machine_id in {machine_id for machine_id, _ in known.items() ^ now.items()}:
                yield machine_id
            known = now
            await asyncio.sleep(EVENT_SECONDS)

    async def close(self) -> None:
        return

    def _directory(self, machine_id: str) -> Path:
        if not machine_id.isalnum():
            raise EngineRefused("A machine's id is letters and digits.")
        return self._config.run_directory / machine_id

    def _mark(self, reference: str) -> Path:
        return self._config.run_directory / IMAGES / hashlib.sha256(reference.encode()).hexdigest()


def _process_of(directory: Path) -> HostProcess | None:
    """None while the machine is being made, or for ever when its maker was killed then."""
    state = _read(directory / "state")
    return HostProcess(**state["process"]) if state else None


def _read(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return state


def _exit_code(directory: Path) -> int:
    """137 when nobody could write it: then the shell itself was killed."""
    try:
        return int((directory / "exit").read_text())
    except (FileNotFoundError, ValueError):
        return 137


def _write(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as draft:
        draft.write(text)
    Path(draft.name).replace(path)
