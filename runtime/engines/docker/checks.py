"""The checks that a host is probed with, one for each capability, in the order to show them.

A new one: a coroutine that tries it in the probe machine and answers what was seen, and its name in `CHECKS` and in
`runtime.engines.capability_names`.
"""

import asyncio
import errno
from collections.abc import Mapping
from typing import Any

from aiodocker.exceptions import DockerError

from runtime.engines.base import Capability
from runtime.engines.docker.probe import LIMITS, MIB, PROGRAM, Check, ProbeMachine
from runtime.engines.docker.spec import INSTANCE_LABEL, ROOT_CAPABILITIES
from runtime.errors import EngineUnavailable, MachineUnreachable, RuntimeFailure
from runtime.terminal.client import SandboxdClient

SIGKILL = 9
NUMBERS = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "KILL": 5, "SETGID": 6, "SETUID": 7, "NET_BIND_SERVICE": 10}
NOTHING_SECONDS = 0.4
"""A paused machine says nothing for so long; one that runs says HELLO within a few milliseconds."""
AGAIN_SECONDS = 0.05
UPGRADE = "Use a current Docker Engine and kernel."
INSTANCES, TERMINALS = 65536, 16384
"""Of inotify and pseudoterminals: so many that one machine does not take all."""


async def user_namespace(machine: ProbeMachine) -> Capability:
    inside, outside, count = (await machine.read("/proc/self/uid_map")).split()[:3]
    remapped = outside != "0" or int(count) < 1 << 31
    return Capability(
        "user_namespace",
        remapped,
        f"user {inside} of a machine is user {outside} of the host",
        remedy="Start dockerd with --userns-remap=default, or let `make run` set up its own engine: a flaw that lets a "
        "process out of its machine would make it root of this host.",
    )


async def seccomp(machine: ProbeMachine) -> Capability:
    said = [line.split() for line in (await machine.run("calls")).output.splitlines()]
    passed = [name for name, number in said if int(number) not in {errno.EPERM, errno.ENOSYS}]
    status = _status(await machine.read("/proc/self/status"))
    return Capability(
        "seccomp",
        bool(said) and not passed and status.get("Seccomp") == "2",
        f"{len(said) - len(passed)} of {len(said)} dangerous system calls were refused"
        + (f"; these were not: {', '.join(passed)}" if passed else ""),
        remedy="Use a kernel with CONFIG_SECCOMP_FILTER and an engine that was built with seccomp.",
    )


async def no_new_privileges(machine: ProbeMachine) -> Capability:
    told = _status(await machine.read("/proc/self/status")).get("NoNewPrivs", "unknown")
    words = "programs can't gain rights by set-user-id" if told == "1" else f"NoNewPrivs is {told}"
    return Capability("no_new_privileges", told == "1", words, remedy=UPGRADE)


async def capability_bounds(machine: ProbeMachine) -> Capability:
    bound = int(_status(await machine.read("/proc/self/status"))["CapBnd"], 16)
    allowed = sum(1 << NUMBERS[name] for name in ROOT_CAPABILITIES)
    extra = bound & ~allowed
    words = (
        f"root has {bound.bit_count()} capabilities of 41" if not extra else f"root has more than asked for: {extra:x}"
    )
    return Capability("capabilities", not extra, words, remedy=UPGRADE)


async def lsm(machine: ProbeMachine) -> Capability:
    label = await machine.first("/proc/self/attr/apparmor/current", "/proc/self/attr/current")
    confined = bool(label) and not label.startswith("unconfined")
    return Capability(
        "lsm",
        confined,
        f"machines run as {label}" if label else "neither AppArmor nor SELinux is at work",
        remedy="Start the host with AppArmor or SELinux (apparmor=1 security=apparmor) and install its tools: it is "
        "a second wall behind the first ones.",
    )


async def hidden_proc(machine: ProbeMachine) -> Capability:
    mounts = {line.split()[1]: line.split()[3].split(",") for line in (await machine.read("/proc/mounts")).splitlines()}
    good = "ro" in mounts.get("/proc/sys", []) and "/proc/timer_list" in mounts
    words = "/proc/sys is read-only, and what tells of the host is hidden"
    return Capability("hidden_proc", good, words if good else "/proc is as the host has it", remedy=UPGRADE)


