"""Preference on a busy host, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime import priority
from runtime.priority import PREFERRED, prefer_session
from tests.support.privileges import may_be_preferred

NOBODY = 65534
IMPORTS = "import os, threading"
PREFERRED_THREAD = """
prefer()
thread = threading.Thread(target=lambda: print(os.nice(0)))
thread.start()
thread.join()
"""


def test_threads_that_are_started_later_are_preferred() -> None:
    line = f"from runtime.priority import prefer\n{IMPORTS}{PREFERRED_THREAD}"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, check=True, text=True)
    assert int(done.stdout) == (PREFERRED if may_be_preferred() else os.nice(0))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_who_may_not_be_preferred_stays_as_it_is() -> None:
    # All is read before: nobody may not read where we lie.
    drop = f"{IMPORTS}\nos.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"
    script = f"{Path(priority.__file__).read_text()}\n{drop}\nprefer_session(1){PREFERRED_THREAD}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) == os.nice(0)


def test_a_session_is_preferred_by_itself() -> None:
    ours = _autogroup("self")
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        try:
            prefer_session(process.pid)
            theirs = _autogroup(process.pid)
        finally:
            process.kill()
    if ours and may_be_preferred():
        assert theirs.endswith(f"nice {PREFERRED}")
    assert _autogroup("self") == ours


def _autogroup(process: int | str) -> str:
    """Empty where the kernel has none."""
    path = Path(f"/proc/{process}/autogroup")
    return path.read_text().strip() if path.exists() else ""
