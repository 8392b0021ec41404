"""Every capability that a host may have: its name in the API and in profiles, and what it means for a person."""

from collections.abc import Mapping

TITLES: Mapping[str, str] = {
    "user_namespace": "Root of a machine is nobody on the host",
    "seccomp": "Dangerous system calls are refused",
    "no_new_privileges": "No program gains rights",
    "capabilities": "Root of a machine has few rights",
    "lsm": "AppArmor or SELinux confines machines",
    "hidden_proc": "The kernel's files are hidden or read-only",
    "memory_limit": "Memory is bounded",
    "swap_limit": "Swap is bounded",
    "cpu_limit": "CPU time is bounded",
    "pids_limit": "Processes are bounded",
    "tmpfs_limit": "Files in memory are bounded",
    "no_network": "Without egress there is no network",
    "disk_quota": "The disk is bounded by the file system",
    "pause": "Machines can be paused",
    "shared_tables": "One machine can't use up what all share",
    "gvisor": "Machines have a kernel of their own",
    "cgroup_v2": "Control groups, version 2",
    "egress_filter": "What machines reach is filtered",
    "bandwidth": "Network traffic is bounded",
}
NAMES = frozenset(TITLES)
ESSENTIAL = frozenset({"user_namespace", "seccomp", "memory_limit", "pids_limit", "no_new_privileges"})
"""Without one of these a host is not for people that nobody trusts: the site warns its administrators."""


def title(name: str) -> str:
    """In words; the name itself for one that this version does not know."""
    return TITLES.get(name, name)