async def memory_limit(machine: ProbeMachine) -> Capability:
    wanted = 2 * LIMITS.memory_bytes
    ended = await machine.run("memory", str(wanted))
    limit = LIMITS.memory_bytes // MIB
    words = f"a process that took {wanted // MIB} MiB of {limit} " + (
        "was killed" if ended.signal == SIGKILL else "went on"
    )
    return Capability(
        "memory_limit", ended.signal == SIGKILL, words, remedy="Enable the memory cgroup (cgroup_enable=memory)."
    )


async def swap_limit(machine: ProbeMachine) -> Capability:
    swap = next(
        (line.split()[1] for line in (await machine.read("/proc/meminfo")).splitlines() if "SwapTotal" in line), ""
    )
    v1, v2 = "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", "/sys/fs/cgroup/memory.swap.max"
    told = await machine.first(v1, v2)
    bounded = told in {str(LIMITS.memory_bytes), "0"}
    words = (
        "a machine can't swap"
        if bounded
        else "this host has no swap"
        if swap == "0"
        else "a machine may swap without end"
    )
    remedy = "Start the host with swapaccount=1, or without swap."
    return Capability("swap_limit", bounded or swap == "0", words, remedy=remedy)


async def cpu_limit(machine: ProbeMachine) -> Capability:
    wall = 1200
    used = int((await machine.run("spin", str(wall))).output) / wall
    words = f"a busy loop got {used:.2f} of a core where {LIMITS.cpus:.2f} were allowed"
    return Capability("cpu_limit", used < 2 * LIMITS.cpus, words, remedy="Use a kernel with CONFIG_CFS_BANDWIDTH.")


async def pids_limit(machine: ProbeMachine) -> Capability:
    wanted = 4 * LIMITS.pids
    started = int((await machine.run("processes", str(wanted))).output)
    words = f"{started} of {wanted} processes could be started where {LIMITS.pids} are allowed"
    return Capability("pids_limit", started <= LIMITS.pids, words, remedy="Use a kernel with the pids cgroup.")


async def tmpfs_limit(machine: ProbeMachine) -> Capability:
    ended = await machine.run("fill", "/tmp/probe", str(4 * LIMITS.tmpfs_bytes))  # noqa: S108 - the machine's own
    bounded = ended.exit_code == errno.ENOSPC
    words = (
        f"a directory in memory took {'no more than' if bounded else 'more than'} its {LIMITS.tmpfs_bytes // MIB} MiB"
    )
    return Capability("tmpfs_limit", bounded, words, remedy=UPGRADE)


async def no_network(machine: ProbeMachine) -> Capability:
    lines = (await machine.read("/proc/net/dev")).splitlines()[2:]
    names = [line.partition(":")[0].strip() for line in lines]
    words = (
        "a machine without egress has no interface but loopback" if names == ["lo"] else f"it has {', '.join(names)}"
    )
    return Capability("no_network", names == ["lo"], words, remedy=UPGRADE)


async def pause(machine: ProbeMachine) -> Capability:
    await machine.host.pause(machine.machine_id)
    try:
        silent = await _is_silent(machine)
    finally:
        await machine.host.resume(machine.machine_id)
    await _answers(machine)
    words = "a paused machine did nothing, and went on afterwards" if silent else "a paused machine still answered"
    return Capability("pause", silent, words, remedy="Enable the freezer cgroup.")


async def _answers(machine: ProbeMachine) -> None:
    """Returns when it does. An engine that hears of a pause after its end refuses for a moment to dial."""
    while True:
        try:
            await machine.read("/proc/uptime")
        except MachineUnreachable:
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return


async def _is_silent(machine: ProbeMachine) -> bool:
    try:
        async with asyncio.timeout(NOTHING_SECONDS), SandboxdClient(await machine.host.dial(machine.machine_id)):
            return False
    except EngineUnavailable:
        raise
    except (TimeoutError, RuntimeFailure):  # bridged, the engine itself refuses to run anything in it
        return True


