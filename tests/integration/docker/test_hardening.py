"""What a machine may do, and what it has: looked at from inside as its root, and from the engine's side.

What a hostile program tries is in `test_attacks`, what a hostile image says in `test_hostile_images`, and what one
takes that takes all it can get in `test_exhaustion`.
"""

import asyncio
import json
import os
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiodocker
import pytest_asyncio

from runtime.engines.docker.engine import DockerEngine
from runtime.terminal import execution
from runtime.terminal.client import SandboxdClient
from tests.integration.docker.attacks.running import compile_attack, put_attack
from tests.support.docker import LIMITS, docker_host, ensure_image, machine_spec, output_of

USUAL_WORK = textwrap.dedent(
    """
    import concurrent.futures, hashlib, socket, subprocess, tempfile, threading
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: n * n, range(100))) == 328350
    here, there = socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x" * 100000)
    assert subprocess.run(["bash", "-c", "for i in 1 2 3; do true & done; wait; exit 7"]).returncode == 7
    print("worked")
    """
)


@pytest_asyncio.fixture
async def python_machine(local_engine: DockerEngine) -> AsyncIterator[str]:
    spec = machine_spec(await ensure_image(local_engine, "python"))
    await local_engine.create(spec)
    yield spec.machine_id
    await local_engine.remove(spec.machine_id)


@pytest_asyncio.fixture
async def machine(local_engine: DockerEngine) -> AsyncIterator[str]:
    spec = machine_spec()
    await local_engine.create(spec)
    yield spec.machine_id
    await local_engine.remove(spec.machine_id)


async def test_usual_work_goes_on(local_engine: DockerEngine, python_machine: str) -> None:
    assert await output_of(local_engine, python_machine, "python3", "-c", USUAL_WORK) == "worked\n"
    assert "pip" in await output_of(local_engine, python_machine, "pip", "--version")
    assert "debian" in await output_of(local_engine, python_machine, "sh", "-c", "dpkg -l && cat /etc/os-release")
    await output_of(local_engine, python_machine, "python3", "-m", "venv", "--without-pip", "/tmp/v")
    await output_of(local_engine, python_machine, "apt-get", "check")


async def status_of_process(engine: DockerEngine, machine_id: str) -> dict[str, str]:
    text = await output_of(engine, machine_id, "cat", "/proc/self/status")
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


async def test_capabilities_and_privileges(local_engine: DockerEngine, machine: str) -> None:
    status = await status_of_process(local_engine, machine)
    allowed = sum(1 << number for number in (0, 1, 3, 5, 6, 7, 10))
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert int(status[kind], 16) | allowed == allowed, f"{kind} is {status[kind]}"
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


async def test_root_is_nobody_on_the_host(local_engine: DockerEngine, machine: str) -> None:
    capabilities = await local_engine.capabilities()
    inside, outside, _ = (await output_of(local_engine, machine, "cat", "/proc/self/uid_map")).split()[:3]
    assert inside == "0"
    assert (outside != "0") is capabilities.has("user_namespace")


async def test_no_network_and_nothing_of_the_host_resolver(local_engine: DockerEngine, machine: str) -> None:
    assert (await output_of(local_engine, machine, "ls", "/sys/class/net")).split() == ["lo"]
    resolver = await output_of(local_engine, machine, "cat", "/etc/resolv.conf")
    assert [line for line in resolver.splitlines() if line.startswith("nameserver")] == ["nameserver 127.0.0.1"]


async def test_mounts_and_devices(local_engine: DockerEngine, machine: str) -> None:
    mounts = {
        line.split()[1]: set(line.split()[3].split(","))
        for line in (await output_of(local_engine, machine, "cat", "/proc/mounts")).splitlines()
    }
    assert {"nosuid", "nodev", f"size={LIMITS.tmpfs_bytes >> 10}k"} <= mounts["/tmp"]
    assert {"nosuid", "nodev", f"size={LIMITS.shm_bytes >> 10}k"} <= mounts["/dev/shm"]
    assert "ro" in mounts["/.playground"]
    assert "ro" in mounts["/proc/sys"]
    sensitive = await output_of(local_engine, machine, "sh", "-c", "cd /proc; ls -d kcore keys timer_list; true")
    there = {f"/proc/{name}" for name in sensitive.split() if name in {"kcore", "keys", "timer_list"}}
    assert there
    assert there <= set(mounts)
    writing = "for f in /.playground/x /proc/sys/kernel/hostname /sys/x; do echo x > $f && echo wrote; done"
    tried = f"{writing}; mknod /dev/d b 8 0 && echo made"
    said = await output_of(local_engine, machine, "sh", "-c", f"({tried}) 2>&1; true")
    assert "wrote" not in said
    assert "made" not in said


async def test_limits_are_in_place(local_engine: DockerEngine, machine: str) -> None:
    limits = await output_of(local_engine, machine, "cat", "/proc/self/limits")
    rows = {line[:25].strip(): line[26:].split()[:2] for line in limits.splitlines()[1:]}
    assert rows["Max core file size"] == ["0", "0"]
    assert rows["Max open files"] == [str(LIMITS.nofile)] * 2
    assert rows["Max file size"] == [str(LIMITS.file_bytes)] * 2
    assert rows["Max locked memory"] == ["65536"] * 2


