"""What can go wrong with a terminal that is somewhere else."""


class TerminalError(Exception):
    """Anything of the below."""


class TerminalClosed(TerminalError):
    """The site says that coming back makes no sense. `code` is of the table in docs/api.md."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class TerminalEnded(TerminalError):
    """The output ended before what was expected came."""


class NotSeen(TerminalError, TimeoutError):
    """What was expected did not come in time; the text shows the end of what did."""
