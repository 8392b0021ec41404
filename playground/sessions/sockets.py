"""`/ws/v1/terminals/{id}`: who may have this socket. Whoever may is handed to the relay, which moves the bytes.

A refused socket is accepted first and closed then: browsers show their scripts no status of a refused handshake.
"""

import asyncio
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django.utils import timezone

from playground.accounts.models import User
from playground.accounts.sockets import ForeignOrigin, Identity, identify, still_valid
from playground.database import in_database
from playground.errors import SiteError
from playground.sessions import limit_warnings
from playground.sessions.access import get_terminal_for
from playground.sessions.closing import CloseCode, Refused, short
from playground.sessions.connections import connections
from playground.sessions.door import PAUSED, Door
from playground.sessions.expiring import standing
from playground.sessions.models import Session, Terminal
from playground.sessions.news import last_event, news
from playground.sessions.states import MachineState, SessionState
from playground.sessions.tickets import redeem
from runtime.asgi import Receive, Send
from runtime.terminal.messages import Role
from runtime.terminal.relay import Wish, relay

SUBPROTOCOL = "playground.terminal.v1"

_PARAMETERS = frozenset({"ticket", "offset", "cols", "rows", "role", "client"})
_LARGEST = {"offset": 2**63 - 1, "cols": 1000, "rows": 1000, "client": 2**64 - 1}
_SMALLEST = {"offset": 0, "cols": 1, "rows": 1, "client": 0}


@dataclass(frozen=True, slots=True)
class Query:
    """What the query of the address asks for."""

    ticket: str | None
    role: Role
    offset: int | None
    size: tuple[int, int] | None
    client: int


@dataclass(frozen=True, slots=True)
class Grant:
    """That this person may have this terminal."""

    identity: Identity
    session_id: uuid.UUID
    machine_id: uuid.UUID
    machine_name: str
    terminal_id: uuid.UUID
    seen: int
    """The session's last event so far."""
    standing: Sequence[Mapping[str, object]]
    """Warnings that its clients were given already, and this one was not."""


def query_of(text: bytes) -> Query:
    """Raises Refused for what the protocol does not know: the client is wrong, not unwelcome."""
    pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True)
    values = dict(pairs)
    known = len(values) == len(pairs) and set(values) <= _PARAMETERS
    if not known or values.get("role", "control") not in tuple(Role):
        raise Refused(CloseCode.PROTOCOL_ERROR, "The query has offset, cols, rows, role, client, ticket, each once.")
    numbers = {name: _number(name, values[name]) for name in _LARGEST if name in values}
    if ("cols" in numbers) != ("rows" in numbers):
        raise Refused(CloseCode.PROTOCOL_ERROR, "cols and rows come together.")
    return Query(
        ticket=values.get("ticket"),
        role=Role(values.get("role", "control")),
        offset=numbers.get("offset"),
        size=(numbers["cols"], numbers["rows"]) if "cols" in numbers else None,
        client=numbers.get("client", 0),
    )


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise Refused(CloseCode.PROTOCOL_ERROR, f"{name} is a whole number.")
    number = int(text)
    if not _SMALLEST[name] <= number <= _LARGEST[name]:
        raise Refused(CloseCode.PROTOCOL_ERROR, f"{name} is {_SMALLEST[name]} to {_LARGEST[name]}.")
    return number


async def grant_of(scope: Mapping[str, Any], ticket: str | None, terminal_id: str) -> Grant:
    """Who it is, and whether the terminal is theirs and can be had now. One trip to the database. Raises Refused."""
    if ticket is None:
        return await in_database(_grant_by_headers)(scope, terminal_id)
    try:
        redeemed = await redeem(ticket)
    except SiteError:
        raise Refused(CloseCode.NOT_AUTHENTICATED, "Tickets can't be checked just now. Try again.") from None
    # A ticket opens the one terminal that it was made for; for any other it is used up all the same.
    if redeemed is None or str(redeemed.terminal_id) != terminal_id:
        raise Refused(CloseCode.NOT_AUTHENTICATED, "The ticket is unknown, used, or older than 30 seconds.")
    return await in_database(_grant_by_ticket)(redeemed.identity, terminal_id)


