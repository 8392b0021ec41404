"""Whether a guest may still be there, and what they may do. Reads alone; the one place that decides it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from playground.errors import SiteError
from playground.sessions.models import Session
from playground.sessions.states import SessionState
from playground.sharing.errors import GuestRemoved, GuestUnknown, LinkOver
from playground.sharing.limits import ASK_AGAIN
from playground.sharing.models import Guest, GuestState, Role, ShareLink

_OVER = (SessionState.STOPPING, SessionState.ENDED)


def check_link(link: ShareLink, session: Session, now: datetime) -> None:
    """Raises LinkOver, with the reason, unless the link lets people in."""
    if session.state in _OVER:
        raise LinkOver("The session has ended.")
    if link.revoked_at is not None:
        raise LinkOver("The link was revoked by the session's owner.")
    if link.expires_at is not None and link.expires_at <= now:
        raise LinkOver("The link's time is over.")


def role_of(guest: Guest, now: datetime) -> Role:
    """What this guest (with link, person and session) may do now. Raises LinkOver, GuestRemoved, GuestUnknown."""
    if guest.state == GuestState.LEFT:
        raise GuestUnknown("You have left this session.")
    if guest.session.state in _OVER:
        raise LinkOver("The session has ended.")
    if guest.state == GuestState.REMOVED:
        raise GuestRemoved("The session's owner has ended your visit.")
    if guest.link is not None:
        check_link(guest.link, guest.session, now)
    elif guest.person is None or not (guest.person.is_active and guest.person.is_staff):
        raise GuestRemoved("Your right to watch was taken back.")
    return Role.HELPER if guest.state == GuestState.HELPING else Role.OBSERVER


def is_asking(guest: Guest, now: datetime) -> bool:
    """Whether the owner has something to answer."""
    return guest.state == GuestState.ASKING and guest.asked_at is not None and guest.asked_at > now - ASK_AGAIN


def guests() -> QuerySet[Guest]:
    """With all that their standing depends on."""
    return Guest.objects.select_related("link", "person", "session")


def standings(guest_ids: Iterable[UUID]) -> dict[UUID, Role | SiteError]:
    """What each may do now, or why they may not be there. One query for all."""
    now = timezone.now()
    asked = set(guest_ids)
    found: dict[UUID, Role | SiteError] = {guest_id: GuestUnknown("You are no guest here.") for guest_id in asked}
    for guest in guests().filter(pk__in=asked):
        try:
            found[guest.pk] = role_of(guest, now)
        except SiteError as error:
            found[guest.pk] = error
    return found
