"""Commands of the set-up: their failures are readable, and nothing of them stays."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from deploy.launcher.commands import run_logged
from deploy.launcher.errors import SetupError


def run(log: Path, script: str, seconds: float = 30.0, python: str = sys.executable) -> None:
    run_logged([python, "-c", script], log=log, cwd=log.parent, env=os.environ, advice="Try this.", seconds=seconds)


def test_output_is_kept_in_the_log(tmp_path: Path) -> None:
    run(tmp_path / "log", "print('well done')")
    assert "well done" in (tmp_path / "log").read_text()


def test_a_failure_shows_the_end_of_the_log_and_the_advice(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as stop:
        run(tmp_path / "log", "import sys; print('what went wrong'); sys.exit(3)")
    text = str(stop.value)
    assert "ended with status 3" in text
    assert "    what went wrong" in text
    assert str(tmp_path / "log") in text
    assert text.endswith("Try this.")


def test_a_full_disk_is_called_that(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="The disk is full"):
        run(tmp_path / "log", "raise OSError(28, 'No space left on device')")


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="can't be started"):
        run(tmp_path / "log", "", python="/nowhere/python")


def test_what_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('child', child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(SetupError, match=f"ended by signal {int(signal.SIGTERM)}"):
        run(tmp_path / "log", script, seconds=6.0)
    child = int((tmp_path / "log").read_text().rpartition("child ")[2])
    until = time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < until, "the child lives on"
        time.sleep(0.01)


def is_running(process: int) -> bool:
    try:
        return b") Z " not in Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return False