def _grant_by_headers(scope: Mapping[str, Any], terminal_id: str) -> Grant:
    try:
        found = identify(scope)
    except ForeignOrigin:
        raise Refused(CloseCode.FORBIDDEN, "This page is not of this site.") from None
    if found is None:
        raise Refused(CloseCode.NOT_AUTHENTICATED, "Sign in, send a key, or use a ticket.")
    return _grant(*found, terminal_id)


def _grant_by_ticket(identity: Identity, terminal_id: str) -> Grant:
    if not still_valid([identity]):
        raise Refused(CloseCode.NOT_AUTHENTICATED, "Your access was revoked.")
    return _grant(User.objects.get(pk=identity.person_id), identity, terminal_id)


def _grant(person: User, identity: Identity, terminal_id: str) -> Grant:
    try:
        terminal = get_terminal_for(person, terminal_id)
    except SiteError:
        raise Refused(CloseCode.UNKNOWN, "There is no such terminal.") from None
    session = _session_of(terminal)
    check_state(session, terminal)
    return Grant(
        identity=identity,
        session_id=session.pk,
        machine_id=terminal.machine.pk,
        machine_name=terminal.machine.name,
        terminal_id=terminal.pk,
        seen=last_event(session.pk),
        standing=standing_notices(session),
    )


def standing_notices(session: Session) -> list[Mapping[str, object]]:
    """What clients of its terminals were warned of before, and whoever comes now has to be."""
    now = timezone.now()
    return [
        *({"type": "expiring", **expiry.told(now)} for expiry in standing(session, now)),
        *({"type": "warning", **told} for told in limit_warnings.standing(session.pk)),
    ]


def _session_of(terminal: Terminal) -> Session:
    session = terminal.machine.session
    assert session is not None
    return session


def check_state(session: Session, terminal: Terminal) -> None:
    """Raises Refused unless the terminal can be had now."""
    if session.state in (SessionState.STOPPING, SessionState.ENDED):
        raise Refused(CloseCode.ENDED, short(session.message or "The session has ended."))
    if session.state == SessionState.PAUSED:
        raise Refused(CloseCode.NOT_RUNNING, PAUSED)
    if session.state != SessionState.RUNNING or terminal.machine.state != MachineState.READY:
        raise Refused(CloseCode.NOT_RUNNING, "The session is not running.")


async def terminal_socket(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """One browser or program at one terminal, until it goes away, its right is revoked, or the terminal ends."""
    if (await receive())["type"] != "websocket.connect":
        return
    offered = scope.get("subprotocols") or []
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if SUBPROTOCOL in offered else None})
    try:
        query = query_of(scope["query_string"])
        grant = await grant_of(scope, query.ticket, scope["url_route"]["kwargs"]["terminal_id"])
        async with (
            connections.admitted(grant.identity, grant.terminal_id) as connection,
            news.followed(grant.session_id, grant.seen) as follower,
        ):
            for told in grant.standing:
                follower.tell(told)
            wish = Wish(
                terminal_id=grant.terminal_id.hex,
                public_id=str(grant.terminal_id),
                machine=grant.machine_name,
                role=query.role,
                offset=query.offset,
                size=query.size,
                client=query.client,
            )
            door = Door(grant.session_id, grant.machine_id)
            relaying = relay(receive, door.truthful(follower.after_greeting(send)), wish, door)
            await served(relaying, connection.revoked, follower.deliver(send))
        if connection.revoked.is_set():
            raise Refused(CloseCode.NOT_AUTHENTICATED, "Your access was revoked.")
    except Refused as refused:
        await send({"type": "websocket.close", "code": int(refused.code), "reason": str(refused)})


async def served(
    relaying: Coroutine[Any, Any, None], revoked: asyncio.Event, delivering: Coroutine[Any, Any, None]
) -> None:
    """Runs the relay until it ends by itself, or the right is revoked: then whoever gave it says why."""
    tasks = [
        asyncio.create_task(relaying),
        asyncio.create_task(revoked.wait()),
        asyncio.create_task(delivering),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended, *_ = await asyncio.gather(*tasks, return_exceptions=True)
    if isinstance(ended, Exception) and not revoked.is_set():
        raise ended
