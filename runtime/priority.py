"""Who comes first on a busy host: what people wait for while they type, before what makes machines.

To be preferred takes CAP_SYS_NICE; without it all stays as it is. Standard library alone: the launcher comes before all
else.
"""

import contextlib
import os
from pathlib import Path

PREFERRED = -10
PATIENT = 10
"""Niceness, as setpriority(2) has it."""


def prefer() -> None:
    """The calling thread, and those that it starts."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PREFERRED)


def give_way() -> None:
    """The calling thread, and those that it starts, to all others of its session."""
    os.setpriority(os.PRIO_PROCESS, 0, PATIENT)


def prefer_session(leader: int) -> None:
    """All processes of that session to those of others, among which are the engine's and the machines'.

    Linux shares the CPU out between sessions first, whatever the niceness of their processes: sched(7), autogroup. It
    does so for processes that are in no cgroup with a share of its own.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{leader}/autogroup").write_text(str(PREFERRED))
