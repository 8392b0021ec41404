"""The engine is not there, or goes away in the middle."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runtime.config import EngineConfig
from runtime.engines.docker.engine import DockerEngine
from runtime.errors import EngineUnavailable
from tests.support.cutting import cutting_proxy
from tests.support.docker import BUSYBOX, docker_host, ensure_image, machine_spec, running_engine

CALLS: dict[str, Callable[[DockerEngine], Awaitable[object]]] = {
    "ping": lambda engine: engine.ping(),
    "capabilities": lambda engine: engine.capabilities(),
    "create": lambda engine: engine.create(machine_spec()),
    "remove": lambda engine: engine.remove("0" * 32),
    "status": lambda engine: engine.status("0" * 32),
    "dial": lambda engine: engine.dial("0" * 32),
    "machines": lambda engine: engine.machines(),
    "image": lambda engine: engine.image(BUSYBOX),
    "pull": lambda engine: engine.pull("localhost:1/x:1", lambda share, words: None),
    "build": lambda engine: engine.build("busybox", "playground/never:1", lambda share, words: None),
    "remove_image": lambda engine: engine.remove_image("playground/never:1"),
}


@asynccontextmanager
async def closing(engine: DockerEngine) -> AsyncIterator[DockerEngine]:
    """Closes it also when the test fails: what it held would spoil another test."""
    try:
        yield engine
    finally:
        await engine.close()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_nobody_listens(tmp_path: Path, call: Callable[[DockerEngine], Awaitable[object]]) -> None:
    config = EngineConfig("gone", tmp_path, tmp_path / "sandboxd", docker_host=f"unix://{tmp_path}/docker.sock")
    async with closing(DockerEngine(config)) as engine:
        with pytest.raises(EngineUnavailable):
            await call(engine)


@pytest.mark.parametrize("before", [True, False], ids=["request lost", "answer lost"])
@pytest.mark.parametrize("moment", ["create", "start"])
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "bridged"])
async def test_it_dies_in_the_middle_of_create(sandboxd: Path, shared: bool, moment: str, before: bool) -> None:
    spec = machine_spec()
    path = Path("/tmp") / f"cut-{uuid.uuid4().hex}.sock"
    async with (
        running_engine(sandboxd, shared_filesystem=shared) as healthy,
        cutting_proxy(docker_host(), path) as proxy,
    ):
        await ensure_image(healthy, "busybox")
        config = EngineConfig(
            healthy.config.instance,
            healthy.config.run_directory,
            sandboxd,
            docker_host=f"unix://{path}",
            shared_filesystem=shared,
        )
        async with closing(DockerEngine(config)) as engine:
            await engine.ping()
            # A request for a machine by its name comes first at its creation.
            proxy.cut_at = spec.machine_id.encode() if moment == "create" else b"/start "
            proxy.before = before
            with pytest.raises(EngineUnavailable):
                await engine.create(spec)
            with pytest.raises(EngineUnavailable):
                await engine.ping()
        if moment == "create" and not before:  # the engine goes on alone with what it was asked
            while await healthy.status(spec.machine_id) is None:
                await asyncio.sleep(0.01)
        await healthy.remove(spec.machine_id)
        assert await healthy.status(spec.machine_id) is None


async def test_it_comes_back(sandboxd: Path) -> None:
    """The same object works again: nothing of the lost connection is kept."""
    path = Path("/tmp") / f"cut-{uuid.uuid4().hex}.sock"
    engine = DockerEngine(EngineConfig("back", Path("/tmp"), sandboxd, docker_host=f"unix://{path}"))
    for _ in range(2):
        async with cutting_proxy(docker_host(), path) as proxy:
            await engine.ping()
            proxy.die()
            with pytest.raises(EngineUnavailable):
                await engine.ping()
    await engine.close()
