"""What this engine's host enforces, from what the engine says of itself. Pure; what was not probed says so."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime.engines.base import Capabilities, Capability

TELLING = (
    *("ID", "ServerVersion", "KernelVersion", "OperatingSystem", "SecurityOptions", "Driver", "DriverStatus"),
    *("CgroupVersion", "CgroupDriver", "DockerRootDir", "DefaultRuntime", "Runtimes", "RuncCommit", "MemTotal"),
)
"""Of what an engine says of itself: if one of these is another, so may be what it enforces."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def fingerprint(info: Mapping[str, Any], ours: str) -> str:
    """64 hexadecimal digits. `info` is what the API gives; `ours` is what of us decides as well."""
    told = {name: info.get(name) for name in TELLING}
    boot = BOOT_ID.read_text() if BOOT_ID.exists() else ""
    return hashlib.sha256(json.dumps([told, boot, ours], sort_keys=True, default=str).encode()).hexdigest()


def describe(info: Mapping[str, Any], version: Mapping[str, Any], *, profile: bool) -> Capabilities:
    """`info` and `version` as the API gives them; `profile`: whether machines get our own seccomp profile."""
    security = {str(option).split(",")[0].removeprefix("name=") for option in info.get("SecurityOptions") or []}
    items = [
        _user_namespace(security),
        _seccomp(security, profile=profile),
        _lsm(security),
        Capability(
            "cgroup_v2", str(info.get("CgroupVersion")) == "2", f"cgroup version {info.get('CgroupVersion', '1')}"
        ),
        _flag(info, "memory_limit", "MemoryLimit", "memory"),
        _flag(info, "swap_limit", "SwapLimit", "swap; without it a machine may swap beyond its memory"),
        _flag(info, "pids_limit", "PidsLimit", "the number of processes"),
        _flag(info, "cpu_limit", "CpuCfsQuota", "CPU time"),
        Capability("pause", info.get("OSType") == "linux", "by the cgroup freezer"),
        Capability("disk_quota", False, f"not probed; storage driver {info.get('Driver', 'unknown')}"),
    ]
    return Capabilities("docker", str(version.get("Version", "unknown")), items)


def _user_namespace(security: set[str]) -> Capability:
    if "userns" in security:
        return Capability("user_namespace", True, "the engine remaps root in machines to an unprivileged user")
    if "rootless" in security:
        return Capability("user_namespace", True, "the engine itself runs without root")
    return Capability(
        "user_namespace", False, "root in a machine is root's uid on the host; start dockerd with --userns-remap"
    )


def _seccomp(security: set[str], *, profile: bool) -> Capability:
    if "seccomp" not in security:
        return Capability("seccomp", False, "the engine or its kernel has no seccomp")
    return Capability("seccomp", True, "our own profile" if profile else "the engine's default profile")


def _lsm(security: set[str]) -> Capability:
    present = sorted(security & {"apparmor", "selinux"})
    return Capability("lsm", bool(present), " and ".join(present) or "neither AppArmor nor SELinux on this host")


def _flag(info: Mapping[str, Any], name: str, key: str, what: str) -> Capability:
    enforced = bool(info.get(key))
    return Capability(name, enforced, f"the kernel {'bounds' if enforced else 'does not bound'} {what}")
