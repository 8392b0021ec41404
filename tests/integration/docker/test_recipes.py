"""What goes wrong while an image is made is told in words."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from runtime.errors import ImageUnavailable
from runtime.images import packages
from tests.support.waiting import until


async def test_without_mmdebstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "ADMINISTRATION", str(tmp_path))
    with pytest.raises(ImageUnavailable, match="mmdebstrap is not installed"):
        await packages.debian_system(["bash"], tmp_path / "out.tar", lambda *_: None)


async def test_a_mirror_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with pytest.raises(ImageUnavailable, match="mirror does not answer"):
        await packages.debian_system(["bash"], tmp_path / "out.tar", lambda *_: None)


async def test_a_build_that_is_cancelled_leaves_no_mount(tmp_path: Path) -> None:
    """And no process: whatever it mounted was its own."""
    begun = asyncio.Event()
    building = asyncio.create_task(
        packages.debian_system(["bash"], tmp_path / "system.tar", lambda share, words: begun.set() if share else None)
    )
    await asyncio.wait({building, asyncio.create_task(begun.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert not building.done(), building
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()

    async def all_have_ended() -> bool:
        return not [line for line in _command_lines() if str(tmp_path) in line]

    await until(all_have_ended, "what the kernel was told to end has ended")


def _command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(errors="replace"))
    return found