async def test_more_processes_than_allowed_are_refused(local_engine: DockerEngine, machine: str) -> None:
    bomb = "i=0; while [ $i -lt 300 ]; do sleep 60 >/dev/null 2>&1 & i=$((i+1)); done 2>&1; echo over"
    async with asyncio.timeout(50):
        said = await output_of(local_engine, machine, "sh", "-c", f"({bomb}) 2>&1; true")
    assert "fork" in said.lower()


async def test_more_memory_than_allowed_is_refused(local_engine: DockerEngine, machine: str) -> None:
    eat = "tail -c 1000m /dev/zero >/dev/null; echo ended with $?"
    said = await output_of(local_engine, machine, "sh", "-c", f"({eat}) 2>&1")
    assert "ended with 137" in said
    await output_of(local_engine, machine, "true")


async def test_namespaces_are_its_own(local_engine: DockerEngine, machine: str) -> None:
    kinds = ["cgroup", "ipc", "mnt", "net", "pid", "uts"]
    capabilities = await local_engine.capabilities()
    if capabilities.has("user_namespace"):
        kinds.append("user")
    said = await output_of(local_engine, machine, "sh", "-c", f"cd /proc/self/ns; ls -l {' '.join(kinds)}")
    inside = {line.split(" -> ")[1] for line in said.splitlines()}
    outside = {os.readlink(f"/proc/self/ns/{kind}") for kind in kinds}  # noqa: PTH115 - not a path
    assert len(inside) == len(kinds)
    assert not inside & outside


async def test_devices_are_the_harmless_ones(local_engine: DockerEngine, machine: str) -> None:
    there = set((await output_of(local_engine, machine, "ls", "/dev")).split())
    assert there <= {
        *("full", "null", "ptmx", "random", "tty", "urandom", "zero"),
        *("fd", "mqueue", "pts", "shm", "stderr", "stdin", "stdout", "core"),
    }


async def test_a_set_user_id_program_gives_nothing(local_engine: DockerEngine, machine: str, tmp_path: Path) -> None:
    await put_attack(local_engine, machine, compile_attack(tmp_path))
    await output_of(local_engine, machine, "chmod", "4755", "/attack")
    said = b""
    async with SandboxdClient(await local_engine.dial(machine)) as client:
        await client.execute(["/attack", "who"], user="1000")
        async for piece in execution.run(client):
            if isinstance(piece, execution.Chunk):
                said += piece.data
    assert said == b"1000 1000\n"


async def inspected(engine: DockerEngine, machine_id: str) -> dict[str, Any]:
    async with aiodocker.Docker(docker_host()) as docker:
        return await (await docker.containers.get(f"playground-{engine.config.instance}-{machine_id}")).show()


async def test_what_the_engine_shows_of_it_has_no_secret(local_engine: DockerEngine) -> None:
    """Nothing of who holds the session, what is typed, or what our own processes have in their environment."""
    secret = "s3cret-of-a-person"
    spec = machine_spec(labels={"playground.session": "x"})
    await local_engine.create(spec)
    async with SandboxdClient(await local_engine.dial(spec.machine_id)) as client:
        await client.open("a", ["sleep", "60"], environment={"TOKEN": secret})
    seen = json.dumps(await inspected(local_engine, spec.machine_id))
    assert secret not in seen
    own = {value for name, value in os.environ.items() if len(value) > 8 and ("KEY" in name or "TOKEN" in name)}
    assert not [value for value in own if value in seen]
    config = (await inspected(local_engine, spec.machine_id))["Config"]
    assert {entry.partition("=")[0] for entry in config["Env"]} <= {"PATH", "HOSTNAME"}
    assert set(config["Labels"]) == {
        *("playground.session", "playground.instance", "playground.machine", "playground.reach", "playground.recipe")
    }
    await local_engine.remove(spec.machine_id)


async def test_nothing_that_it_says_is_kept_on_the_host(local_engine: DockerEngine, machine: str) -> None:
    seen = await inspected(local_engine, machine)
    assert seen["HostConfig"]["LogConfig"]["Type"] == "none"
    assert seen["LogPath"] == ""
    assert seen["HostConfig"]["Privileged"] is False
    assert not seen["HostConfig"]["Devices"]
    assert not seen["HostConfig"]["Binds"]
    assert all(not mount["RW"] for mount in seen["Mounts"] if mount["Type"] != "tmpfs")
    assert not any("docker.sock" in str(mount) for mount in seen["Mounts"])


async def test_the_hosts_name_is_not_told(local_engine: DockerEngine, machine: str) -> None:
    line = "hostname; cat /etc/hostname /etc/hosts /proc/sys/kernel/hostname; uname -n"
    said = await output_of(local_engine, machine, "sh", "-c", line)
    assert os.uname().nodename not in said.split()
