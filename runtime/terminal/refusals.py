"""sandboxd's error codes as errors of ours."""

from runtime.errors import (
    BadDirectory,
    Busy,
    CommandNotExecutable,
    CommandNotFound,
    MachineUnreachable,
    ProtocolViolation,
    RuntimeFailure,
    TerminalUnknown,
    UnknownUser,
)
from runtime.terminal.answers import Refused


class BadOffset(ProtocolViolation):
    """What was asked for is beyond the end of the output: the mistake is the caller's."""


_ERRORS: dict[str, tuple[type[RuntimeFailure], str]] = {
    "command_not_found": (CommandNotFound, "There is no such command in this machine."),
    "command_not_executable": (CommandNotExecutable, "The command can't be executed in this machine."),
    "unknown_user": (UnknownUser, "There is no such user in this machine, or it can't be switched to."),
    "bad_directory": (BadDirectory, "There is no such directory in this machine."),
    "terminal_unknown": (TerminalUnknown, "The machine does not know this terminal."),
    "bad_offset": (BadOffset, "The output does not reach that far."),
    "busy": (Busy, "The machine can't take more just now."),
    "not_started": (MachineUnreachable, "The machine is not ready yet."),
}


def failure_of(refused: Refused) -> RuntimeFailure:
    """In words of ours: what a machine says about itself is not shown to people."""
    kind, words = _ERRORS.get(refused.code, (ProtocolViolation, "The machine refused a request that is correct."))
    return kind(words)
