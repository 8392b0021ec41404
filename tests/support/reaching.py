"""What a machine reaches of the world outside (`outside`), and how fast, tried from inside of it."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from runtime.engines.base import Egress
from runtime.engines.docker.engine import DockerEngine
from runtime.engines.docker.names import bridge_name
from tests.support.docker import machine_spec, output_of
from tests.support.outside import ENDLESS, INTERNET, SINK, Outside, on_host
from tests.support.waiting import until

Target = tuple[str, int]
TRIES_AT_ONCE = 16
SECONDS = 4
RATE = 400_000
AT_ONCE = 1 << 20
"""Bytes that buckets, queues and buffers on the way may hold."""


@asynccontextmanager
async def machine(engine: DockerEngine, egress: Egress, **changes: Any) -> AsyncIterator[str]:
    spec = machine_spec(egress=egress, **changes)
    await engine.create(spec)
    try:
        yield spec.machine_id
    finally:
        await engine.remove(spec.machine_id)


async def reached(engine: DockerEngine, machine_id: str, targets: Iterable[Target]) -> set[Target]:
    """Those that answered, some tried at once: a machine has few processes, and a host may have many addresses."""
    tries = [
        f'(nc -w 2 {address} {port} </dev/null 2>/dev/null | grep -q reached && echo "{address} {port}") & '
        for address, port in targets
    ]
    some = range(0, len(tries), TRIES_AT_ONCE)
    script = "\n".join(f"{''.join(tries[first : first + TRIES_AT_ONCE])}wait" for first in some)
    said = await output_of(engine, machine_id, "sh", "-c", script or "true")
    return {(line.split()[0], int(line.split()[1])) for line in said.splitlines()}


async def reaches(
    engine: DockerEngine, machine_id: str, wanted: Iterable[Target], never: Iterable[Target] = ()
) -> None:
    """Waits until each of `wanted` has answered, on a host that may stand still; then none of `never` may answer."""
    left = set(wanted)

    async def all_have_answered() -> bool:
        left.difference_update(await reached(engine, machine_id, left))
        return not left

    await until(all_have_answered, "what may be reached answers")
    assert await reached(engine, machine_id, never) == set()


async def gets_in(command: Sequence[str]) -> None:
    """Waits until this command of the host, a try of a machine's, comes to a good end."""

    async def succeeds() -> bool:
        try:
            await asyncio.to_thread(on_host, *command)
        except subprocess.CalledProcessError:
            return False
        return True

    await until(succeeds, f"{command} gets in")


def inside(engine: DockerEngine, machine_id: str) -> list[str]:
    """What runs a command of this host, as its root, on the network of the machine."""
    name = f"playground-{engine.config.instance}-{machine_id}"
    pid = on_host("docker", "--host", engine.config.docker_host, "inspect", "-f", "{{.State.Pid}}", name).strip()
    return ["nsenter", "--net", f"--target={pid}"]


def with_ipv6(engine: DockerEngine, machine_id: str, network: str = "fd99") -> list[str]:
    """Gives the machine and its bridge addresses of IPv6, as this host's root alone can; can be repeated.

    What runs on the machine's network and connects to a port of the bridge's: the port is to be the next word.
    """
    bridge = bridge_name(engine.config.instance, machine_id)
    command = inside(engine, machine_id)
    Path(f"/proc/sys/net/ipv6/conf/{bridge}/disable_ipv6").write_text("0")
    on_host("ip", "-6", "addr", "replace", f"{network}::1/64", "dev", bridge, "nodad")
    enable = "echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6; "
    on_host(*command, "sh", "-c", f"{enable}ip -6 addr replace {network}::2/64 dev eth0 nodad")
    knock = f"import socket, sys; socket.create_connection(('{network}::1', int(sys.argv[1])), 2)"
    return [*command, "python3", "-c", knock]


async def poured(engine: DockerEngine, machine_id: str) -> tuple[int, float]:
    """Bytes into the machine, and in how many seconds."""
    command = f"timeout {SECONDS} nc {INTERNET} {ENDLESS} </dev/null 2>/dev/null | wc -c 2>/dev/null"
    began = time.monotonic()
    words = (await output_of(engine, machine_id, "sh", "-c", command)).split()
    return next(int(word) for word in words if word.isdigit()), time.monotonic() - began


async def drunk(engine: DockerEngine, world: Outside, machine_id: str) -> tuple[int, float]:
    """Bytes out of the machine, and in how many seconds."""
    before = len(world.noted("drunk"))
    command = f"timeout {SECONDS} nc {INTERNET} {SINK} </dev/zero; true"
    began = time.monotonic()
    await output_of(engine, machine_id, "sh", "-c", command)

    async def look() -> bool:
        return len(world.noted("drunk")) > before

    await until(look, "the other side has noticed the end")
    return int(str(world.noted("drunk")[-1])), time.monotonic() - began


def assert_limited(moved: tuple[int, float]) -> None:
    """About as much as the rate allows: neither a multiple of it nor next to nothing."""
    count, seconds = moved
    assert RATE * SECONDS * 0.2 < count < RATE * seconds * 1.3 + AT_ONCE
