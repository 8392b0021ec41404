"""Long commands in the foreground, several beside each other where they leave room for that."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher.signals import end_with_parent_or_interrupt

INTERRUPTED_SECONDS = 60.0
LOOK_SECONDS = 0.2
SUMMARY = b"short test summary info"
"""Of a run that passed, pytest's words from here on are shown: what was skipped, and how many passed."""


@dataclass(frozen=True)
class Run:
    """One command."""

    title: str
    command: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    log: Path | None = None
    """Where it writes meanwhile; shown when it has ended. None: to our own output, as it comes."""


def run_together(runs: Sequence[Run], at_once: int | None = None) -> list[str]:
    """Runs all of them to their ends, in their order, no more than `at_once` beside each other; the titles of those
    that failed. Interrupted, none is left. Of those with a log, what failed is shown last, and whole.
    """
    started: list[tuple[Run, subprocess.Popen[bytes]]] = []
    try:
        for run in runs:
            while at_once and sum(process.poll() is None for _, process in started) >= at_once:
                time.sleep(LOOK_SECONDS)
            if run.log is None:
                print(f"\n--- {run.title}", flush=True)
            started.append((run, _start(run)))
        failed = [run.title for run, process in started if process.wait()]
    except BaseException:
        _interrupt([process for _, process in started])
        raise
    for run in sorted(runs, key=lambda run: run.title in failed):
        if run.log is not None:
            _show(run.title, run.log, whole=run.title in failed)
    return failed


def _show(title: str, log: Path, *, whole: bool) -> None:
    print(f"\n--- {title}" if whole else f"\n--- {title}, the end of {log}", flush=True)
    lines = log.read_bytes().splitlines(keepends=True)
    summary = max((number for number, line in enumerate(lines) if SUMMARY in line), default=len(lines) - 1)
    sys.stdout.buffer.writelines(lines if whole else lines[max(0, summary) :])
    sys.stdout.flush()


def _start(run: Run) -> subprocess.Popen[bytes]:
    output = run.log.open("wb") if run.log else None
    try:
        return subprocess.Popen(
            run.command,
            cwd=run.cwd,
            env=run.environment,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            preexec_fn=end_with_parent_or_interrupt,
        )
    finally:
        if output:
            output.close()


def _interrupt(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """pytest's fixtures clean up after SIGINT, and after nothing else."""
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(INTERRUPTED_SECONDS)
        process.kill()
        process.wait()
