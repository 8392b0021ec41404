"""Reads about links and guests."""

from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone

from playground.errors import SiteError
from playground.sessions.models import Session
from playground.sharing.errors import GuestUnknown, LinkUnknown
from playground.sharing.limits import LINKS
from playground.sharing.models import PRESENT, Guest, ShareLink
from playground.sharing.standing import guests, role_of
from playground.tokens import digest_of

MOST_LISTED = 200


def cookie_name(session_id: UUID) -> str:
    """Of the cookie by which a guest of that session shows itself: each session has its own."""
    return f"playground_guest_{session_id.hex}"


def guest_of_cookies(cookies: Mapping[str, str], session_id: UUID) -> Guest:
    """Whoever this browser is in that session, whether they may still be there or not. Raises GuestUnknown."""
    token = cookies.get(cookie_name(session_id))
    guest = guests().filter(digest=digest_of(token), session_id=session_id).first() if token else None
    if guest is None:
        raise GuestUnknown("This browser is no guest of this session. Open the link that you were given.")
    return guest


def link_of_token(token: str) -> ShareLink:
    """With its session and the session's owner. Raises LinkUnknown."""
    links = ShareLink.objects.select_related("session__owner")
    link = links.filter(digest=digest_of(token)).first()
    if link is None:
        raise LinkUnknown("There is no such link. Copy all of it, up to its last character.")
    return link


def links_of(session: Session) -> list[ShareLink]:
    """The session's newest ones, oldest first; also those that are over."""
    return list(
        ShareLink.objects.filter(session=session).select_related("made_by").order_by("-created_at")[: 2 * LINKS]
    )[::-1]


def guests_of(session: Session) -> list[Guest]:
    """Those who may be there, whether their page is open now or not; in the order in which they came."""
    now = timezone.now()
    found = []
    for guest in guests().filter(session=session, state__in=PRESENT).order_by("-seen_at")[:MOST_LISTED]:
        try:
            role_of(guest, now)
        except SiteError:
            continue
        found.append(guest)
    return sorted(found, key=lambda guest: (guest.created_at, guest.pk))
