"""What runs in a terminal at this moment: for pages that ask before they close it, and that upload to where it is."""

from dataclasses import dataclass

from playground.sessions.dialogue import talk
from playground.sessions.errors import MachineUnknown, SessionNotRunning
from playground.sessions.models import Session, Terminal
from playground.sessions.states import MachineState, SessionState
from runtime.errors import TerminalUnknown
from runtime.terminal import processes


@dataclass(frozen=True, slots=True)
class Foreground:
    """`command`: the name of a program that runs in the foreground; None while the terminal's own process waits.

    `directory`: where the terminal's own process works, None when that can't be known. Both are the machine's word.
    """

    command: str | None = None
    directory: str | None = None


async def foreground(session: Session, terminal: Terminal) -> Foreground:
    """Looks into the machine. A terminal whose process has ended has neither. Raises RuntimeFailure."""
    if session.state != SessionState.RUNNING:
        raise SessionNotRunning("The session is not running.")
    machine = terminal.machine
    if machine.state != MachineState.READY:
        raise MachineUnknown("The terminal's machine is gone.")
    async with talk(machine.pk) as client:
        known = {status.terminal_id: status for status in await client.terminals()}
        found = known.get(terminal.pk.hex)
        if found is None:
            raise TerminalUnknown("There is no such terminal.")
        if found.exited:
            return Foreground()
        status = await processes.status(client, found.pid)
    if status is None:
        return Foreground()
    async with talk(machine.pk) as client:
        directory = await processes.directory(client, found.pid)
    if status.foreground in (status.group, -1, 0):
        return Foreground(directory=directory)
    async with talk(machine.pk) as client:
        # Its leader may be gone already, and the group still runs.
        return Foreground(await processes.name(client, status.foreground) or "a program", directory)
