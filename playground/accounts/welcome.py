"""One-time links: how the first administrator, and people without e-mail, come in and choose a password."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from playground.accounts.models import User, WelcomeLink

LIFETIME = timedelta(hours=24)
ADMINISTRATOR = "admin"


def administrator() -> User:
    """The first administrator; made without a usable password when there is none of that name."""
    user, created = User.objects.get_or_create(
        username=ADMINISTRATOR, defaults={"is_staff": True, "is_superuser": True, "password": "!"}
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def create_link(user: User) -> str:
    """The address of a new link for this person; their earlier unused links end."""
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    with transaction.atomic():
        user.welcome_links.filter(used_at=None).delete()
        WelcomeLink.objects.create(user=user, digest=_digest(token), expires_at=now + LIFETIME)
    return f"{settings.PLAYGROUND_URL}/welcome/{token}"


def open_link(token: str) -> User | None:
    """The person whose link this is, and the link is used up; None when it is unknown, used, or too old."""
    link = _open_links(token).select_related("user").first()
    # Two requests with the same link: the one that changes the row signs in.
    if link is None or not WelcomeLink.objects.filter(id=link.id, used_at=None).update(used_at=timezone.now()):
        return None
    return link.user


def is_open(token: str) -> bool:
    """Whether the link would sign somebody in. Changes nothing."""
    return _open_links(token).exists()


def _open_links(token: str) -> QuerySet[WelcomeLink]:
    return WelcomeLink.objects.filter(
        digest=_digest(token), used_at=None, expires_at__gt=timezone.now(), user__is_active=True
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
