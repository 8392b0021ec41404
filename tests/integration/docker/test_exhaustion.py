"""A machine that takes all it can get: it meets its own limit, sandboxd goes on, and a neighbour notices nothing."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from runtime.engines.base import MachineState
from runtime.engines.docker.engine import DockerEngine
from runtime.errors import Busy, MachineUnreachable
from runtime.terminal import execution
from runtime.terminal.answers import ExitStatus
from runtime.terminal.client import SandboxdClient
from tests.support.docker import LIMITS, machine_spec, output_of
from tests.support.waiting import until

MOST_TERMINALS = 256
MOST_CONNECTIONS = 128
SIGKILL, SIGXFSZ = 9, 25


@pytest_asyncio.fixture
async def neighbour(local_engine: DockerEngine) -> AsyncIterator[str]:
    """Must work, and not have been touched, when the test is over."""
    spec = machine_spec()
    await local_engine.create(spec)
    await output_of(local_engine, spec.machine_id, "sh", "-c", "echo mine > /tmp/kept")
    yield spec.machine_id
    assert await output_of(local_engine, spec.machine_id, "cat", "/tmp/kept") == "mine\n"
    await local_engine.remove(spec.machine_id)


@pytest_asyncio.fixture
async def machine(local_engine: DockerEngine, neighbour: str) -> AsyncIterator[str]:
    spec = machine_spec()
    await local_engine.create(spec)
    yield spec.machine_id
    await local_engine.remove(spec.machine_id)


async def works(engine: DockerEngine, machine_id: str) -> None:
    """Waits until sandboxd runs a command again: it may not have seen yet that all that was too much has gone."""

    async def echoes() -> bool:
        try:
            return await output_of(engine, machine_id, "echo", "alive") == "alive\n"
        except (Busy, MachineUnreachable):
            return False

    await until(echoes, "the machine runs a command")


async def ended(engine: DockerEngine, machine_id: str, line: str) -> tuple[str, ExitStatus]:
    """What a line of shell says, and how it ends."""
    said = b""
    async with SandboxdClient(await engine.dial(machine_id)) as client:
        await client.execute(["sh", "-c", f"exec 2>&1; {line}"], timeout_ms=60_000)
        async for piece in execution.run(client):
            if isinstance(piece, execution.Chunk):
                said += piece.data
            else:
                return said.decode(), piece
    raise AssertionError("a command ends")


async def test_a_thousand_terminals(local_engine: DockerEngine, machine: str) -> None:
    opened = refused = 0
    async with SandboxdClient(await local_engine.dial(machine)) as client:
        for _ in range(1000):
            try:
                await client.open(uuid.uuid4().hex, ["sleep", "600"])
                opened += 1
            except Busy:
                refused += 1
        # Processes may run out before terminals do: every sleep is one.
        assert 0 < opened <= min(MOST_TERMINALS, LIMITS.pids)
        assert opened + refused == 1000
        for terminal in await client.terminals():
            await client.close_terminal(terminal.terminal_id)
    await works(local_engine, machine)


async def test_a_thousand_pseudoterminals_from_inside(local_engine: DockerEngine, machine: str, neighbour: str) -> None:
    """The kernel counts them for the whole host: as many as one machine's processes hold leave others enough."""
    held = " ".join(f"{number}<>/dev/ptmx" for number in (0, 1, 2, *range(3, 10)))
    line = f"for n in $(seq 110); do (exec {held}; exec sleep 600) & done; while :; do ls /dev/pts | wc -l; done"
    async with SandboxdClient(await local_engine.dial(machine)) as client:
        await client.execute(["sh", "-c", line], timeout_ms=60_000)
        async for piece in execution.run(client):
            assert isinstance(piece, execution.Chunk), "it never holds as many"
            if piece.stream == "stdout" and max(map(int, piece.data.split()), default=0) > 1000:
                break
        # They go with who asked for them, who is still here.
        async with SandboxdClient(await local_engine.dial(neighbour)) as other:
            for _ in range(20):
                await other.open(uuid.uuid4().hex, ["sleep", "600"])
            for terminal in await other.terminals():
                await other.close_terminal(terminal.terminal_id)
    await works(local_engine, machine)


async def test_a_thousand_connections(local_engine: DockerEngine, machine: str) -> None:
    async with contextlib.AsyncExitStack() as streams:
        told = 0
        for _ in range(1000):
            try:
                stream = await local_engine.dial(machine)
            except MachineUnreachable:
                break
            streams.push_async_callback(stream.close)
            async with asyncio.timeout(30):
                told += b"busy" not in await stream.read(4096)
        assert told == MOST_CONNECTIONS
    await works(local_engine, machine)


async def test_a_flood_of_commands(local_engine: DockerEngine, machine: str) -> None:
    async def one() -> bool:
        try:
            said, status = await ended(local_engine, machine, "head -c 100000 /dev/zero | wc -c")
        except (Busy, MachineUnreachable):
            return False
        return (said, status.exit_code) == ("100000\n", 0)

    async with asyncio.timeout(120):
        done = await asyncio.gather(*(one() for _ in range(400)))
    assert any(done)
    await works(local_engine, machine)


