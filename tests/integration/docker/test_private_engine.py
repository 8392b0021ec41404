"""A private engine as a supervisor runs it: its end, several at once, and a start over a record that it can't read."""

import fcntl
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import aiodocker
import pytest

from runtime.engines.base import Egress
from runtime.engines.base import MachineState as EngineState
from runtime.engines.docker import daemon, private, start_turns
from runtime.engines.docker.engine import DockerEngine
from runtime.engines.docker.host_bridges import remove_bridge
from runtime.engines.docker.names import bridge_name
from tests.support.docker import BUSYBOX, docker_host, machine_spec, output_of, running_engine
from tests.support.own_engine import OwnEngine, copy_image, own_engine, stopped_engine
from tests.support.waiting import until

INTERFACES = Path("/sys/class/net")


@pytest.fixture(scope="module")
def own(sandboxd: Path) -> Iterator[OwnEngine]:
    with own_engine() as own:
        yield own


@pytest.fixture
async def engine(own: OwnEngine, sandboxd: Path) -> AsyncIterator[DockerEngine]:
    """Ours on that engine."""
    await copy_image(BUSYBOX, docker_host(), own.host)
    async with running_engine(sandboxd, host=own.host) as running:
        yield running


def tear(own: OwnEngine, pattern: bytes, torn: bytes) -> None:
    """Leaves records of networks without their addresses. Each stays as long as it was."""
    (store,) = daemon.stores(own.data_root)
    content, times = re.subn(pattern, torn, store.read_bytes())
    assert times
    assert len(content) == store.stat().st_size
    store.write_bytes(content)


def namespaces(own: OwnEngine) -> list[str]:
    """Where it holds machines' network namespaces."""
    return [place for place in own.all_mounts() if "/netns/" in place and not place.endswith("/default")]


async def test_a_network_that_was_being_removed_is_gone_after_the_next_start(
    own: OwnEngine, engine: DockerEngine
) -> None:
    """Killed just before it forgets one: it goes, and nothing else does."""
    spec, bridge = machine_spec(egress=Egress.INTERNET), "pgtorn"
    await engine.create(spec)
    try:
        async with aiodocker.Docker(own.host) as docker:
            options = {"com.docker.network.bridge.name": bridge}
            torn = await docker.networks.create({"Name": "torn", "Options": options})
            networks = {each["Name"] for each in await docker.networks.list()}
            assert (INTERFACES / bridge).exists()
            assert own.stop() == 0
            record = rb'("id":"%s","inDelete":)false(.*?)"ipamV4Info"' % torn.id.encode()
            tear(own, record, rb'\1true\2"ipamV4Gone_"')
            own.start()
            assert own.log.count("libnetwork.(*controller).reservePools") == 1
            assert own.log.count("is mended in") == 1
            assert "set aside" not in own.log
            assert {each["Name"] for each in await docker.networks.list()} == networks - {"torn"}
    finally:
        gone = not (INTERFACES / bridge).exists()
        remove_bridge(bridge)
    assert gone
    assert (INTERFACES / bridge_name(engine.config.instance, spec.machine_id)).exists()
    await engine.remove(spec.machine_id)
    assert namespaces(own) == []
    without = machine_spec(egress=Egress.NONE)
    await engine.create(without)
    await engine.remove(without.machine_id)


async def test_networks_that_it_cannot_read_do_not_keep_it_from_starting(own: OwnEngine, engine: DockerEngine) -> None:
    panics = own.log.count("libnetwork.(*controller).reservePools")
    spec = machine_spec(egress=Egress.INTERNET)
    await engine.create(spec)
    bridge = bridge_name(engine.config.instance, spec.machine_id)
    assert (INTERFACES / bridge).exists()
    assert len(namespaces(own)) == 1
    assert own.stop() == 0
    tear(own, rb'"ipamV4Info"', rb'"ipamV4Gone"')
    own.start()
    assert own.log.count("libnetwork.(*controller).reservePools") == panics + 1
    assert own.log.count("They are set aside in") == 1
    assert [path.name for path in own.data_root.glob("**/network/files/*.unreadable")] == ["local-kv.db.unreadable"]
    assert not (INTERFACES / bridge).exists()
    assert (INTERFACES / private.bridge_name(own.directory)).exists()

    status = await engine.status(spec.machine_id)
    assert status is not None
    assert status.state == EngineState.RUNNING
    assert await output_of(engine, spec.machine_id, "echo", "works") == "works\n"
    await engine.mend()
    await engine.remove(spec.machine_id)
    assert namespaces(own) == []

    again = machine_spec(egress=Egress.INTERNET)
    await engine.create(again)
    assert own.stop() == 0
    own.start()
    assert own.log.count("They are set aside in") == 1
    await engine.remove(again.machine_id)
    assert not (INTERFACES / bridge_name(engine.config.instance, again.machine_id)).exists()


async def test_it_ends_with_what_a_supervisor_runs(own: OwnEngine) -> None:
    """kill -9 of that: dockerd hears of it, and the next one starts."""
    assert own.stop(signal.SIGKILL) == -signal.SIGKILL

    async def all_have_ended() -> bool:
        return own.processes() == []

    await until(all_have_ended, "dockerd and its containerd end")
    own.start()
    assert own.stop(signal.SIGINT) == 0
    await until(all_have_ended, "all of it ends in order")
    own.start()


def test_another_failure_is_no_reason_to_set_anything_aside(own: OwnEngine) -> None:
    own.stop()
    stores = {store: store.read_bytes() for store in daemon.stores(own.data_root)}
    assert stores
    command = private.command(own.directory)
    refused = [*command.argv, "--no-such-option"]
    done = subprocess.run(
        refused, env=dict(command.environment), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode not in {0, daemon.PANIC_STATUS}
    assert "no-such-option" in done.stderr
    assert {store: store.read_bytes() for store in daemon.stores(own.data_root)} == stores
    own.start()


def test_several_start_at_once() -> None:
    """Every engine removes and makes the same chains of iptables: without turns, one of three soon gives up."""
    with ExitStack() as stack:
        engines = [stack.enter_context(stopped_engine()) for _ in range(3)]
        for _ in range(2):
            for engine in engines:
                engine.begin()
            for engine in engines:
                engine.wait()
            for engine in engines:
                assert engine.stop() == 0
        assert "waits for its turn" in "".join(engine.log for engine in engines)


async def test_it_ends_while_it_waits_for_its_turn() -> None:
    with stopped_engine() as engine, start_turns.LOCK.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        engine.begin()

        async def waits() -> bool:
            return "waits for its turn" in engine.log

        await until(waits, "it says that it waits")
        assert engine.stop() == 0
        assert not engine.data_root.exists()
