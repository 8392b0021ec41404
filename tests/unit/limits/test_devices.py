"""From a directory to the disk that it is on."""

import os
from pathlib import Path

import pytest

from runtime.limits.devices import disk_of


@pytest.fixture
def tree(tmp_path: Path) -> tuple[Path, Path]:
    """Where the kernel lists devices, and their nodes: nothing yet."""
    for name in ("block", "dev", "sys"):
        (tmp_path / name).mkdir()
    return tmp_path / "block", tmp_path / "dev"


@pytest.mark.parametrize("partition", [False, True])
def test_the_whole_disk(tmp_path: Path, tree: tuple[Path, Path], partition: bool) -> None:
    devices, nodes = tree
    device = tmp_path / "sys" / "sda" / ("sda1" if partition else "")
    device.mkdir(parents=True)
    if partition:
        (device / "partition").write_text("1\n")
    number = tmp_path.stat().st_dev
    (devices / f"{os.major(number)}:{os.minor(number)}").symlink_to(device)
    assert disk_of(tmp_path, devices, nodes) is None, "without a node there is nothing to name"
    (nodes / "sda").touch()
    assert disk_of(tmp_path, devices, nodes) == nodes / "sda"


def test_no_disk(tmp_path: Path, tree: tuple[Path, Path]) -> None:
    assert disk_of(tmp_path, *tree) is None
    assert disk_of(tmp_path / "absent", *tree) is None