async def test_sandboxd_stays_small(local_engine: DockerEngine, machine: str) -> None:
    """Its memory does not grow with what passes through it."""

    async def resident() -> int:
        status = await output_of(local_engine, machine, "cat", "/proc/1/status")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    before = await resident()
    for _ in range(200):
        await output_of(local_engine, machine, "head", "-c", "65536", "/dev/zero")
    assert await resident() <= before + 512, "kibibytes"


async def test_files_and_processes_end_at_their_limits(local_engine: DockerEngine, machine: str) -> None:
    said, _ = await ended(
        local_engine, machine, 'i=3; while [ $i -lt 5000 ]; do eval "exec $i</dev/null" || break; i=$((i+1)); done'
    )
    assert "Too many open files" in said or "Bad file descriptor" in said or "Invalid" in said
    assert await output_of(local_engine, machine, "echo", "alive") == "alive\n"
    fork_bomb = "b() { b | b & }; b"
    await ended(local_engine, machine, f"({fork_bomb}) 2>/dev/null; sleep 1")
    async with asyncio.timeout(60):
        while True:
            try:
                async with SandboxdClient(await local_engine.dial(machine)) as client:
                    assert await client.terminals() == [], "sandboxd answers under a fork bomb"
                break
            except (Busy, MachineUnreachable):
                continue


@pytest.mark.parametrize(("place", "size"), [("/tmp", LIMITS.tmpfs_bytes), ("/dev/shm", LIMITS.shm_bytes)])
async def test_files_in_memory_have_a_size(local_engine: DockerEngine, machine: str, place: str, size: int) -> None:
    said, _ = await ended(local_engine, machine, f"dd if=/dev/zero of={place}/x bs=1M count=100; stat -c %s {place}/x")
    assert "No space left" in said
    assert int(said.split()[-1]) <= size


async def test_the_largest_file(local_engine: DockerEngine, machine: str) -> None:
    said, status = await ended(
        local_engine, machine, f"dd if=/dev/zero of=/x bs=1 count=2 seek={LIMITS.file_bytes - 1}"
    )
    assert status.signal == SIGXFSZ or "File too large" in said or status.exit_code > 128
    said, _ = await ended(local_engine, machine, f"truncate -s {LIMITS.file_bytes + 1} /x; stat -c %s /x")
    assert int(said.split()[-1]) <= LIMITS.file_bytes


async def test_no_core_file(local_engine: DockerEngine, machine: str) -> None:
    said, _ = await ended(local_engine, machine, "cd /tmp; ulimit -c unlimited; sh -c 'kill -SEGV $$'; ls -a /tmp")
    assert "core" not in said.split()[-2:]


async def test_nothing_kills_sandboxd(local_engine: DockerEngine, machine: str) -> None:
    kills = "for s in KILL STOP SEGV ABRT ILL BUS TRAP SYS TSTP; do kill -$s 1; done; echo done"
    assert "done" in (await ended(local_engine, machine, kills))[0]
    status = await local_engine.status(machine)
    assert status is not None
    assert status.state is MachineState.RUNNING
    assert await output_of(local_engine, machine, "echo", "alive") == "alive\n"


async def test_memory_goes_to_the_machines_own_killer(local_engine: DockerEngine, machine: str) -> None:
    """In a program, in /dev, in files in memory: all count, none is swapped, and sandboxd is the last to go."""
    _, status = await ended(local_engine, machine, "exec tail -c 1000m /dev/zero")
    assert status.signal == SIGKILL
    said, status = await ended(
        local_engine, machine, "for i in 1 2 3 4 5 6 7 8; do dd if=/dev/zero of=/dev/f$i bs=1M count=60; done"
    )
    assert "No space left" in said or status.signal == SIGKILL or "Killed" in said
    await ended(local_engine, machine, "rm -f /dev/f*")
    assert await output_of(local_engine, machine, "echo", "alive") == "alive\n"


async def test_what_the_engine_puts_into_etc_stores_nothing(local_engine: DockerEngine, machine: str) -> None:
    """Their files are on the host's disk, where no limit of the machine counts them."""
    for name in ("hosts", "hostname", "resolv.conf"):
        said, _ = await ended(
            local_engine, machine, f"echo x >> /etc/{name} || echo refused; rm -f /etc/{name} || echo kept"
        )
        assert "refused" in said
        assert "kept" in said
    assert (await output_of(local_engine, machine, "cat", "/etc/hostname")) == "test\n"
    assert "127.0.0.1\tlocalhost" in await output_of(local_engine, machine, "cat", "/etc/hosts")
    assert (await output_of(local_engine, machine, "cat", "/etc/resolv.conf")) == "nameserver 127.0.0.1\n"
