"""MachineSpec to the body of Docker's `POST /containers/create`. Pure: what a machine may do is decided on this page.

Everything that bounds a machine is in place before its first process exists. `MaskedPaths` and `ReadonlyPaths` are
left out on purpose: an empty list would unmask what the engine hides in /proc and /sys.
"""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.config import EngineConfig
from runtime.engines.base import OWNER_LABEL, Egress, MachineSpec
from runtime.engines.docker.names import bridge_name, network_name
from runtime.errors import EngineRefused

Json = dict[str, "JsonValue"]
JsonValue = str | int | float | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

INSTANCE_LABEL = "playground.instance"
MACHINE_LABEL = "playground.machine"
REACH_LABEL = "playground.reach"
NETWORK_LABEL = "playground.network"
"""Of a machine: the id of the network that it is on."""
POLICY_LABEL = "playground.policy"
"""Of a network."""
PROBE_LABEL = "playground.probe"
"""Of a network that is for a probe alone: when it was made, in seconds since 1970."""
SITE = "site"
"""The owner of what serves all machines of an installation."""

ROOT_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "KILL", "NET_BIND_SERVICE")
"""What package managers and servers that start as root need. Never NET_RAW, MKNOD or SYS_*."""
NO_RESOLVER = ("127.0.0.1",)
LOCKED_MEMORY_BYTES = 64 << 10
STOP_SECONDS = 3
TMP = "/tmp"  # noqa: S108 - the machine's own
MOST_VOLUMES = 16
NOT_THE_IMAGES = frozenset({"proc", "sys", "dev", ".playground", ".playground-run"})
"""Directories at the root of a machine that are the kernel's or ours."""


@dataclass(frozen=True, slots=True)
class Way:
    """How sandboxd gets into the machine, and the host to sandboxd."""

    name: str
    command: Sequence[str]
    """The machine's PID 1, in place of the image's own entry point."""
    mounts: Sequence[Json]
    tmpfs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """How a machine is on its network."""

    network: str
    """Its name on the engine."""
    alias: str = ""
    """What the other machines there call this one."""
    hosts: Sequence[str] = ()
    """`NAME:ADDRESS` of what it knows without a resolver."""
    resolver: Sequence[str] = ()
    is_new: bool = False
    """Whether it was made for this machine just now."""


def container_name(instance: str, machine_id: str) -> str:
    return f"playground-{instance}-{machine_id}"


def create_body(
    spec: MachineSpec,
    config: EngineConfig,
    way: Way,
    *,
    image_user: str,
    seccomp: str | None,
    attachment: Attachment | None = None,
    disk: Path | None = None,
) -> Json:
    """`attachment`: its network, None for none; `image_user` is what the image says (`""` is root).

    `seccomp` is the text of our profile, None: the engine's own. `disk` is what the engine's data is on, if known.
    """
    labels = {
        **spec.labels,
        INSTANCE_LABEL: config.instance,
        MACHINE_LABEL: spec.machine_id,
        REACH_LABEL: way.name,
    }
    if spec.network_id:
        labels[NETWORK_LABEL] = spec.network_id
    return {
        "Image": spec.image,
        "Hostname": spec.hostname,
        "Entrypoint": [way.command[0]],
        "Cmd": list(way.command[1:]),
        # The image's is entered by sandboxd, not by the engine, where a path into /proc has led to the host's files.
        "WorkingDir": "/",
        "Labels": labels,
        "Tty": False,
        "OpenStdin": False,
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        # An image's own health check would run processes in the machine behind everybody's back.
        "Healthcheck": {"Test": ["NONE"]},
        "StopTimeout": STOP_SECONDS,
        "HostConfig": {
            **_isolation(spec, image_user, seccomp),
            **_limits(spec),
            **_write_rate(spec, disk),
            **_storage(spec, way),
            **_network(attachment),
            "Init": False,
            "AutoRemove": False,
            "RestartPolicy": {"Name": "no"},
            "LogConfig": {"Type": "none", "Config": {}},
        },
        "NetworkingConfig": {"EndpointsConfig": _endpoints(attachment)},
    }


def site_labels(instance: str) -> Json:
    """Of what belongs to the installation itself."""
    return {INSTANCE_LABEL: instance, OWNER_LABEL: SITE}


def volume_mounts(spec: MachineSpec, config: EngineConfig, way: Way, declared: Sequence[str]) -> list[Json]:
    """The storage that the image wants at these paths, as volumes with a name and labels, in memory and with a size.

    Left to itself the engine makes volumes whose name is random, that nobody finds when it is killed while it removes
    their container, and that fill the host's disk without counting as a machine's. Raises EngineRefused.
    """
    labels = {**spec.labels, INSTANCE_LABEL: config.instance, MACHINE_LABEL: spec.machine_id}
    name = container_name(config.instance, spec.machine_id)
    taken = {TMP, *way.tmpfs, *(str(mount["Target"]) for mount in way.mounts)}
    in_memory = {"type": "tmpfs", "device": "tmpfs", "o": f"nosuid,nodev,mode=1777,size={spec.limits.tmpfs_bytes}"}
    return [
        {
            "Type": "volume",
            "Source": f"{name}-{number}",
            "Target": path,
            "VolumeOptions": {"Labels": labels, "DriverConfig": {"Name": "local", "Options": in_memory}},
        }
        for number, path in enumerate(path for path in own_volumes(declared) if path not in taken)
    ]


