"""Who comes first on a busy host: web, which people wait for while they type.

To be preferred takes CAP_SYS_NICE; without it all stays as it is. Standard library alone: the launcher comes before all
else.
"""

import contextlib
import os
from pathlib import Path

PREFERRED = -10
"""Niceness, as setpriority(2) has it: ten times the weight of others. Who makes machines and keeps limits goes on."""


def prefer() -> None:
    """The calling thread, and those that it starts, in their session."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PREFERRED)


def prefer_session(leader: int) -> None:
    """All processes of that session to those of others, machines and what makes them among these.

    Linux shares the CPU out between sessions first, whatever the niceness of their processes: sched(7), autogroup. It
    does so for processes that are in no cgroup with a share of its own.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{leader}/autogroup").write_text(str(PREFERRED))
