"""`/sessions/{id}/terminals` of the REST API."""

from dataclasses import asdict
from typing import cast
from uuid import UUID

from django.http import HttpResponse
from ninja import Router, Status

from playground.accounts.models import User
from playground.api.request import ApiRequest
from playground.database import in_database
from playground.sessions import machines, services
from playground.sessions.access import get_session_for, get_terminal_for
from playground.sessions.commands import argv
from playground.sessions.errors import SessionNotRunning, TerminalUnknown
from playground.sessions.foreground import foreground
from playground.sessions.models import Session, Terminal
from playground.sessions.public import PublicTerminal, public_session, public_terminal, websocket_url
from playground.sessions.schemas import (
    TerminalAnswer,
    TerminalCreate,
    TerminalList,
    TerminalPatch,
    TerminalProcess,
    Ticket,
)
from playground.sessions.states import STARTED
from playground.sessions.tickets import LIFETIME, create_ticket

router = Router(tags=["inside a session"])


@router.get("/sessions/{uuid:session_id}/terminals", response=TerminalList, summary="List a session's terminals")
async def list_terminals(request: ApiRequest, session_id: UUID) -> dict[str, object]:
    """Those of its living machines."""

    def read() -> list[PublicTerminal]:
        return public_session(get_session_for(request.person, session_id))["terminals"]

    return {"items": await in_database(read)()}


@router.post("/sessions/{uuid:session_id}/terminals", response={201: TerminalAnswer}, summary="Open a terminal")
async def create_terminal(
    request: ApiRequest, response: HttpResponse, session_id: UUID, body: TerminalCreate
) -> Status[PublicTerminal]:
    """It runs until its process ends, whoever watches."""
    session = await in_database(services.use)(request.person, session_id)
    terminal = await machines.open_terminal(
        session,
        machine=body.machine,
        name=body.name,
        command=argv(body.command),
        cwd=body.cwd,
        environment=body.env,
        cols=body.cols,
        rows=body.rows,
    )
    response["Location"] = f"/api/v1/sessions/{session_id}/terminals/{terminal.pk}"
    return Status(201, await in_database(lambda: public_terminal(terminal, terminal.machine))())


@router.get(
    "/sessions/{uuid:session_id}/terminals/{uuid:terminal_id}", response=TerminalAnswer, summary="Read a terminal"
)
async def get_terminal(request: ApiRequest, session_id: UUID, terminal_id: UUID) -> PublicTerminal:
    """What can be known without asking its machine."""

    def read() -> PublicTerminal:
        _, terminal = _terminal(request.person, session_id, terminal_id)
        return public_terminal(terminal, terminal.machine)

    return await in_database(read)()


@router.patch(
    "/sessions/{uuid:session_id}/terminals/{uuid:terminal_id}", response=TerminalAnswer, summary="Rename a terminal"
)
async def patch_terminal(
    request: ApiRequest, session_id: UUID, terminal_id: UUID, body: TerminalPatch
) -> PublicTerminal:
    """What is left out stays as it is."""

    def patch() -> PublicTerminal:
        session, terminal = _terminal(request.person, session_id, terminal_id)
        if body.name is not None:
            services.rename_terminal(session, terminal, body.name)
            terminal.name = body.name
        return public_terminal(terminal, terminal.machine)

    return await in_database(patch)()


@router.get(
    "/sessions/{uuid:session_id}/terminals/{uuid:terminal_id}/process",
    response=TerminalProcess,
    summary="See what runs in a terminal",
)
async def get_terminal_process(request: ApiRequest, session_id: UUID, terminal_id: UUID) -> dict[str, object]:
    """Asked of its machine at this moment: before it is closed, or to put a file where it works."""

    def read() -> tuple[Session, Terminal]:
        return _terminal(request.person, session_id, terminal_id)

    return asdict(await foreground(*await in_database(read)()))


@router.delete(
    "/sessions/{uuid:session_id}/terminals/{uuid:terminal_id}", response={204: None}, summary="Close a terminal"
)
async def delete_terminal(request: ApiRequest, session_id: UUID, terminal_id: UUID) -> Status[None]:
    """Hangs up its process. Also when it was closed before."""

    def read() -> tuple[Session, Terminal] | None:
        session = get_session_for(request.person, session_id)
        try:
            return session, _terminal(request.person, session_id, terminal_id)[1]
        except TerminalUnknown:
            return None

    found = await in_database(read)()
    if found is not None:
        await machines.close_terminal(*found)
    return Status(204, None)


@router.post(
    "/sessions/{uuid:session_id}/terminals/{uuid:terminal_id}/ticket",
    response=Ticket,
    summary="Get a ticket for a terminal's socket",
)
async def create_terminal_ticket(request: ApiRequest, session_id: UUID, terminal_id: UUID) -> Ticket:
    """For pages of other sites, which can send neither the cookie nor a header. Good once, for 30 seconds."""

    def read() -> tuple[Session, Terminal]:
        return _terminal(request.person, session_id, terminal_id)

    session, terminal = await in_database(read)()
    if session.state not in STARTED:
        raise SessionNotRunning("The session is not running.")
    ticket = await create_ticket(request.identity, terminal.pk)
    return Ticket(url=f"{websocket_url(terminal)}?ticket={ticket}", ticket=ticket, expires_in=LIFETIME)


def _terminal(person: User, session_id: UUID, terminal_id: UUID) -> tuple[Session, Terminal]:
    terminal = get_terminal_for(person, terminal_id)
    session = cast(Session, terminal.machine.session)
    if session.pk != session_id:
        raise TerminalUnknown("There is no such terminal.")
    return session, terminal
