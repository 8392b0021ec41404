"""What the worker is asked for, noted instead of sent to a broker."""

import pytest

from playground.sessions import queue


class Asked:
    """Stands in for the sending alone: what is asked, and when, is the code's own decision."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tasks: list[tuple[str, ...]] = []
        monkeypatch.setattr(queue, "_ask", self._note)

    def _note(self, task: str, *arguments: str) -> None:
        self.tasks.append((task.rpartition(".")[2], *arguments))

    def clear(self) -> None:
        """Forgets what was asked so far."""
        self.tasks.clear()
