"""Readings from trees as the kernel shows them: cgroup v1 (hybrid) and v2."""

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.limits.cgroups import CgroupReader

FIRST, SECOND = "a" * 64, "b" * 64
NET = b"head\nhead\n lo: 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n eth0: 1000 1 0 0 0 0 0 0 2000 2 0 0 0 0 0 0\n"
V1 = {
    "cpuacct/cpuacct.usage": b"3442617391\n",
    "cpu/cpu.stat": b"nr_periods 144\nnr_throttled 14\nthrottled_time 225131623\nnr_bursts 0\n",
    "cpu/cpu.cfs_quota_us": b"50000\n",
    "cpu/cpu.cfs_period_us": b"100000\n",
    "memory/memory.usage_in_bytes": b"339968\n",
    "memory/memory.stat": b"cache 4096\ninactive_file 1\ntotal_cache 4096\ntotal_inactive_file 40960\n",
    "memory/memory.oom_control": b"oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    "pids/pids.current": b"2\n",
    "pids/cgroup.procs": b"4711\n4712\n",
    "blkio/blkio.throttle.io_service_bytes_recursive": b"254:0 Read 4096\n254:0 Write 8192\nTotal 12288\n",
}
V2 = {
    "cpu.stat": b"usage_usec 3442617\nuser_usec 1\nnr_throttled 14\nthrottled_usec 225131\n",
    "cpu.max": b"50000 100000\n",
    "memory.current": b"339968\n",
    "memory.stat": b"anon 4096\ninactive_file 40960\n",
    "memory.events": b"low 0\nmax 7\noom 3\noom_kill 3\n",
    "pids.current": b"2\n",
    "cgroup.procs": b"4711\n4712\n",
    "io.stat": b"254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n",
}


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def put_process(proc: Path, pid: int, cgroup: str, dirtied: int = 0) -> None:
    """A process that is in the cgroup of that name."""
    put(proc / str(pid) / "cgroup", f"4:memory:/docker/{cgroup}\n0::/docker/{cgroup}\n".encode())
    put(proc / str(pid) / "net" / "dev", NET)
    put(proc / str(pid) / "io", f"write_bytes: {dirtied}\ncancelled_write_bytes: 0\n".encode())


def make_v1(root: Path, container: str = FIRST) -> None:
    for name, content in V1.items():
        controller, _, file = name.partition("/")
        put(root / controller / "docker" / container / file, content)


def make_v2(root: Path, directory: str = f"system.slice/docker-{FIRST}.scope") -> None:
    put(root / "cgroup.controllers", b"cpu io memory pids\n")
    for name, content in V2.items():
        put(root / directory / name, content)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    return tmp_path / "proc"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


def test_v1(root: Path, proc: Path) -> None:
    make_v1(root)
    put_process(proc, 4711, FIRST, dirtied=20_000)
    put_process(proc, 4712, FIRST, dirtied=5_000)
    usage = CgroupReader(root, proc).read([FIRST])[FIRST]
    assert usage.cpu_seconds == pytest.approx(3.442617391)
    assert usage.throttled_seconds == pytest.approx(0.225131623)
    assert usage.cpu_limit_cores == 0.5
    assert usage.memory_bytes == 339968 - 40960
    assert usage.oom_kills == 3
    assert usage.pids == 2
    assert (usage.read_bytes, usage.written_bytes) == (4096, 25_000)
    assert (usage.received_bytes, usage.sent_bytes) == (1000, 2000)


@pytest.mark.parametrize("directory", [f"system.slice/docker-{FIRST}.scope", f"docker/{FIRST}", f"a/b/c/{FIRST}"])
def test_v2_wherever_the_engine_puts_it(root: Path, proc: Path, directory: str) -> None:
    make_v2(root, directory)
    put_process(proc, 4712, directory.rpartition("/")[2])
    usage = CgroupReader(root, proc).read([FIRST])[FIRST]
    assert usage.cpu_seconds == pytest.approx(3.442617)
    assert usage.throttled_seconds == pytest.approx(0.225131)
    assert usage.cpu_limit_cores == 0.5
    assert usage.memory_bytes == 339968 - 40960
    assert usage.oom_kills == 3
    assert (usage.read_bytes, usage.written_bytes) == (4096, 8192)
    assert (usage.received_bytes, usage.sent_bytes) == (1000, 2000)


def test_others_are_left_out_and_the_absent_too(root: Path, proc: Path) -> None:
    make_v1(root, FIRST)
    make_v1(root, SECOND)
    reader = CgroupReader(root, proc)
    assert set(reader.read([FIRST, "c" * 64])) == {FIRST}
    assert set(reader.read([SECOND])) == {SECOND}
    assert reader.read([]) == {}


