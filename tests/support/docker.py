"""A Docker engine for tests, and the proof that a test left nothing on it."""

import asyncio
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from runtime.config import EngineConfig
from runtime.engines.base import Egress, Limits, MachineSpec
from runtime.engines.docker import private
from runtime.engines.docker.engine import DockerEngine
from runtime.engines.docker.names import table_name
from runtime.engines.docker.spec import INSTANCE_LABEL
from runtime.images.catalogue import CATALOGUE
from runtime.terminal import execution, files
from runtime.terminal.client import SandboxdClient

ROOT = Path(__file__).parents[2]
SECCOMP = ROOT / "deploy/seccomp/machine.json"
REFERENCES = {entry.recipe: entry.reference for entry in CATALOGUE}
BUSYBOX = REFERENCES["busybox"]
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


def docker_host() -> str:
    """The engine that tests use. None answering fails in CI, and skips with the reason elsewhere."""
    found = private.find()
    if found is not None:
        return found
    reason = "no Docker engine answers at DOCKER_HOST or the usual socket"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def running_engine(sandboxd: Path, *, host: str | None = None, **settings: Any) -> AsyncIterator[DockerEngine]:
    """An engine with an instance of its own. Fails when the block leaves a machine, a network or a directory behind."""
    directory = _run_directory()
    config = EngineConfig(
        instance=uuid.uuid4().hex[:12],
        run_directory=directory,
        sandboxd=sandboxd,
        docker_host=host or docker_host(),
        seccomp_profile=SECCOMP,
        **settings,
    )
    engine = DockerEngine(config)
    try:
        yield engine
        left = [status.machine_id for status in await engine.machines()]
        assert left == [], f"machines were left: {left}"
        assert os.listdir(directory) == [], "the run directory is not empty"  # noqa: PTH208
    finally:
        await engine.close()
        await sweep(config.docker_host, config.instance)
        shutil.rmtree(directory)


def _remove_filter(instance: str) -> None:
    if program := shutil.which("nft", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
        subprocess.run([program, "delete", "table", "inet", table_name(instance)], check=False, capture_output=True)


def _run_directory() -> Path:
    """Not pytest's own temporary directory: the remapped root of a machine must be able to pass through."""
    directory = Path(tempfile.mkdtemp(prefix="playground-test-"))
    directory.chmod(0o711)
    return directory


async def sweep(host: str, instance: str) -> None:
    """Removes what carries the instance's label, and its filter: one failed test does not spoil the next."""
    docker = aiodocker.Docker(host)
    filters = {"label": [f"{INSTANCE_LABEL}={instance}"]}
    try:
        for container in await docker.containers.list(all=True, filters=filters):
            await container.delete(force=True, v=True)
        for network in await docker.networks.list(filters=filters):
            await (await docker.networks.get(network["Id"])).delete()
        for volume in (await docker.volumes.list(filters=filters))["Volumes"] or []:
            await (await docker.volumes.get(volume["Name"])).delete()
    finally:
        await docker.close()
    await asyncio.to_thread(_remove_filter, instance)


async def ensure_image(engine: DockerEngine, recipe: str) -> str:
    """The catalogue's image of that recipe, built on first use. All tests share it, and it stays for the next run."""
    reference = REFERENCES[recipe]
    if await engine.image(reference) is None:
        await engine.build(recipe, reference, lambda share, words: None)
    return reference


@asynccontextmanager
async def derived_image(*lines: str) -> AsyncIterator[str]:
    """An image of its own on top of busybox, for the time of the block."""
    name = f"playground/test:{uuid.uuid4().hex}"
    text = "\n".join([f"FROM {BUSYBOX}", f"LABEL playground.test={name}", *lines]).encode()
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    context.seek(0)
    async with aiodocker.Docker(docker_host()) as docker:
        await docker.images.build(fileobj=context, encoding="identity", tag=name)
        try:
            yield name
        finally:
            await docker.images.delete(name, force=True)


async def output_of(engine: DockerEngine, machine_id: str, *command: str) -> str:
    """What the command writes to both streams inside the machine; fails unless it ends with 0."""
    said = b""
    async with SandboxdClient(await engine.dial(machine_id)) as client:
        await client.execute(command, timeout_ms=60_000)
        async for piece in execution.run(client):
            if isinstance(piece, execution.Chunk):
                said += piece.data
            else:
                assert piece.exit_code == 0, f"{command} ended with {piece}: {said.decode()}"
    return said.decode()


async def put_program(engine: DockerEngine, machine_id: str, path: str, content: bytes) -> None:
    """Writes it into the machine and makes it executable for everybody there."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    async with SandboxdClient(await engine.dial(machine_id)) as client:
        await files.write(client, path, pieces())
    await output_of(engine, machine_id, "chmod", "755", path)


def machine_spec(image: str = BUSYBOX, **changes: Any) -> MachineSpec:
    """A small machine without egress, of a new id."""
    given: Mapping[str, Any] = {
        "machine_id": uuid.uuid4().hex,
        "hostname": "test",
        "image": image,
        "limits": LIMITS,
        "egress": Egress.NONE,
        "deadline_seconds": 300,
    }
    return MachineSpec(**{**given, **changes})
