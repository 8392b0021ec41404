"""The one guarded door. What is absent and what belongs to somebody else answer alike."""

from uuid import UUID

from playground.accounts.models import User
from playground.sessions.errors import SessionUnknown, TerminalUnknown
from playground.sessions.models import Session, Terminal


def get_session_for(user: User, session_id: UUID | str, *, for_admin: bool = False, terminals: bool = True) -> Session:
    """The session with its machines and their terminals. Raises SessionUnknown unless it is the person's own.

    `for_admin` lets staff read any session; say it only where that is meant. Without `terminals` these are not read:
    a command needs none of them.
    """
    wanted = _uuid(session_id)
    sessions = Session.objects.prefetch_related(*(["machines__terminals"] if terminals else ["machines"]))
    if not (for_admin and user.is_active and user.is_staff):
        sessions = sessions.filter(owner_id=user.pk)
    session = sessions.filter(pk=wanted).first() if wanted and user.is_active else None
    if session is None:
        raise SessionUnknown("There is no such session.")
    return session


def get_terminal_for(user: User, terminal_id: UUID | str, *, for_admin: bool = False) -> Terminal:
    """The terminal with `machine.session`. Raises TerminalUnknown unless it is in a session of the person's own."""
    wanted = _uuid(terminal_id)
    terminals = Terminal.objects.select_related("machine__session").filter(machine__session__isnull=False)
    if not (for_admin and user.is_active and user.is_staff):
        terminals = terminals.filter(machine__session__owner_id=user.pk)
    terminal = terminals.filter(pk=wanted).first() if wanted and user.is_active else None
    if terminal is None:
        raise TerminalUnknown("There is no such terminal.")
    return terminal


def _uuid(value: UUID | str) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except ValueError:
        return None
