"""What ends a set-up, as a person should read it."""

from __future__ import annotations


class SetupError(Exception):
    """`str(error)` is all that is shown: what happened and what to do about it."""


class Interruption(BaseException):
    """Ctrl-C, SIGTERM or the end of the terminal: stop in good order."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
