"""`/ws/v1/guest/terminals/{id}`: a terminal, for a guest. What is said on it is what is said on `/ws/v1/terminals`.

Only the guest's cookie opens it, from a page of our own. A guest never decides the size by coming, only by typing. Who
may not type and does all the same is cut off, and nobody else notices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.http.cookie import parse_cookie
from django.utils import timezone

from playground.accounts.sockets import headers_of, is_own_origin
from playground.database import in_database
from playground.errors import SiteError
from playground.sessions.closing import CloseCode, Refused, short
from playground.sessions.door import Door
from playground.sessions.models import Session, Terminal
from playground.sessions.news import last_event, news
from playground.sessions.sockets import SUBPROTOCOL, Query, check_state, query_of, served, standing_notices
from playground.sharing.models import Role
from playground.sharing.presence import Place, presence
from playground.sharing.selectors import guest_of_cookies
from playground.sharing.standing import role_of
from runtime.asgi import Receive, Send
from runtime.terminal.messages import Role as SocketRole
from runtime.terminal.relay import Wish, relay

NOT_FOR_GUESTS = frozenset({"watchers"})
"""Notices about who else is there are the owner's."""


@dataclass(frozen=True, slots=True)
class Visit:
    """That this guest may have this terminal, and as what."""

    place: Place
    machine_id: UUID
    machine_name: str
    seen: int
    """The session's last event so far."""
    standing: Sequence[Mapping[str, object]]
    """Warnings that its clients were given already, and this one was not."""

    def wish(self, query: Query) -> Wish:
        """What the relay is asked for; a helper may choose to only watch."""
        types = self.place.role == Role.HELPER and query.role == SocketRole.CONTROL
        return Wish(
            terminal_id=self.place.terminal_id.hex,
            public_id=str(self.place.terminal_id),
            machine=self.machine_name,
            role=SocketRole.CONTROL if types else SocketRole.OBSERVE,
            offset=query.offset,
            client=query.client if types else 0,
        )


async def guest_socket(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """One guest at one terminal, until they go away, may not be there any more, or the terminal ends."""
    if (await receive())["type"] != "websocket.connect":
        return
    offered = scope.get("subprotocols") or []
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if SUBPROTOCOL in offered else None})
    try:
        query = query_of(scope["query_string"])
        visit = await in_database(_visit)(scope, scope["url_route"]["kwargs"]["terminal_id"])
        place = visit.place
        async with (
            presence.admitted(place),
            news.followed(place.session_id, visit.seen, deaf_to=NOT_FOR_GUESTS) as follower,
        ):
            for told in visit.standing:
                follower.tell(told)
            door = Door(place.session_id, visit.machine_id)
            relaying = relay(receive, door.truthful(follower.after_greeting(send)), visit.wish(query), door)
            await served(relaying, place.over, follower.deliver(send))
        if place.why is not None:
            raise place.why
    except Refused as refused:
        await send({"type": "websocket.close", "code": int(refused.code), "reason": str(refused)})


def _visit(scope: Mapping[str, Any], terminal_id: str) -> Visit:
    """Raises Refused."""
    headers = headers_of(scope)
    if not is_own_origin(headers.get("origin"), headers.get("host", "")):
        raise Refused(CloseCode.FORBIDDEN, "This page is not of this site.")
    terminal = _terminal(terminal_id)
    session = cast(Session, terminal.machine.session)
    try:
        guest = guest_of_cookies(parse_cookie(headers.get("cookie", "")), session.pk)
        role = role_of(guest, timezone.now())
    except SiteError as error:
        raise Refused(CloseCode.NOT_AUTHENTICATED, short(str(error))) from None
    check_state(session, terminal)
    return Visit(
        place=Place(guest.pk, session.pk, terminal.pk, role),
        machine_id=terminal.machine.pk,
        machine_name=terminal.machine.name,
        seen=last_event(session.pk),
        standing=standing_notices(session),
    )


def _terminal(terminal_id: str) -> Terminal:
    """Raises Refused with what strangers are told of every terminal, there or not."""
    nobody = Refused(CloseCode.NOT_AUTHENTICATED, "You are no guest here. Open the link that you were given.")
    try:
        wanted = UUID(terminal_id)
    except ValueError:
        raise nobody from None
    terminals = Terminal.objects.select_related("machine__session").filter(machine__session__isnull=False)
    terminal = terminals.filter(pk=wanted).first()
    if terminal is None:
        raise nobody
    return terminal
