"""The tie between a process and what it starts. Standard library alone: the launcher comes before all else."""

import ctypes
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
try:
    # Loaded here: after a fork is no time to look for libraries.
    _prctl: Callable[[int, int], int] | None = ctypes.CDLL(None, use_errno=True).prctl
except (OSError, AttributeError):  # not Linux
    _prctl = None


def end_with_parent() -> None:
    """SIGTERM for the calling process when the thread that started it ends, however that ends. Linux only."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
