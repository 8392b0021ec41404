"""The probe on a real engine: what it finds is what a machine has, and nothing of it stays."""

import aiodocker
import pytest

from runtime.engines.base import probe_machine_id
from runtime.engines.capability_names import NAMES
from runtime.engines.docker.engine import DockerEngine
from tests.support.docker import docker_host, machine_spec, output_of


async def images() -> set[str]:
    async with aiodocker.Docker(docker_host()) as docker:
        return {tag for image in await docker.images.list() for tag in image["RepoTags"] or []}


async def test_what_a_host_enforces(engine: DockerEngine) -> None:
    found = {item.name: item for item in (await engine.probe()).items}
    assert set(found) == NAMES
    assert [item for item in found.values() if not item.known] == []
    for name in ("seccomp", "no_new_privileges", "capabilities", "hidden_proc", "memory_limit", "pids_limit"):
        assert found[name].available, found[name]
    for name in ("cpu_limit", "tmpfs_limit", "no_network", "pause"):
        assert found[name].available, found[name]
    assert all(item.detail for item in found.values())
    assert all(item.remedy for item in found.values() if not item.available)
    assert await engine.machines() == []
    assert not [tag for tag in await images() if tag.startswith(f"playground/probe:{engine.config.instance}")]


async def test_a_probe_that_was_killed_is_cleared_by_the_next(local_engine: DockerEngine) -> None:
    left = machine_spec(machine_id=probe_machine_id(local_engine.config.instance))
    await local_engine.create(left)
    found = await local_engine.probe()
    assert found.has("seccomp")
    assert await local_engine.machines() == []


async def test_an_engine_keeps_its_fingerprint(local_engine: DockerEngine) -> None:
    first = await local_engine.incarnation()
    spec = machine_spec()
    await local_engine.create(spec)
    assert await output_of(local_engine, spec.machine_id, "true") == ""
    assert await local_engine.incarnation() == first
    await local_engine.remove(spec.machine_id)


async def test_a_host_that_does_not_hold_is_told_so(
    local_engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the filter of system calls taken away the probe says that it is not there, and names what got through."""
    monkeypatch.setattr(local_engine._machines, "_seccomp", '{"defaultAction":"SCMP_ACT_ALLOW"}')
    found = {item.name: item for item in (await local_engine.probe()).items}
    assert not found["seccomp"].available
    assert found["seccomp"].known
    assert "unshare-user" in found["seccomp"].detail
    assert found["memory_limit"].available
