"""Running one command of the set-up, its output kept in a log."""

import contextlib
import errno
import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.launcher.errors import SetupError
from runtime.parent import end_with_parent

TAIL_LINES = 12
PATIENCE = 5.0
"""Seconds that a command has to end by itself after it was asked to."""


def run_logged(
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path,
    env: Mapping[str, str],
    advice: str,
    tick: Callable[[str], None] = lambda words: None,
    seconds: float = math.inf,
) -> None:
    """Runs it to its end; `tick` is called every second with the last line of output.
    After `seconds` it is ended.

    Raises SetupError with the end of the log and `advice` when it fails. Leaves no process of it on any way out.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        output.write(f"$ {' '.join(map(str, command))}\n".encode())
        output.flush()
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        except OSError as error:
            raise SetupError(f"{command[0]} can't be started: {error.strerror}.\n{advice}") from error
        try:
            status = _wait(process, lambda: tick(last_lines(log, 1)), time.monotonic() + seconds)
        finally:
            end_group(process)
    if status:
        raise SetupError(_failure(command, status, log, advice))


def _wait(process: subprocess.Popen[bytes], tick: Callable[[], None], until: float) -> int:
    while time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=1.0)
        tick()
    end_group(process)
    return process.wait()


def end_group(process: subprocess.Popen[bytes], patience: float = PATIENCE) -> None:
    """Asks the process to end, then kills it and all of its group. Over already is success."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
    # What it started, and left behind, is in its group.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_lines(log: Path, lines: int) -> str:
    """The end of a log, without empty lines."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 8192))
        text = file.read().decode(errors="replace")
    kept = [line for line in text.splitlines() if line.strip()]
    return "\n".join(kept[-lines:])


def _failure(command: Sequence[str | Path], status: int, log: Path, advice: str) -> str:
    name = Path(command[0]).name
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    tail = "\n".join(f"    {line}" for line in last_lines(log, TAIL_LINES).splitlines())
    if os.strerror(errno.ENOSPC) in tail:
        advice = f"The disk is full. Make room, then start again. {advice}"
    return f"{name} {how}. The end of {log}:\n{tail}\n{advice}"
