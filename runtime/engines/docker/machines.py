"""Machines as containers: made, found, reached, removed."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from aiodocker import Docker
from aiodocker.containers import DockerContainer

from runtime.config import EngineConfig
from runtime.engines import boot, handshake
from runtime.engines.base import ImageDetails, MachineSpec, MachineState, MachineStatus, Stream
from runtime.engines.docker import belongings, etc, reach
from runtime.engines.docker.client import DockerClient, classified, status_of
from runtime.engines.docker.spec import (
    INSTANCE_LABEL,
    MACHINE_LABEL,
    NETWORK_LABEL,
    REACH_LABEL,
    Attachment,
    Json,
    Way,
    container_name,
    create_body,
    volume_mounts,
)
from runtime.engines.docker.targets import Targets
from runtime.errors import EngineRefused, EngineUnavailable, MachineGone, MachineUnreachable, RuntimeFailure
from runtime.limits import forgotten
from runtime.limits.devices import disk_of

Arrived = TypeVar("Arrived")
MACHINE_ID = re.compile("[0-9a-f]{32}")
BOOT_SECONDS = 30.0
WATCH_SECONDS = 0.1
REMOVE_SECONDS = 60.0
FREEZE_TRIES = 10
STATES = {
    "created": MachineState.CREATED,
    "running": MachineState.RUNNING,
    "restarting": MachineState.RUNNING,
    "paused": MachineState.PAUSED,
}
"""Docker's `exited`, `dead` and `removing` are all EXITED to us."""
ALIVE = (MachineState.RUNNING, MachineState.PAUSED)


class NotShared(EngineRefused):
    """The engine's host does not have our directory: it is another one."""


