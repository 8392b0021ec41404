"""What owners, guests and administrators do about sharing: the only writer. Each is one short transaction.

Whatever changes is a line in the session's history, and so reaches the owner's page at once.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from playground.accounts.models import User
from playground.errors import SiteError
from playground.sessions.errors import SessionNotRunning
from playground.sessions.events import record
from playground.sessions.models import Session
from playground.sessions.states import SessionState
from playground.sessions.transitions import load
from playground.sharing import limits
from playground.sharing.errors import (
    AskedTooOften,
    GuestRemoved,
    GuestUnknown,
    MayOnlyWatch,
    TooManyGuests,
    TooManyHelpers,
    TooManyLinks,
)
from playground.sharing.models import PRESENT, Guest, GuestState, Role, ShareLink
from playground.sharing.names import checked_name
from playground.sharing.standing import guests, role_of
from playground.tokens import new_token


def make_link(person: User, session: Session, role: Role, ttl_seconds: int | None) -> tuple[ShareLink, str]:
    """A link and its token, which nobody can read again. Raises SessionNotRunning, TooManyLinks."""
    token, digest = new_token()
    with transaction.atomic():
        current = _locked(session.pk)
        if current.state in (SessionState.STOPPING, SessionState.ENDED):
            raise SessionNotRunning("The session has ended.")
        now = timezone.now()
        in_use = ShareLink.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), session=current, revoked_at=None)
        if in_use.count() >= limits.LINKS:
            raise TooManyLinks(f"A session has at most {limits.LINKS} links: revoke one first.")
        link = ShareLink.objects.create(
            session=current,
            role=role,
            digest=digest,
            made_by=person,
            created_at=now,
            expires_at=None if ttl_seconds is None else now + timedelta(seconds=ttl_seconds),
        )
        _tell(current.pk, "share_link_made", link=str(link.pk), role=role.value, by=person.get_username())
    return link, token


def revoke_link(person: User, session: Session, link_id: UUID) -> None:
    """Ends the link, and with it the visits of all who came by it. Also when that was done before."""
    with transaction.atomic():
        links = ShareLink.objects.filter(pk=link_id, session=session, revoked_at=None)
        if links.update(revoked_at=timezone.now()):
            _tell(session.pk, "share_link_revoked", link=str(link_id), by=person.get_username())


def enter(link: ShareLink, name: str, before: Guest | None) -> tuple[Guest, str]:
    """A new guest and their cookie; `before` is who the browser was until now.

    Raises InvalidRequest, LinkOver, TooManyGuests, GuestRemoved: whoever was sent away does not come back by that link.
    """
    checked = checked_name(name)
    if before is not None and before.link_id == link.pk and before.state == GuestState.REMOVED:
        raise GuestRemoved("The session's owner has ended your visit.")
    return _enter(link.session_id, before, link=link, name=checked)


def enter_by_right(person: User, session: Session, role: Role, before: Guest | None) -> tuple[Guest, str]:
    """An administrator comes in; the owner sees it like any other visit. Raises LinkOver, TooManyGuests."""
    state = GuestState.HELPING if role == Role.HELPER else GuestState.WATCHING
    return _enter(session.pk, before, person=person, name=person.get_username()[:40], state=state)


def _enter(session_id: UUID, before: Guest | None, **values: object) -> tuple[Guest, str]:
    token, digest = new_token()
    with transaction.atomic():
        current = _locked(session_id)
        now = timezone.now()
        if before is not None:
            leave(before)
        here = Guest.objects.filter(session=current, state__in=PRESENT, seen_at__gt=now - limits.HERE)
        if here.count() >= limits.GUESTS:
            raise TooManyGuests(f"{limits.GUESTS} people watch this session already.", retry_after=30)
        guest = Guest(session=current, digest=digest, created_at=now, seen_at=now, **values)
        if guest.link is not None:
            guest.link.refresh_from_db()
        role = role_of(guest, now)
        if role == Role.HELPER:
            _check_helpers(current.pk)
        guest.save(force_insert=True)
        _tell_of(guest, "guest_joined", role=role.value)
    return guest, token


def ask(guest: Guest) -> None:
    """The guest asks to type; who may already has nothing to ask.

    Raises LinkOver, GuestRemoved, GuestUnknown, MayOnlyWatch, AskedTooOften.
    """
    now = timezone.now()
    if role_of(guest, now) == Role.HELPER:
        return
    if guest.link is not None and guest.link.role != Role.HELPER:
        raise MayOnlyWatch("This link lets people watch. Ask the owner for one that lets them help.")
    with transaction.atomic():
        lately = Q(asked_at__gt=now - limits.ASK_AGAIN)
        rows = Guest.objects.filter(~lately | Q(asked_at=None), pk=guest.pk, state__in=PRESENT)
        if not rows.exclude(state=GuestState.HELPING).update(state=GuestState.ASKING, asked_at=now):
            raise AskedTooOften("You have asked a moment ago. Wait a minute.", retry_after=60)
        _tell_of(guest, "guest_asks")


def set_role(person: User, session: Session, guest_id: UUID, role: Role) -> Guest:
    """Lets a guest type, or only watch; also the answer to one who asks. Raises GuestUnknown, TooManyHelpers."""
    with transaction.atomic():
        current = _locked(session.pk)
        guest = _present(current, guest_id)
        target = GuestState.HELPING if role == Role.HELPER else GuestState.WATCHING
        if role == Role.HELPER and guest.state != target:
            _check_helpers(current.pk)
        if guest.state != target:
            if not _move(guest.pk, target):
                raise GuestUnknown("There is no such guest.")
            guest.state = target
            _tell_of(guest, "guest_role", role=role.value, by=person.get_username())
    return guest


def remove(person: User, session: Session, guest_id: UUID) -> None:
    """Sends a guest away. Also when they have gone already."""
    with transaction.atomic():
        guest = Guest.objects.filter(pk=guest_id, session=session).first()
        if guest is not None and _move(guest.pk, GuestState.REMOVED):
            _tell_of(guest, "guest_removed", by=person.get_username())


def leave(guest: Guest) -> None:
    """The guest goes, of their own accord. Also when they have gone already."""
    with transaction.atomic():
        if _move(guest.pk, GuestState.LEFT):
            _tell_of(guest, "guest_left")


def note_seen(guest_ids: Iterable[UUID]) -> None:
    """They are there. Cheap to call often."""
    now = timezone.now()
    Guest.objects.filter(pk__in=list(guest_ids), seen_at__lt=now - limits.SEEN_RESOLUTION).update(seen_at=now)


def note_gone(guest_id: UUID) -> None:
    """Their last terminal here was closed: unless another one says otherwise, they are not there any more."""
    Guest.objects.filter(pk=guest_id).update(seen_at=timezone.now() - limits.HERE)


def _locked(session_id: UUID) -> Session:
    """The session, which others who count or let in wait for. SQLite has one writer at a time anyway."""
    return Session.objects.select_for_update().get(pk=session_id)


def _present(session: Session, guest_id: UUID) -> Guest:
    """A guest who may be there. Raises GuestUnknown."""
    guest = guests().filter(pk=guest_id, session=session).first()
    if guest is None:
        raise GuestUnknown("There is no such guest.")
    try:
        role_of(guest, timezone.now())
    except SiteError:
        raise GuestUnknown("There is no such guest any more.") from None
    return guest


def _check_helpers(session_id: UUID) -> None:
    here = Guest.objects.filter(session_id=session_id, seen_at__gt=timezone.now() - limits.HERE)
    if here.filter(state=GuestState.HELPING).count() >= limits.HELPERS:
        raise TooManyHelpers(f"{limits.HELPERS} guests may type already: let one of them only watch first.")


def _move(guest_id: UUID, target: GuestState) -> bool:
    """Compare-and-set: nobody who was sent away or has left comes back."""
    return bool(Guest.objects.filter(pk=guest_id, state__in=PRESENT).exclude(state=target).update(state=target))


def _tell_of(guest: Guest, kind: str, **data: object) -> None:
    by_right = guest.link_id is None
    _tell(guest.session_id, kind, guest=str(guest.pk), name=guest.name, is_administrator=by_right, **data)


def _tell(session_id: UUID, kind: str, **data: object) -> None:
    record(load(session_id), kind, data)
