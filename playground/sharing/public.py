"""How links and guests look to the owner, and a session to its guests."""

from datetime import datetime
from typing import TypedDict

from django.conf import settings
from django.utils import timezone

from playground.errors import SiteError
from playground.sessions.models import Session
from playground.sessions.public import PublicTerminal, instant, public_session
from playground.sharing.limits import HERE
from playground.sharing.models import Guest, Role, ShareLink
from playground.sharing.standing import check_link, is_asking, role_of


class PublicLink(TypedDict):
    id: str
    role: str
    made_by: str
    created_at: str | None
    expires_at: str | None
    is_open: bool
    url: str | None


class PublicGuest(TypedDict):
    id: str
    name: str
    role: str
    is_asking: bool
    is_administrator: bool
    is_here: bool
    link: str | None
    since: str | None
    seen_at: str | None


class SharedSession(TypedDict):
    """What a guest sees of a session: enough for its terminals, and no more."""

    id: str
    name: str
    owner: str
    state: str
    message: str
    is_recorded: bool
    terminals: list[PublicTerminal]


class PublicVisit(TypedDict):
    session: SharedSession
    name: str
    role: str
    may_ask: bool
    is_asking: bool
    until: str | None


def address_of(token: str) -> str:
    """Where the link leads. What is behind `#` is sent to nobody, and so stands in no log of a proxy or of ours."""
    return f"{settings.PLAYGROUND_URL}/join#{token}"


def public_link(link: ShareLink, session: Session, token: str | None = None) -> PublicLink:
    """As its owner sees it; with its address, where that is known: once."""
    try:
        check_link(link, session, timezone.now())
    except SiteError:
        is_open = False
    else:
        is_open = True
    return {
        "id": str(link.pk),
        "role": link.role,
        "made_by": link.made_by.get_username(),
        "created_at": instant(link.created_at),
        "expires_at": instant(link.expires_at),
        "is_open": is_open,
        "url": None if token is None else address_of(token),
    }


def public_guest(guest: Guest, now: datetime) -> PublicGuest:
    """As the owner sees them. Raises LinkOver, GuestRemoved, GuestUnknown for one who may not be there."""
    return {
        "id": str(guest.pk),
        "name": guest.name,
        "role": role_of(guest, now).value,
        "is_asking": is_asking(guest, now),
        "is_administrator": guest.link_id is None,
        "is_here": guest.seen_at > now - HERE,
        "link": None if guest.link_id is None else str(guest.link_id),
        "since": instant(guest.created_at),
        "seen_at": instant(guest.seen_at),
    }


def _for_guests(terminal: PublicTerminal) -> PublicTerminal:
    address = terminal["websocket_url"].replace("/ws/v1/terminals/", "/ws/v1/guest/terminals/")
    return {**terminal, "websocket_url": address}


def public_visit(guest: Guest) -> PublicVisit:
    """As the guest's own page sees it. Raises LinkOver, GuestRemoved, GuestUnknown."""
    now = timezone.now()
    role = role_of(guest, now)
    session = public_session(guest.session)
    terminals = [_for_guests(terminal) for terminal in session["terminals"]]
    return {
        "session": {
            "id": session["id"],
            "name": session["name"],
            "owner": guest.session.owner.get_username(),
            "state": session["state"],
            "message": session["message"],
            "is_recorded": session["is_recorded"],
            "terminals": terminals,
        },
        "name": guest.name,
        "role": role.value,
        "may_ask": role == Role.OBSERVER and (guest.link is None or guest.link.role == Role.HELPER),
        "is_asking": is_asking(guest, now),
        "until": None if guest.link is None else instant(guest.link.expires_at),
    }
