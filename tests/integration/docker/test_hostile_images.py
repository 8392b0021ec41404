"""Images that try to get more than a machine: what an image can say of itself moves nothing outside."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiodocker
import pytest

from runtime.engines.docker.engine import DockerEngine
from runtime.errors import EngineRefused, MachineUnreachable
from tests.support.docker import LIMITS, derived_image, docker_host, machine_spec, output_of


@asynccontextmanager
async def machine_of(engine: DockerEngine, *lines: str, **changes: Any) -> AsyncIterator[str]:
    """A machine of busybox with these lines of a Dockerfile on top."""
    async with derived_image(*lines) as image:
        spec = machine_spec(image, **changes)
        await engine.create(spec)
        try:
            yield spec.machine_id
        finally:
            await engine.remove(spec.machine_id)


async def shell(engine: DockerEngine, machine_id: str, line: str) -> str:
    return await output_of(engine, machine_id, "sh", "-c", f"({line}) 2>&1; true")


async def inspect(engine: DockerEngine, machine_id: str) -> dict[str, Any]:
    async with aiodocker.Docker(docker_host()) as docker:
        found = await docker.containers.get(f"playground-{engine.config.instance}-{machine_id}")
        seen: dict[str, Any] = json.loads(json.dumps(found._container))
        return seen


async def volumes() -> set[str]:
    async with aiodocker.Docker(docker_host()) as docker:
        return {volume["Name"] for volume in (await docker.volumes.list())["Volumes"] or []}


ROOT = "cat /proc/1/root/etc/passwd /proc/1/environ && echo escaped"


@pytest.mark.parametrize("descriptor", [3, 7, 8])
async def test_a_working_directory_of_the_engines_own_descriptors(engine: DockerEngine, descriptor: int) -> None:
    """CVE-2024-21626: the container starts in a directory of the host that runc had open."""
    async with machine_of(engine, f"WORKDIR /proc/self/fd/{descriptor}") as machine:
        assert await output_of(engine, machine, "pwd") == "/\n"
        assert await output_of(engine, machine, "readlink", "/proc/self/cwd") == "/\n"


async def test_a_working_directory_behind_a_link(engine: DockerEngine) -> None:
    async with machine_of(engine, "RUN ln -s /proc/self/fd/7 /w", "WORKDIR /w/../../..") as machine:
        assert await output_of(engine, machine, "readlink", "/proc/self/cwd") == "/\n"


async def test_the_working_directory_of_an_honest_image(engine: DockerEngine) -> None:
    async with machine_of(engine, "WORKDIR /srv/app") as machine:
        assert await output_of(engine, machine, "pwd") == "/srv/app\n"


@pytest.mark.parametrize("place", ["/tmp", "/.playground", "/dev/shm", "/srv"])
@pytest.mark.parametrize("target", ["/proc/self/fd/7", "/proc/sys/kernel", "/../proc/../sys/fs"])
async def test_a_link_where_something_is_mounted(engine: DockerEngine, place: str, target: str) -> None:
    """CVE-2025-31133, 52565, 52881 as far as an image can go: what hides the kernel's files would be elsewhere."""
    lines = [f"RUN rm -rf {place} && ln -s {target} {place}", "VOLUME /srv/data"]
    if place == "/dev/shm":  # the build has a /dev of its own, so the link is in the directory that the image brings
        lines = [f"RUN rm -rf /x && mkdir /x && ln -s {target} /x/shm && ln -s /x /d", "VOLUME /d/shm"]
    async with derived_image(*lines) as image:
        with pytest.raises(EngineRefused, match="symbolic link"):
            await engine.create(machine_spec(image))
        assert await engine.machines() == []


@pytest.mark.parametrize("target", ["/../../../root", "loop"])
async def test_a_link_to_elsewhere_in_the_image(engine: DockerEngine, target: str) -> None:
    """It ends in the image: what is mounted is inside, and everything that is hidden still is."""
    async with derived_image(
        f"RUN mkdir -p /var/tmp && rm -rf /tmp && ln -s {target} /tmp && ln -s loop /loop"
    ) as image:
        spec = machine_spec(image)
        try:
            await engine.create(spec)
        except (EngineRefused, MachineUnreachable):
            assert await engine.machines() == [], "a refused machine leaves nothing"
            return
        try:
            mounts = await output_of(engine, spec.machine_id, "cat", "/proc/mounts")
            options = {line.split()[1]: line.split()[3].split(",") for line in mounts.splitlines()}
            assert "ro" in options["/proc/sys"]
            assert "ro" in options["/.playground"]
            assert "denied" in await shell(engine, spec.machine_id, ROOT)
        finally:
            await engine.remove(spec.machine_id)


