"""Terminals of a site from another program, through its public socket alone (docs/api.md, "Terminals")."""

from runtime.remote.errors import NotSeen, TerminalClosed, TerminalEnded, TerminalError
from runtime.remote.expecting import Expecting
from runtime.remote.terminal import ExitStatus, RemoteTerminal

__all__ = [
    "ExitStatus",
    "Expecting",
    "NotSeen",
    "RemoteTerminal",
    "TerminalClosed",
    "TerminalEnded",
    "TerminalError",
]
