"""Reads. Whoever asks for one session goes through `access`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from playground.accounts.models import User
from playground.images.models import Image
from playground.sessions.models import Event, Machine, Profile, Session
from playground.sessions.states import SessionState


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of sessions ended: they are ordered by time of creation, newest first."""

    created_at: datetime
    id: UUID


def sessions_of(
    user: User,
    *,
    states: frozenset[SessionState] = frozenset(),
    image: str | None = None,
    metadata: Mapping[str, str] | None = None,
    after: Position | None = None,
    limit: int = 50,
) -> tuple[list[Session], Position | None]:
    """A page of the person's sessions, newest first, with all of each, and where it ended if there are more."""
    query = Session.objects.filter(owner_id=user.pk)
    if states:
        query = query.filter(state__in=states)
    if image is not None:
        query = query.filter(image_id=image)
    for key, value in (metadata or {}).items():
        query = query.filter(pk__in=_with_label(user, key, value))
    if after is not None:
        query = query.filter(Q(created_at__lt=after.created_at) | Q(created_at=after.created_at, id__lt=after.id))
    found = list(query.prefetch_related("machines__terminals")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], Position(last.created_at, last.pk)


def _with_label(user: User, key: str, value: str) -> list[UUID]:
    # Compared here: SQLite has no JSON containment, and paths into JSON read a key of digits as an index.
    rows = Session.objects.filter(owner_id=user.pk).exclude(metadata={}).values_list("pk", "metadata")
    return [pk for pk, metadata in rows if metadata.get(key) == value]


def catalogue() -> QuerySet[Image]:
    """Images that people may start, in the order to show them."""
    return Image.objects.filter(enabled=True)


def profiles() -> QuerySet[Profile]:
    """Profiles in the order to show them."""
    return Profile.objects.all()


def events_of(session: Session, *, after: int = 0, limit: int = 200) -> list[Event]:
    """The session's history, oldest first, from behind the event `after`."""
    return list(Event.objects.filter(session=session, pk__gt=after)[:limit])


def machine_of(session: Session, name: str) -> Machine | None:
    """The session's living machine of that name."""
    return next((machine for machine in session.machines.all() if machine.name == name and machine.is_live), None)