async def test_a_directory_of_its_own_where_ours_is(engine: DockerEngine) -> None:
    async with machine_of(engine, "RUN mkdir /.playground && echo evil > /.playground/sandboxd") as machine:
        assert "evil" not in await output_of(engine, machine, "head", "-c", "4", "/.playground/sandboxd")


async def test_volumes_are_bounded_and_nothing_on_the_host(engine: DockerEngine) -> None:
    before = await volumes()
    async with machine_of(engine, 'VOLUME ["/data", "/srv/more", "/tmp", "/data/../data/"]') as machine:
        new = await volumes() - before
        assert all("playground-" in name for name in new), f"the engine made volumes of its own: {new}"
        more = (LIMITS.tmpfs_bytes >> 20) + 8
        said = await shell(engine, machine, f"dd if=/dev/zero of=/data/x bs=1M count={more}; df -k /data | tail -1")
        assert "No space left" in said
        assert str(LIMITS.tmpfs_bytes >> 10) in said
        mounts = (await inspect(engine, machine))["Mounts"]
        assert {mount["Destination"] for mount in mounts if machine in mount.get("Name", "")} == {"/data", "/srv/more"}


@pytest.mark.parametrize(
    "place", ["/", "/proc", "/proc/sys", "/sys/fs/cgroup", "/dev", "/.playground", "/.playground/x"]
)
async def test_volumes_where_no_image_may_have_one(engine: DockerEngine, place: str) -> None:
    async with derived_image(f'VOLUME ["{place}/."]') as image:
        spec = machine_spec(image)
        with pytest.raises(EngineRefused, match="volume"):
            await engine.create(spec)
        assert await engine.machines() == []


async def test_too_many_volumes(engine: DockerEngine) -> None:
    async with derived_image(f"VOLUME {json.dumps([f'/v{number}' for number in range(50)])}") as image:
        with pytest.raises(EngineRefused, match="50 volumes"):
            await engine.create(machine_spec(image))
        assert await engine.machines() == []


@pytest.mark.parametrize("user", ["nosuchuser", "4294967294", "2147483648", "99999999:99999999", "0:nosuchgroup"])
async def test_users_that_no_machine_can_have(engine: DockerEngine, user: str) -> None:
    async with derived_image(f"USER {user}") as image:
        spec = machine_spec(image)
        with pytest.raises((EngineRefused, MachineUnreachable)):
            await engine.create(spec)
        assert await engine.machines() == []


@pytest.mark.parametrize("user", ["00", "toor"])
async def test_root_by_another_name_has_no_more_rights(engine: DockerEngine, user: str) -> None:
    add = "RUN echo 'toor:x:0:0::/:/bin/sh' >> /etc/passwd"
    async with machine_of(engine, add, f"USER {user}") as machine:
        status = await output_of(engine, machine, "cat", "/proc/self/status")
        rights = {name: value.strip() for name, _, value in (line.partition(":") for line in status.splitlines())}
        allowed = sum(1 << number for number in (0, 1, 3, 5, 6, 7, 10))
        assert int(rights["CapBnd"], 16) | allowed == allowed
        assert rights["NoNewPrivs"] == "1"


async def test_what_an_image_says_of_itself(engine: DockerEngine) -> None:
    """Labels can't be forged, nothing runs by itself, no port is open, and nobody's libraries get into sandboxd."""
    lines = [
        "LABEL playground.instance=other playground.machine=other playground.reach=other",
        "HEALTHCHECK --interval=1s CMD touch /checked",
        "ONBUILD RUN touch /onbuild",
        "EXPOSE 22 80",
        "STOPSIGNAL SIGSTOP",
        "ENV LD_PRELOAD=/evil.so GLIBC_TUNABLES=glibc.malloc.mxfast=x PATH=/evil",
        'ENTRYPOINT ["/evil"]',
        'CMD ["/evil"]',
        'SHELL ["/evil", "-c"]',
    ]
    async with machine_of(engine, *lines) as machine:
        seen = await inspect(engine, machine)
        assert seen["Config"]["Labels"]["playground.instance"] == engine.config.instance
        assert seen["Config"]["Labels"]["playground.machine"] == machine
        assert seen["Config"]["Healthcheck"]["Test"] == ["NONE"]
        assert "Health" not in seen["State"]
        assert not any((seen["NetworkSettings"].get("Ports") or {}).values())
        assert "PublishAllPorts" not in seen["HostConfig"] or seen["HostConfig"]["PublishAllPorts"] is False
        said = await output_of(engine, machine, "/bin/busybox", "ls", "/")
        assert "checked" not in said
        assert "onbuild" not in said
