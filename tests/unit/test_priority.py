"""Preference on a busy host, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.priority import PATIENT, PREFERRED, prefer_session

NOBODY = 65534
NICENESS = "; import os, threading; t = threading.Thread(target=lambda: print(os.nice(0))); t.start(); t.join()"


def _niceness(call: str, **more: object) -> int:
    """Of a thread that was started after it."""
    line = f"from runtime.priority import prefer, give_way; {call}(){NICENESS}"
    return int(subprocess.run([sys.executable, "-c", line], capture_output=True, check=True, text=True, **more).stdout)  # type: ignore[call-overload]


def test_who_gives_way() -> None:
    assert _niceness("give_way") == PATIENT


def test_who_is_preferred() -> None:
    may = os.geteuid() == 0
    assert _niceness("prefer") == (PREFERRED if may else os.nice(0))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_who_may_not_be_preferred_stays_as_it_is() -> None:
    def become_nobody() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    source = Path("runtime/priority.py").read_text()
    line = f"{source}\nprefer(); prefer_session(1); print(os.nice(0))"
    done = subprocess.run(
        ["/usr/bin/python3", "-c", line], capture_output=True, text=True, check=True, preexec_fn=become_nobody, cwd="/"
    )
    assert int(done.stdout) == os.nice(0)


def test_a_session_is_preferred_by_itself() -> None:
    ours = _autogroup("self")
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        try:
            prefer_session(process.pid)
            theirs = _autogroup(process.pid)
        finally:
            process.kill()
    if ours and os.geteuid() == 0:
        assert theirs.endswith(f"nice {PREFERRED}")
    assert _autogroup("self") == ours


def _autogroup(process: int | str) -> str:
    """Empty where the kernel has none."""
    path = Path(f"/proc/{process}/autogroup")
    return path.read_text().strip() if path.exists() else ""
