"""What `attack.c` tries in a machine, by the row of the list of controls that stops it, and how it is refused.

Most is refused with EPERM, by the filter of system calls or for want of a right. What is refused otherwise says so: a
set that held every error would take a call that got through with a wrong argument for a refusal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HIDDEN = frozenset({"EACCES", "EPERM", "ENOENT", "ENODATA", "ENXIO"})
"""Absent, empty, a device that is not there, or not ours to open."""
UNWRITABLE = frozenset({"EACCES", "EPERM", "EROFS", "ENOENT"})
FOREIGN = frozenset({"SYS", "SEGV", "ENOSYS"})
"""Another architecture's entry: killed by the filter, or the kernel was built without."""
ABSENT = frozenset({"ENOSYS"})
"""Programs take something else then."""
DENIED = frozenset({"EPERM"})


@dataclass(frozen=True, slots=True)
class Attempt:
    row: str
    name: str
    refusals: frozenset[str]
    """Errors and signals; no other result will do."""


def _many(row: str, names: str, refusals: frozenset[str] = DENIED) -> Iterator[Attempt]:
    return (Attempt(row, name, refusals) for name in names.split())


_NAMESPACES = ("user", "mnt", "net", "pid", "ipc", "uts", "cgroup", "time")
_WRITES: Mapping[str, str] = {
    "proc": """
        sys/kernel/core_pattern sys/kernel/hostname sys/kernel/modprobe sys/vm/overcommit_memory sys/net/ipv4/ip_forward
        sys/user/max_user_namespaces sys/fs/binfmt_misc/register sysrq-trigger irq/default_smp_affinity bus/pci/00/00.0
        fs/nfsd/x acpi/wakeup scsi/scsi 1/oom_score_adj 1/mem 1/attr/current 1/uid_map self/uid_map self/setgroups 1/exe
    """,
    "sys": """
        kernel/mm/transparent_hugepage/enabled kernel/uevent_helper fs/cgroup/memory/memory.limit_in_bytes
        fs/cgroup/memory/cgroup.procs fs/cgroup/memory/release_agent fs/cgroup/pids/pids.max
        fs/cgroup/cpu/cpu.cfs_quota_us fs/cgroup/devices/devices.allow fs/cgroup/freezer/freezer.state
        fs/cgroup/memory.max fs/cgroup/cgroup.procs fs/cgroup/pids.max fs/cgroup/cgroup.subtree_control
    """,
    ".playground": "sandboxd boot",
}
_READS: Mapping[str, str] = {
    "proc": """
        kcore keys timer_list sched_debug latency_stats 1/environ 1/maps 1/mem 1/root/etc/passwd 1/cwd/etc 1/fd/0 1/fd/3
        1/fd/5 1/fdinfo/3 1/exe 1/ns/user kmsg vmallocinfo
    """,
    "dev": "mem kmsg port fuse kvm vda sda loop-control net/tun",
    "sys": "kernel/debug/x kernel/security/x firmware/dmi/tables/DMI kernel/tracing/trace",
    "var": "run/docker.sock",
    "run": "docker.sock",
}


def _all() -> Iterator[Attempt]:
    yield from _many(
        "seccomp: sockets",
        """
        AF_ALG AF_ALG-high-bits AF_VSOCK AF_PACKET AF_PACKET-dgram AF_KEY AF_BLUETOOTH AF_CAN AF_TIPC AF_RDS AF_XDP
        AF_SMC SCTP DCCP L2TP netlink-netfilter netlink-xfrm netlink-crypto netlink-uevent netlink-high-bits
        socketpair-AF_ALG
        """,
    )
    yield from _many("seccomp: sockets", "netlink-audit", frozenset({"EPROTONOSUPPORT"}))
    yield from _many("capabilities: NET_RAW", "raw-IPv4 raw-IPv4-any raw-IPv6")
    for kind in _NAMESPACES:
        yield Attempt("seccomp: namespaces", f"unshare-{kind}", DENIED)
        yield Attempt("seccomp: namespaces", f"clone3-{kind}", ABSENT)
        if kind != "time":
            yield Attempt("seccomp: namespaces", f"clone-{kind}", DENIED)
    yield from _many("seccomp: namespaces", "unshare-user-and-mnt setns-own-user setns-pidfd")
    yield from _many("seccomp: namespaces", "setns-of-pid-1", frozenset({"EACCES", "EPERM"}))
    yield from _many(
        "seccomp: mounts",
        """
        mount-proc mount-cgroup mount-remount-rw mount-bind umount-playground umount-masked pivot_root chroot open_tree
        move_mount fsopen fsmount mount_setattr open_by_handle_at name_to_handle_at
        """,
    )
    yield from _many("seccomp: kernel", "io_uring_setup io_uring_enter io_uring_register io_setup", ABSENT)
    yield from _many(
        "seccomp: kernel",
        """
        userfaultfd keyctl add_key request_key bpf perf_event_open kexec_load init_module finit_module delete_module
        reboot swapon swapoff quotactl quotactl_fd acct syslog fanotify_init kcmp move_pages mbind lookup_dcookie
        vhangup clock_settime settimeofday adjtimex sethostname setdomainname personality-i386
        personality-no-randomisation personality-high-bits process_madvise
        """,
    )
    yield from _many("seccomp: x86", "iopl ioperm modify_ldt uselib ustat sysfs")
    yield from _many("seccomp: x86", "socketcall-i386 i386-getpid i386-unshare x32-socket x32-getpid", FOREIGN)
    yield from _many(
        "capabilities",
        "capability-NET_RAW capability-SYS_ADMIN capability-SYS_PTRACE ambient-NET_RAW file-capabilities",
    )
    yield from _many("no new privileges", "privileges-again", frozenset({"EINVAL"}))
    yield from _many("no devices", "device-block device-memory device-fuse device-null")
    yield from _many(
        "sandboxd is out of reach", "ptrace-pid-1 ptrace-seize-pid-1 read-memory-of-pid-1 pidfd_getfd-pid-1"
    )
    yield from _many("CPU", "real-time io-real-time")
    yield from _many("CPU", "nice", frozenset({"EACCES", "EPERM"}))
    yield from _many("ulimits", "more-files more-locked-memory larger-files core-files")
    yield from _many("ulimits", "lock-memory", frozenset({"ENOMEM", "EPERM"}))
    yield from _many("memory", "oom-exempt", frozenset({"EACCES", "EPERM"}))
    for top, paths in _WRITES.items():
        for path in paths.split():
            yield Attempt("nothing to write", f"write:/{top}/{path}", UNWRITABLE)
    for top, paths in _READS.items():
        for path in paths.split():
            yield Attempt("nothing to read", f"read:/{top}/{path}", HIDDEN)
    yield from _many("seccomp: kernel", "userfaultfd-device", HIDDEN)
    yield from _many(
        "sandboxd's directory",
        """
        create-in-playground unlink-sandboxd rename-playground rename-sandboxd chmod-sandboxd chown-sandboxd
        link-sandboxd utime-sandboxd truncate-sandboxd
        """,
        frozenset({"EROFS", "EACCES", "EXDEV", "EBUSY", "EPERM"}),
    )
    yield from _many("nothing to write", "create-in-sys", UNWRITABLE)


ATTEMPTS = tuple(_all())
