"""What a guest may put on its disk to hide what it holds, or to hurt who measures."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.limits.layers import DEEPEST, measure

GIB = 1 << 30
MIB = 1 << 20


def fill(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.write(b"x" * size)
        os.fsync(file.fileno())


def test_files_and_directories(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    fill(tmp_path / "a" / "b" / "f", MIB)
    found = measure(tmp_path, GIB)
    assert found.complete
    assert found.files == 3
    assert MIB <= found.used_bytes <= MIB + 16384


def test_a_hole_is_free(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(100 * GIB)
    assert measure(tmp_path, GIB).used_bytes <= 8192


def test_empty_files_are_not(tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / str(number)).touch()
    found = measure(tmp_path, GIB)
    assert found.used_bytes == 500 * 4096
    assert found.files == 500


def test_looking_stops_where_the_limit_is(tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / str(number)).touch()
    found = measure(tmp_path, 100 * 4096)
    assert not found.complete
    assert found.files == 101


def test_names_of_one_file_cost_as_entries(tmp_path: Path) -> None:
    fill(tmp_path / "f", MIB)
    for number in range(20):
        (tmp_path / f"link{number}").hardlink_to(tmp_path / "f")
    found = measure(tmp_path, GIB)
    assert MIB + 20 * 4096 <= found.used_bytes < 2 * MIB
    assert not measure(tmp_path, MIB + 10 * 4096).complete


def test_links_lead_nowhere(tmp_path: Path) -> None:
    outside, layer = tmp_path / "host", tmp_path / "layer"
    for directory in (outside, layer):
        directory.mkdir()
    fill(outside / "secret", 8 * MIB)
    (layer / "directory").symlink_to(outside)
    (layer / "file").symlink_to(outside / "secret")
    (layer / "loop").symlink_to(".")
    assert measure(layer, GIB).used_bytes == 3 * 4096


def test_a_layer_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OSError):  # noqa: PT011 - ELOOP or ENOTDIR
        measure(tmp_path / "link", GIB)


def test_directories_within_each_other_for_ever(tmp_path: Path) -> None:
    top = os.open(tmp_path, os.O_RDONLY)
    current = os.dup(top)
    for _ in range(DEEPEST + 50):
        os.mkdir("d", dir_fd=current)
        below = os.open("d", os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = below
    os.close(current)
    os.close(top)
    found = measure(tmp_path, GIB)
    assert not found.complete
    assert found.used_bytes > GIB, "what can't be measured counts as too much"


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[int]:
    """A process that holds a deleted file of 3 MiB open, and another one mapped only."""
    code = (
        "import mmap, os, sys\n"
        "a = open(sys.argv[1] + '/open', 'wb'); a.write(b'x' * (3 << 20)); a.flush(); os.fsync(a.fileno())\n"
        "b = open(sys.argv[1] + '/mapped', 'w+b'); b.write(b'x' * (2 << 20)); b.flush(); os.fsync(b.fileno())\n"
        "m = mmap.mmap(b.fileno(), 0); b.close()\n"
        "os.unlink(a.name); os.unlink(sys.argv[1] + '/mapped')\n"
        "fd = os.memfd_create('memory'); os.write(fd, b'x' * (9 << 20))\n"
        "print('ready', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # pytest's own is a deleted file
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    yield process.pid
    process.communicate()


@pytest.mark.skipif(Path("/").stat().st_dev != Path("/tmp").stat().st_dev, reason="/tmp is not the root's file system")
def test_what_was_deleted_counts_while_it_is_held(tmp_path: Path, holder: int) -> None:
    assert measure(tmp_path, GIB).used_bytes == 0
    found = measure(tmp_path, GIB, [holder])
    held = 5 if os.geteuid() == 0 else 3  # who is not root can't look at what is mapped
    assert held * MIB <= found.used_bytes <= held * MIB + 65536, "and what is in memory does not"
    assert found.files == (2 if os.geteuid() == 0 else 1)