def test_one_that_ends_is_left_out_from_then_on(root: Path, proc: Path) -> None:
    make_v2(root)
    file = root / "system.slice" / f"docker-{FIRST}.scope" / "cpu.stat"
    file.unlink()
    with subprocess.Popen(["sleep", "60"]) as ending:
        # A file of the kernel that fails, though it is open, once what it tells of has ended.
        file.symlink_to(f"/proc/{ending.pid}/stat")
        reader = CgroupReader(root, proc)
        assert set(reader.read([FIRST])) == {FIRST}
        ending.kill()
    assert reader.read([FIRST]) == {}
    reader.close()


def test_what_changes_by_itself_is_always_read(root: Path, proc: Path) -> None:
    """No CPU time was used since: but somebody was sent something, and given less."""
    make_v1(root)
    put_process(proc, 4711, FIRST)
    reader = CgroupReader(root, proc)
    before = reader.read([FIRST])[FIRST]
    put(proc / "4711" / "net" / "dev", NET.replace(b"1000", b"1500"))
    put(root / "cpu" / "docker" / FIRST / "cpu.cfs_quota_us", b"10000\n")
    put(root / "memory" / "docker" / FIRST / "memory.usage_in_bytes", b"139968\n")
    after = reader.read([FIRST])[FIRST]
    assert (before.received_bytes, before.cpu_limit_cores) == (1000, 0.5)
    assert (after.received_bytes, after.cpu_limit_cores, after.memory_bytes) == (1500, 0.1, 139968 - 40960)
    reader.close()


@pytest.mark.parametrize("make", [make_v1, make_v2])
def test_whoever_has_run_is_read_anew(root: Path, proc: Path, make: Callable[[Path], None]) -> None:
    make(root)
    reader = CgroupReader(root, proc)
    assert reader.read([FIRST])[FIRST].pids == 2
    for path in root.rglob("pids.current"):
        path.write_bytes(b"3\n")
    for path in (*root.rglob("cpuacct.usage"), *root.rglob("cpu.stat")):
        path.write_bytes(path.read_bytes().replace(b"3442617", b"3442618"))
    assert reader.read([FIRST])[FIRST].pids == 3
    reader.close()


def test_not_all_that_the_process_may_open_is_kept_open(
    root: Path, proc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_v1(root, FIRST)
    make_v1(root, SECOND)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    monkeypatch.setattr(resource, "getrlimit", lambda which: (28, 28))
    reader = CgroupReader(root, proc)
    for _ in range(2):
        usage = reader.read([FIRST, SECOND])
        assert usage[FIRST] == usage[SECOND]
        assert len(os.listdir("/proc/self/fd")) - before <= 14  # noqa: PTH208
    assert set(reader.read([SECOND])) == {SECOND}
    reader.close()


def test_a_number_that_means_another_process_now_is_not_read(root: Path, proc: Path) -> None:
    """The kernel gives numbers of processes again: those of the host must not count as the machine's."""
    make_v1(root)
    put_process(proc, 4711, "somebody-elses")
    usage = CgroupReader(root, proc).read([FIRST])[FIRST]
    assert (usage.received_bytes, usage.sent_bytes) == (None, None)
    put_process(proc, 4712, FIRST)
    usage = CgroupReader(root, proc).read([FIRST])[FIRST]
    assert usage.received_bytes == 1000


def test_another_process_is_asked_when_the_first_has_ended(root: Path, proc: Path) -> None:
    make_v1(root)
    put_process(proc, 4711, FIRST)
    put_process(proc, 4712, FIRST)
    reader = CgroupReader(root, proc)
    assert reader.read([FIRST])[FIRST].received_bytes == 1000
    for name in ("net/dev", "cgroup"):
        (proc / "4711" / name).unlink()
    assert reader.read([FIRST])[FIRST].received_bytes == 1000
    for name in ("net/dev", "cgroup"):
        (proc / "4712" / name).unlink()
    assert reader.read([FIRST])[FIRST].received_bytes is None
    reader.close()


def test_what_was_written_does_not_fall_while_a_process_is_waited_for(root: Path, proc: Path) -> None:
    make_v1(root)
    put_process(proc, 4711, FIRST, dirtied=50_000)
    reader = CgroupReader(root, proc)
    assert reader.read([FIRST])[FIRST].written_bytes == 50_000
    put(root / "pids" / "docker" / FIRST / "cgroup.procs", b"")
    assert reader.read([FIRST])[FIRST].written_bytes == 50_000


def test_a_fork_bomb_is_not_read_to_its_end(root: Path, proc: Path) -> None:
    make_v1(root)
    put(root / "pids" / "docker" / FIRST / "cgroup.procs", b"".join(b"%d\n" % pid for pid in range(1, 5000)))
    for pid in range(1, 200):
        put_process(proc, pid, FIRST, dirtied=1_000_000)
    assert CgroupReader(root, proc).read([FIRST])[FIRST].written_bytes == 64_000_000


def test_nothing_is_kept_open(root: Path, proc: Path) -> None:
    make_v1(root)
    put_process(proc, 4711, FIRST)
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    reader = CgroupReader(root, proc)
    for _ in range(3):
        reader.read([FIRST])
    reader.close()
    # Others may have been closed meanwhile: what an earlier test forgot.
    assert set(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208