class Machines:
    """Of one instance, on one engine. `create` has two forms, for the two ways of `reach`."""

    def __init__(self, config: EngineConfig, client: DockerClient, seccomp: str | None) -> None:
        self._config = config
        self._client = client
        self._seccomp = seccomp
        self._targets = Targets()

    async def create_shared(self, spec: MachineSpec, image: ImageDetails, attachment: Attachment | None) -> None:
        """Raises NotShared, with nothing left behind, when the engine's host is another one."""
        directory = self._directory(spec.machine_id)
        async with reach.boot_socket(self._config, directory) as waiting:
            files = etc.write(directory, spec.hostname, attachment)
            way = reach.shared_way(directory, files, image.working_directory)
            body = await self._body(spec, way, image, attachment)
            container = await self._make(spec, body)
            async with self._undone(spec.machine_id):
                await self._targets.check(container, image.digest, body)
                arriving = asyncio.create_task(waiting.bind())
                await _start(container, arriving)
                await self._tell(await reach.dial_shared(directory), spec)

    async def create_bridged(
        self, spec: MachineSpec, image: ImageDetails, attachment: Attachment | None, volume: str
    ) -> None:
        body = await self._body(spec, reach.bridged_way(volume, image.working_directory), image, attachment)
        container = await self._make(spec, body)
        async with self._undone(spec.machine_id):
            await self._targets.check(container, image.digest, body)
            async with classified():
                await container.start()
            arriving = asyncio.create_task(reach.await_bridge(container))
            await self._tell(await _arrival(container, arriving), spec)

    async def _make(self, spec: MachineSpec, body: Json) -> DockerContainer:
        docker = await self._client.api()
        making = asyncio.create_task(_create(docker, body, self._name(spec.machine_id)))
        try:
            return await asyncio.shield(making)
        except EngineUnavailable:
            raise  # it may have been made: what there is stays until `remove`
        except RuntimeFailure as error:
            is_here = _is_here(body)
            boot.forget(self._directory(spec.machine_id))
            if status_of(error) == 409:
                raise EngineRefused("A machine of this id exists already.") from error
            if "bind source path does not exist" in str(error):
                if not is_here:
                    raise MachineUnreachable("The machine was removed while it was made.") from error
                raise NotShared("The engine's host does not share this host's files.") from error
            raise
        except BaseException:
            # The engine goes on with what it was asked, so wait until there is something to remove.
            await asyncio.wait({making})
            await asyncio.shield(self._discard(spec.machine_id))
            raise

    async def _body(self, spec: MachineSpec, way: Way, image: ImageDetails, attachment: Attachment | None) -> Json:
        way = replace(way, mounts=[*way.mounts, *volume_mounts(spec, self._config, way, image.volumes)])
        limited = way.name == reach.SHARED and spec.limits.write_bytes_per_second
        disk = await self._disk() if limited else None
        return create_body(
            spec, self._config, way, image_user=image.user, seccomp=self._seccomp, attachment=attachment, disk=disk
        )

    async def _disk(self) -> Path | None:
        """What the engine's data is on, if it is a disk of this host."""
        docker = await self._client.api()
        async with classified():
            root = (await docker.system.info()).get("DockerRootDir")
        return await asyncio.to_thread(disk_of, Path(root)) if root else None

    @contextlib.asynccontextmanager
    async def _undone(self, machine_id: str) -> AsyncIterator[None]:
        """Removes the machine when the block fails, as far as the engine answers."""
        try:
            yield
        except BaseException:
            await asyncio.shield(self._discard(machine_id))
            raise

    async def _discard(self, machine_id: str) -> None:
        with contextlib.suppress(RuntimeFailure):
            await self.remove(machine_id)

    async def _tell(self, stream: Stream, spec: MachineSpec) -> None:
        await handshake.start(stream, spec.deadline_seconds, self._config.ring_bytes)

    async def dial(self, machine_id: str) -> Stream:
        try:
            return await reach.dial_shared(self._directory(machine_id))
        except (FileNotFoundError, NotADirectoryError):
            pass  # bridged, or gone
        except OSError as error:
            await self._running(machine_id)
            raise MachineUnreachable("The machine does not accept connections.") from error
        container = await self._running(machine_id)
        if container["Config"]["Labels"].get(REACH_LABEL) != reach.BRIDGED:
            raise MachineUnreachable("The machine is not ready yet.")
        try:
            return await reach.dial_bridged(container)
        except EngineRefused as error:
            if status_of(error) not in reach.DOES_NOT_RUN:
                raise
            await self._running(machine_id)
            raise MachineUnreachable("The machine does not accept connections.") from error

    async def _running(self, machine_id: str) -> DockerContainer:
        container = await self._inspect(machine_id)
        if container is None or _state(container["State"]["Status"]) is MachineState.EXITED:
            raise MachineGone("The machine is gone.")
        return container

    async def remove(self, machine_id: str) -> str | None:
        """Repeats itself until the engine no longer knows the machine, so that its name is free afterwards.

        Answers the id of the network that it shared with others; None: with nobody, or it was gone.
        """
        if MACHINE_ID.fullmatch(machine_id) is None:
            return None
        docker = await self._client.api()
        known = await self._inspect(machine_id)
        if known is not None and _state(known["State"]["Status"]) not in ALIVE:
            # While the engine knows it: whoever is killed here is followed by somebody who finds it again.
            await self._end_forgotten(known)
        container = docker.containers.container(self._name(machine_id))
        async with classified(REMOVE_SECONDS):
            while not await _removed(container):  # noqa: ASYNC110 - the engine has no event for it
                await asyncio.sleep(WATCH_SECONDS)
        await belongings.remove_volumes(docker, f"{MACHINE_LABEL}={machine_id}")
        boot.forget(self._directory(machine_id))
        shared: str | None = known["Config"]["Labels"].get(NETWORK_LABEL) if known is not None else None
        return shared

    async def _end_forgotten(self, container: DockerContainer) -> None:
        """An engine that was killed while it started a container may not know that it runs, and would leave that."""
        if not await asyncio.to_thread(forgotten.end, container.id):
            raise EngineRefused("Processes of a machine do not end.")

    async def freeze(self, machine_id: str, *, frozen: bool) -> None:
        """Pauses or resumes it. The engine refuses what is so already, so a refusal is looked into.

        With cgroup v1 the runtime gives up soon on processes that the CPU limit holds back or that wait for the disk.
        """
        wanted = MachineState.PAUSED if frozen else MachineState.RUNNING
        docker = await self._client.api()
        container = docker.containers.container(self._name(machine_id))
        for tries_left in reversed(range(FREEZE_TRIES)):
            try:
                async with classified():
                    await (container.pause() if frozen else container.unpause())
            except EngineRefused:
                if _state((await self._running(machine_id))["State"]["Status"]) is wanted:
                    return
                if not tries_left:
                    raise
            else:
                return

    async def status(self, machine_id: str) -> MachineStatus | None:
        container = await self._inspect(machine_id)
        return None if container is None else _status(machine_id, container)

    async def all(self) -> Sequence[MachineStatus]:
        """Containers by label, and directories that a worker left when it was killed before it made the container."""
        docker = await self._client.api()
        async with classified():
            found = await docker.containers.list(
                all=True, filters={"label": [f"{INSTANCE_LABEL}={self._config.instance}", MACHINE_LABEL]}
            )
        known = {container["Labels"][MACHINE_LABEL]: container for container in found}
        statuses = [await self._summary(machine_id, container) for machine_id, container in known.items()]
        return [status for status in statuses if status is not None] + self._left_directories(set(known))

    async def _summary(self, machine_id: str, container: DockerContainer) -> MachineStatus | None:
        state = _state(container["State"])
        if state is MachineState.EXITED:
            return await self.status(machine_id)  # a list tells no exit code; gone meanwhile is possible
        return MachineStatus(machine_id, state, None, False, container["Labels"])

    def _left_directories(self, known: set[str]) -> list[MachineStatus]:
        entries = self._config.run_directory.iterdir()
        left = (entry for entry in entries if MACHINE_ID.fullmatch(entry.name) and entry.name not in known)
        return [
            MachineStatus(
                entry.name,
                MachineState.CREATED if (entry / "guest" / "boot").exists() else MachineState.EXITED,
                None,
                False,
                {},
            )
            for entry in left
        ]

    async def _inspect(self, machine_id: str) -> DockerContainer | None:
        docker = await self._client.api()
        try:
            async with classified():
                return await docker.containers.get(self._name(machine_id))
        except MachineGone:
            return None

    def _name(self, machine_id: str) -> str:
        return container_name(self._config.instance, _checked(machine_id))

    def _directory(self, machine_id: str) -> Path:
        return self._config.run_directory / _checked(machine_id)


