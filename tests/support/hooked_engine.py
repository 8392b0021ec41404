"""A real engine with places to interfere: it can be down, slow at one step, or fail there, as a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

from runtime.engines.base import (
    Belonging,
    Capabilities,
    Engine,
    ImageDetails,
    MachineSpec,
    MachineStatus,
    ProgressCallback,
    Stream,
)
from runtime.errors import EngineUnavailable
from runtime.limits.usage import DiskUsage, Usage

Hook = Callable[[], Awaitable[None]]


class HookedEngine:
    """Passes everything on to `inner`. Runs `before[method]` and `after[method]` around a method, when they are set."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner
        self.name = inner.name
        self.down = False
        """While set, every call raises EngineUnavailable."""
        self.before: dict[str, Hook] = {}
        self.after: dict[str, Hook] = {}
        self.calls: list[str] = []

    async def _enter(self, method: str) -> None:
        self.calls.append(method)
        if method in self.before:
            await self.before[method]()
        if self.down:
            raise EngineUnavailable("The engine does not answer.")

    async def _leave(self, method: str) -> None:
        if method in self.after:
            await self.after[method]()

    async def ping(self) -> None:
        await self._enter("ping")
        await self.inner.ping()

    async def incarnation(self) -> str:
        await self._enter("incarnation")
        return await self.inner.incarnation()

    async def probe(self) -> Capabilities:
        await self._enter("probe")
        return await self.inner.probe()

    async def capabilities(self) -> Capabilities:
        await self._enter("capabilities")
        return await self.inner.capabilities()

    async def create(self, spec: MachineSpec) -> None:
        await self._enter("create")
        await self.inner.create(spec)
        await self._leave("create")

    async def dial(self, machine_id: str) -> Stream:
        await self._enter("dial")
        return await self.inner.dial(machine_id)

    async def remove(self, machine_id: str) -> None:
        await self._enter("remove")
        await self.inner.remove(machine_id)
        await self._leave("remove")

    async def mend(self) -> None:
        await self._enter("mend")
        await self.inner.mend()

    async def status(self, machine_id: str) -> MachineStatus | None:
        await self._enter("status")
        return await self.inner.status(machine_id)

    async def machines(self) -> Sequence[MachineStatus]:
        await self._enter("machines")
        found = await self.inner.machines()
        await self._leave("machines")
        return found

    async def belongings(self) -> Sequence[Belonging]:
        await self._enter("belongings")
        return await self.inner.belongings()

    async def discard(self, belonging: Belonging) -> None:
        await self._enter("discard")
        await self.inner.discard(belonging)

    async def usage(self, machine_ids: Collection[str]) -> Mapping[str, Usage]:
        await self._enter("usage")
        found = await self.inner.usage(machine_ids)
        await self._leave("usage")
        return found

    async def disk_usage(self, machine_id: str, most_bytes: int) -> DiskUsage | None:
        await self._enter("disk_usage")
        return await self.inner.disk_usage(machine_id, most_bytes)

    async def limit_cpu(self, machine_id: str, cores: float) -> None:
        await self._enter("limit_cpu")
        await self.inner.limit_cpu(machine_id, cores)

    async def pause(self, machine_id: str) -> None:
        await self._enter("pause")
        await self.inner.pause(machine_id)
        await self._leave("pause")

    async def resume(self, machine_id: str) -> None:
        await self._enter("resume")
        await self.inner.resume(machine_id)
        await self._leave("resume")

    async def image(self, reference: str) -> ImageDetails | None:
        await self._enter("image")
        return await self.inner.image(reference)

    async def pull(self, reference: str, progress: ProgressCallback) -> ImageDetails:
        await self._enter("pull")
        return await self.inner.pull(reference, progress)

    async def build(self, recipe: str, reference: str, progress: ProgressCallback) -> ImageDetails:
        await self._enter("build")
        return await self.inner.build(recipe, reference, progress)

    async def remove_image(self, reference: str) -> None:
        await self._enter("remove_image")
        await self.inner.remove_image(reference)

    async def events(self) -> AsyncIterator[str]:
        await self._enter("events")
        async for machine_id in self.inner.events():
            yield machine_id

    async def close(self) -> None:
        await self.inner.close()


class Gate:
    """Where a step waits until the test lets it go on: like a worker that stalls there, or is killed."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.opened.wait()


def raises(error: Exception) -> Hook:
    """A hook that fails."""

    async def fail() -> None:
        raise error

    return fail