def own_volumes(declared: Sequence[str]) -> list[str]:
    """Where an image wants volumes, as clean paths. Raises EngineRefused for too many, and for a place that is not its.

    Without a limit each would be a way to fill the host's disk.
    """
    paths = sorted({posixpath.normpath("/" + path.lstrip("/")) for path in declared})
    if len(paths) > MOST_VOLUMES:
        raise EngineRefused(f"The image declares {len(paths)} volumes; a machine has at most {MOST_VOLUMES}.")
    for path in paths:
        if path == "/" or path.split("/")[1] in NOT_THE_IMAGES:
            raise EngineRefused(f"The image declares a volume at {path}, which is not the image's to use.")
    return paths


def network_body(spec: MachineSpec, instance: str, network_id: str, policy: str) -> Json:
    """The network of the machine's session, and of no other. `policy`: what `networks.Policy` says, as text."""
    options = {
        "com.docker.network.bridge.name": bridge_name(instance, network_id),
        # Whoever is on it belongs to one session.
        "com.docker.network.bridge.enable_icc": "true",
    }
    return {
        "Name": network_name(instance, network_id),
        "Driver": "bridge",
        "CheckDuplicate": True,
        "EnableIPv6": False,
        # The engine's own way to close it, beside our filter. (Its bridge keeps an address: sources are checked by it.)
        "Internal": spec.egress is Egress.NONE,
        "Options": options,
        "Labels": {**spec.labels, INSTANCE_LABEL: instance, MACHINE_LABEL: network_id, POLICY_LABEL: policy},
    }


def _isolation(spec: MachineSpec, image_user: str, seccomp: str | None) -> Json:
    options = ["no-new-privileges:false" if spec.new_privileges else "no-new-privileges:true"]
    if seccomp is not None:
        options.append(f"seccomp={seccomp}")
    may_become_root = is_root(image_user) or spec.new_privileges
    return {
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": list(ROOT_CAPABILITIES) if may_become_root else [],
        "SecurityOpt": options,
        "UsernsMode": "",
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "Devices": [],
        "DeviceCgroupRules": [],
        "GroupAdd": [],
    }


def is_root(image_user: str) -> bool:
    return image_user.partition(":")[0] in {"", "root", "0"}


def _limits(spec: MachineSpec) -> Json:
    limits = spec.limits
    return {
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,  # the sum of both: so no swap
        "OomKillDisable": False,
        "NanoCpus": round(limits.cpus * 1_000_000_000),
        "CpuShares": max(2, round(limits.cpus * 1024)),
        "PidsLimit": limits.pids,
        # Not nproc: the kernel counts it per uid over all machines.
        "Ulimits": [
            _ulimit("nofile", limits.nofile),
            _ulimit("core", 0),
            _ulimit("memlock", LOCKED_MEMORY_BYTES),
            _ulimit("fsize", limits.file_bytes),
        ],
    }


def _write_rate(spec: MachineSpec, disk: Path | None) -> Json:
    rate = spec.limits.write_bytes_per_second
    return {"BlkioDeviceWriteBps": [{"Path": str(disk), "Rate": rate}]} if rate and disk else {}


def _ulimit(name: str, most: int) -> Json:
    return {"Name": name, "Soft": most, "Hard": most}


def _storage(spec: MachineSpec, way: Way) -> Json:
    tmpfs = {TMP: f"rw,exec,nosuid,nodev,mode=1777,size={spec.limits.tmpfs_bytes}"}
    if spec.read_only_root:
        tmpfs["/run"] = f"rw,noexec,nosuid,nodev,mode=755,size={spec.limits.tmpfs_bytes}"
    # An engine that can't refuses to make the machine, or says nothing and does not do it either.
    quota: Json = {"StorageOpt": {"size": str(spec.limits.disk_bytes)}} if spec.disk_quota else {}
    return {
        **quota,
        "ReadonlyRootfs": spec.read_only_root,
        "ShmSize": spec.limits.shm_bytes,
        "Tmpfs": {**tmpfs, **way.tmpfs},
        "Mounts": list(way.mounts),
    }


def resolver_of(egress: Egress, config: EngineConfig) -> Sequence[str]:
    """DNS servers of a machine. One without any gets itself: else the engine would take the host's."""
    return (egress is Egress.INTERNET and config.resolver) or NO_RESOLVER


def _network(attachment: Attachment | None) -> Json:
    return {
        "NetworkMode": attachment.network if attachment else "none",
        # Without these the engine copies the host's resolv.conf, with its servers and domains, into the machine.
        "Dns": list(attachment.resolver if attachment else NO_RESOLVER),
        "DnsSearch": ["."],
        "ExtraHosts": list(attachment.hosts if attachment else ()),
        # Machines have no NET_RAW; this lets ping use the kernel's own ICMP sockets instead.
        "Sysctls": {"net.ipv4.ping_group_range": "0 65535"},
    }


def _endpoints(attachment: Attachment | None) -> Json:
    if attachment is None:
        return {}
    return {attachment.network: {"Aliases": [attachment.alias] if attachment.alias else []}}
