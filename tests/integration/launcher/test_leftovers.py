"""Processes of a run that was killed are found by their mark and ended; everybody else's are left alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.launcher.leftovers import MARK, end_leftovers, leftovers

STUBBORN = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
)


@contextmanager
def running(
    mark: str, script: str = "import time; print(1, flush=True); time.sleep(600)"
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {MARK: mark}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_only_those_of_this_data_directory_are_ended(tmp_path: Path) -> None:
    with running(str(tmp_path)) as ours, running(str(tmp_path / "other")) as others:
        assert end_leftovers(tmp_path) == 1
        assert ours.wait(20) != 0
        assert others.poll() is None
        assert leftovers(tmp_path) == []
        assert len(leftovers(tmp_path / "other")) == 1


def test_what_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.launcher.leftovers.POLITE_SECONDS", 0.3)
    with running(str(tmp_path), STUBBORN) as stubborn:
        assert end_leftovers(tmp_path) == 1
        assert stubborn.wait(20) == -9