async def disk_quota(machine: ProbeMachine) -> Capability:
    """Writes past the size that the storage driver was asked to keep: one of them takes the wish and ignores it."""
    driver = machine.info.get("Driver", "unknown")
    size = 16
    body: dict[str, Any] = {
        "Image": machine.image,
        "Entrypoint": [PROGRAM],
        "Cmd": ["fill", "/filled", str(4 * size * MIB)],
        "Labels": {INSTANCE_LABEL: machine.host.config.instance},
        "HostConfig": {"NetworkMode": "none", "StorageOpt": {"size": f"{size}M"}, "LogConfig": {"Type": "none"}},
    }
    name = f"playground-{machine.host.config.instance}-probe-disk"
    container = machine.docker.containers.container(name)
    try:
        await container.delete(force=True, v=True)
    except DockerError as error:
        if error.status != 404:
            raise OSError(str(error.message)) from error
    try:
        container = await machine.docker.containers.create(body, name=name)
    except DockerError as error:
        return _no_quota(f"the storage driver {driver} refuses a size: {str(error.message).splitlines()[0][:160]}")
    try:
        await container.start()
        code = int((await container.wait())["StatusCode"])
    finally:
        await container.delete(force=True, v=True)
    if code in {errno.ENOSPC, errno.EDQUOT}:
        return Capability("disk_quota", True, f"writing past {size} MiB was refused (storage driver {driver})")
    return _no_quota(f"{4 * size} MiB could be written where {size} were allowed (storage driver {driver})")


def _no_quota(detail: str) -> Capability:
    return Capability(
        "disk_quota",
        False,
        detail,
        remedy="Keep the engine's data root on XFS mounted with pquota (or on btrfs or ZFS with their driver). Until "
        "then the site watches what machines write; give that directory a file system of its own.",
    )


async def shared_tables(machine: ProbeMachine) -> Capability:
    instances = int(await machine.read("/proc/sys/fs/inotify/max_user_instances"))
    terminals = int(await machine.read("/proc/sys/kernel/pty/max"))
    return Capability(
        "shared_tables",
        instances >= INSTANCES and terminals >= TERMINALS,
        f"all machines together have {instances} inotify instances and {terminals} pseudoterminals",
        remedy=f"sysctl fs.inotify.max_user_instances={INSTANCES} kernel.pty.max={TERMINALS}: the kernel counts these "
        "for the host, so one machine can take all and leave none to the others.",
    )


async def gvisor(machine: ProbeMachine) -> Capability:
    release = str(machine.info.get("KernelVersion", ""))
    own = bool(release) and release not in await machine.read("/proc/version")
    words = "machines have a kernel of their own" if own else f"machines share the host's kernel, {release}"
    return Capability(
        "gvisor",
        own,
        words,
        remedy="Install gVisor or Kata and make it the engine's default runtime (default-runtime in daemon.json).",
    )


async def cgroup_v2(machine: ProbeMachine) -> Capability:
    version = str(machine.info.get("CgroupVersion", "1"))
    remedy = "Nothing has to be done: version 1 bounds as well. systemd.unified_cgroup_hierarchy=1 changes it."
    return Capability("cgroup_v2", version == "2", f"cgroup version {version}", remedy=remedy)


def _status(text: str) -> dict[str, str]:
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


CHECKS: Mapping[str, Check] = {
    "user_namespace": user_namespace,
    "seccomp": seccomp,
    "no_new_privileges": no_new_privileges,
    "capabilities": capability_bounds,
    "lsm": lsm,
    "hidden_proc": hidden_proc,
    "memory_limit": memory_limit,
    "swap_limit": swap_limit,
    "cpu_limit": cpu_limit,
    "pids_limit": pids_limit,
    "tmpfs_limit": tmpfs_limit,
    "no_network": no_network,
    "disk_quota": disk_quota,
    "pause": pause,
    "shared_tables": shared_tables,
    "gvisor": gvisor,
    "cgroup_v2": cgroup_v2,
}
