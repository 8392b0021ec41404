"""Volumes, networks and helpers of an installation: found by label, told apart by owner, removed."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiodocker
import pytest

from runtime.engines.base import Belonging, Egress
from runtime.engines.docker import belongings
from runtime.engines.docker.engine import DockerEngine
from runtime.engines.docker.host_bridges import make_bridge, remove_bridge
from runtime.engines.docker.names import bridge_name
from runtime.engines.docker.spec import INSTANCE_LABEL, MACHINE_LABEL, PROBE_LABEL
from tests.support.docker import BUSYBOX, derived_image, docker_host, machine_spec, output_of


@asynccontextmanager
async def api() -> AsyncIterator[Any]:
    async with aiodocker.Docker(docker_host()) as docker:
        yield docker


async def of_nobody(engine: DockerEngine) -> list[Belonging]:
    """What is neither the site's own nor in use for a moment."""
    return [each for each in await engine.belongings() if not each.of_site and not each.is_passing]


async def test_storage_of_an_image_is_labelled_and_goes_with_its_machine(engine: DockerEngine) -> None:
    async with derived_image("VOLUME /data /more") as image:
        spec = machine_spec(image, labels={"playground.session": "s"})
        await engine.create(spec)
        await output_of(engine, spec.machine_id, "touch", "/data/kept", "/more/kept")
        label = {"label": [f"{MACHINE_LABEL}={spec.machine_id}"]}
        async with api() as docker:
            found = (await docker.volumes.list(filters=label))["Volumes"]
            name = f"playground-{engine.config.instance}-{spec.machine_id}"
            assert sorted(each["Name"] for each in found) == [f"{name}-0", f"{name}-1"]
            assert {each["Labels"]["playground.session"] for each in found} == {"s"}
            assert await of_nobody(engine) == [], "they are in use"
            await engine.remove(spec.machine_id)
            assert not (await docker.volumes.list(filters=label))["Volumes"]


async def test_storage_that_lost_its_machine_is_found(engine: DockerEngine) -> None:
    """As when the engine is killed between a container and its volumes."""
    async with derived_image("VOLUME /data") as image:
        spec = machine_spec(image)
        await engine.create(spec)
        name = f"playground-{engine.config.instance}-{spec.machine_id}"
        async with api() as docker:
            await docker.containers.container(name).delete(force=True)
        (left,) = await of_nobody(engine)
        assert left == Belonging("volume", f"{name}-0", spec.machine_id)
        for _ in range(2):
            await engine.discard(left)
        assert await of_nobody(engine) == []
        await engine.remove(spec.machine_id)


async def test_what_is_in_use_again_stays(engine: DockerEngine) -> None:
    async with derived_image("VOLUME /data") as image:
        spec = machine_spec(image)
        await engine.create(spec)
        volume = Belonging("volume", f"playground-{engine.config.instance}-{spec.machine_id}-0", spec.machine_id)
        await engine.discard(volume)
        assert await output_of(engine, spec.machine_id, "ls", "-d", "/data") == "/data\n"
        await engine.remove(spec.machine_id)


async def test_networks_and_old_helpers_are_found(engine: DockerEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    instance, session = engine.config.instance, uuid4().hex
    labels = {INSTANCE_LABEL: instance}
    names = {kind: f"playground-{instance}-{kind}" for kind in ("network", "probe", "helper")}
    async with api() as docker:
        await docker.networks.create({"Name": names["network"], "Labels": {**labels, "playground.session": session}})
        await docker.networks.create({"Name": names["probe"], "Labels": {**labels, PROBE_LABEL: str(int(time.time()))}})
        await docker.containers.create({"Image": BUSYBOX, "Labels": labels}, name=names["helper"])
    assert await of_nobody(engine) == [Belonging("network", names["network"], None, session)], "the others are young"
    passing = {each.name for each in await engine.belongings() if each.is_passing}
    assert passing == {names["probe"], names["helper"]}
    monkeypatch.setattr(belongings, "HELPER_SECONDS", -1)
    found = await of_nobody(engine)
    assert {each.name for each in found} == set(names.values())
    for each in [*found, *found]:
        await engine.discard(each)
    assert await of_nobody(engine) == []


async def test_the_volume_with_sandboxd_is_the_sites_own(engine: DockerEngine) -> None:
    spec = machine_spec()
    await engine.create(spec)
    await engine.remove(spec.machine_id)
    assert all(each.of_site and each.kind == "volume" for each in await engine.belongings())
    assert await of_nobody(engine) == []


async def test_an_unfinished_directory_is_a_machine_to_remove(local_engine: DockerEngine) -> None:
    machine_id = uuid4().hex
    (local_engine.config.run_directory / machine_id).mkdir()
    assert [status.machine_id for status in await local_engine.machines()] == [machine_id]
    await local_engine.remove(machine_id)
    assert await local_engine.machines() == []


async def bridges_of_nobody(engine: DockerEngine) -> list[Belonging]:
    return [each for each in await of_nobody(engine) if each.kind == "bridge"]


async def test_a_bridge_that_lost_its_network_is_found(engine: DockerEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the engine is killed after it made the bridge of a network and before it wrote the network down."""
    lost = bridge_name(engine.config.instance, uuid4().hex)
    spec = machine_spec(egress=Egress.INTERNET)
    await engine.create(spec)
    make_bridge(lost)
    try:
        assert await bridges_of_nobody(engine) == [], "it may be one that is being made"
        monkeypatch.setattr(belongings, "BRIDGE_SECONDS", -1)
        assert await bridges_of_nobody(engine) == [Belonging("bridge", lost)]
        for _ in range(2):
            await engine.discard(Belonging("bridge", lost))
        assert await bridges_of_nobody(engine) == []
    finally:
        remove_bridge(lost)
        await engine.remove(spec.machine_id)
