"""What the kernel writes in cgroup and /proc files, as numbers. Pure; what can't be understood counts as nothing.

Bytes in, because a pass over hundreds of machines has no time to decode. Forms: the kernel's documentation,
`admin-guide/cgroup-v1` and `cgroup-v2`.
"""

UNLIMITED = 1 << 60
"""Limits above this are how cgroup v1 says that there is none."""


def number(data: bytes) -> int:
    """A file that holds one number. `max`, and what is none, is 0."""
    text = data.strip()
    return int(text) if text.isdigit() else 0


def value_of(data: bytes, key: bytes) -> int:
    """Of a `key value` line, the number; 0 when there is no such line."""
    start = 0 if data.startswith(key + b" ") else data.find(b"\n" + key + b" ") + 1
    if start == 0 and not data.startswith(key + b" "):
        return 0
    end = data.find(b"\n", start)
    return number(data[start + len(key) + 1 : end if end >= 0 else len(data)])


def io_v1(data: bytes) -> tuple[int, int]:
    """Bytes read and written over all devices, of `blkio.throttle.io_service_bytes`: `8:0 Read 4096`."""
    read = written = 0
    for line in data.splitlines():
        words = line.split()
        if len(words) == 3:
            if words[1] == b"Read":
                read += number(words[2])
            elif words[1] == b"Write":
                written += number(words[2])
    return read, written


def io_v2(data: bytes) -> tuple[int, int]:
    """Bytes read and written over all devices, of `io.stat`: `8:0 rbytes=4096 wbytes=0 rios=1 …`."""
    read = written = 0
    for word in data.split():
        if word.startswith(b"rbytes="):
            read += number(word[7:])
        elif word.startswith(b"wbytes="):
            written += number(word[7:])
    return read, written


def cores_v1(quota: bytes, period: bytes) -> float | None:
    """Of `cpu.cfs_quota_us` and `cpu.cfs_period_us`; None: no limit."""
    return number(quota) / number(period) if number(quota) and number(period) else None


def cores_v2(cpu_max: bytes) -> float | None:
    """Of `cpu.max`, e.g. `50000 100000`; None: no limit."""
    words = cpu_max.split()
    return cores_v1(words[0], words[1]) if len(words) == 2 else None


def network(data: bytes) -> tuple[int, int]:
    """Bytes received and sent over all interfaces but loopback, of `/proc/PID/net/dev`."""
    received = sent = 0
    for line in data.splitlines():
        name, colon, rest = line.partition(b":")
        words = rest.split()
        if colon and name.strip() != b"lo" and len(words) >= 9:
            received += number(words[0])
            sent += number(words[8])
    return received, sent


def dirtied(data: bytes) -> int:
    """Bytes that a process had written to storage or will have, of `/proc/PID/io`: at once, not when it is flushed."""
    return max(0, value_of(data, b"write_bytes:") - value_of(data, b"cancelled_write_bytes:"))


def pids(data: bytes) -> list[int]:
    """Of `cgroup.procs`. Those of another pid namespace read as 0 and are left out."""
    return [int(word) for word in data.split() if word.isdigit() and int(word) > 0]