def _checked(machine_id: str) -> str:
    """Raises MachineGone for what can't be an id: it becomes part of a path and of a URL."""
    if MACHINE_ID.fullmatch(machine_id) is None:
        raise MachineGone("There is no such machine.")
    return machine_id


def _state(word: str) -> MachineState:
    return STATES.get(word, MachineState.EXITED)


def _status(machine_id: str, container: DockerContainer) -> MachineStatus:
    inside = container["State"]
    state = _state(inside["Status"])
    labels: Mapping[str, str] = container["Config"]["Labels"]
    exit_code = inside["ExitCode"] if state is MachineState.EXITED else None
    return MachineStatus(machine_id, state, exit_code, bool(inside["OOMKilled"]), labels)


def _is_here(body: Json) -> bool:
    """Whether this host has all that the machine is to see of it."""
    given: Any = body["HostConfig"]
    return all(Path(mount["Source"]).exists() for mount in given["Mounts"] if mount["Type"] == "bind")


async def _create(docker: Docker, body: Json, name: str) -> DockerContainer:
    async with classified():
        return await docker.containers.create(body, name=name)


async def _removed(container: DockerContainer) -> bool:
    """Asks for removal once; True when there is nothing left to remove."""
    try:
        async with classified(REMOVE_SECONDS):
            await container.delete(force=True, v=True)
            await container.show()
    except MachineGone:
        return True
    except EngineRefused as error:
        if status_of(error) != 409:  # 409: somebody else is removing it right now
            raise
    return False


async def _start(container: DockerContainer, arriving: asyncio.Task[None]) -> None:
    try:
        async with classified():
            await container.start()
    except BaseException:
        arriving.cancel()
        await asyncio.wait({arriving})
        raise
    await _arrival(container, arriving)


async def _arrival(container: DockerContainer, arriving: "asyncio.Task[Arrived]") -> Arrived:
    """Waits for sandboxd, and looks whether the machine still runs: an early end must not take the whole time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + BOOT_SECONDS
    try:
        while not (await asyncio.wait({arriving}, timeout=WATCH_SECONDS))[0]:
            async with classified():
                state = (await container.show())["State"]
            if not state["Running"]:
                raise MachineUnreachable(f"The machine ended while it started, with status {state['ExitCode']}.")
            if loop.time() > deadline:
                raise MachineUnreachable("The machine did not start in time.")
        return await arriving
    except OSError as error:
        raise MachineUnreachable("The machine did not start as it should.") from error
    finally:
        arriving.cancel()
        await asyncio.wait({arriving})
