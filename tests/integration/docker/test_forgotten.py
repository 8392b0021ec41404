"""Processes that outlive their container, because the engine was killed while it started it."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiodocker
import pytest

from runtime.engines.docker.engine import DockerEngine
from runtime.engines.docker.spec import INSTANCE_LABEL, MACHINE_LABEL, container_name
from runtime.limits import forgotten
from runtime.limits.cgroups import CGROUPS
from tests.support.docker import BUSYBOX, docker_host, machine_spec

UNIFIED = (CGROUPS / "cgroup.controllers").exists()
HIERARCHIES = (CGROUPS,) if UNIFIED else (CGROUPS / "pids", CGROUPS / "freezer")


@contextmanager
def in_cgroup_of(container_id: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of this host in the place where the engine puts that container."""
    places = [hierarchy / "docker" / container_id for hierarchy in HIERARCHIES]
    process = subprocess.Popen(["sleep", "infinity"])
    try:
        for place in places:
            place.mkdir(parents=True)
            (place / "cgroup.procs").write_text(str(process.pid))
        yield process
    finally:
        _thaw(places[-1])
        process.kill()
        process.wait(20)
        for place in places:
            with suppress(FileNotFoundError):
                place.rmdir()


def _freeze(place: Path) -> None:
    name, value = ("cgroup.freeze", "1") if UNIFIED else ("freezer.state", "FROZEN")
    (place / name).write_text(value)


def _thaw(place: Path) -> None:
    name, value = ("cgroup.freeze", "0") if UNIFIED else ("freezer.state", "THAWED")
    with suppress(OSError):
        (place / name).write_text(value)


@pytest.mark.parametrize("frozen", [False, True])
async def test_what_a_container_left_ends_with_it(local_engine: DockerEngine, frozen: bool) -> None:
    spec = machine_spec()
    instance = local_engine.config.instance
    labels = {INSTANCE_LABEL: instance, MACHINE_LABEL: spec.machine_id}
    async with aiodocker.Docker(docker_host()) as docker:
        made = await docker.containers.create(
            {"Image": BUSYBOX, "Labels": labels}, name=container_name(instance, spec.machine_id)
        )
    with in_cgroup_of(made.id) as process:
        if frozen:
            _freeze(HIERARCHIES[-1] / "docker" / made.id)
        await local_engine.remove(spec.machine_id)
        assert process.wait(20) == -9
        assert not any((hierarchy / "docker" / made.id).exists() for hierarchy in HIERARCHIES)
    assert await local_engine.status(spec.machine_id) is None


@contextmanager
def serving(container_id: str, program: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of that name with the container's id among its arguments."""
    waits = "import time; time.sleep(600)"
    command = [program, "-c", waits, "-namespace", "moby", "-id", container_id]
    process = subprocess.Popen(command, executable=sys.executable)
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


def test_what_served_a_container_ends_and_nothing_else() -> None:
    """Shims of an engine that was killed go on for ever when nobody tells them to end."""
    container_id = secrets.token_hex(32)
    with (
        serving(container_id, "/usr/bin/containerd-shim-runc-v2") as shim,
        serving(container_id, "docker") as somebody,
        serving(secrets.token_hex(32), "/usr/bin/containerd-shim-runc-v2") as of_another,
    ):
        assert forgotten.end(container_id)
        assert shim.wait(20) == -9
        assert somebody.poll() is None
        assert of_another.poll() is None
