"""API keys: `pg_<prefix>_<secret>`. The prefix finds the row, the secret proves it; only its digest is kept."""

import re
import secrets
import uuid
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from playground.accounts.models import ApiKey, User
from playground.errors import SiteError
from playground.tokens import digest_of

MOST_KEYS = 50
"""Keys in use that one person may hold."""
USE_IS_NOTED_EVERY = timedelta(minutes=1)

_SHAPE = re.compile(r"pg_([0-9a-f]{12})_([A-Za-z0-9-]{20,64})", re.ASCII)


class TooManyKeys(SiteError):
    """One person holds as many keys as they may."""

    code = "too_many_keys"
    status = 409


def create_key(user: User, name: str) -> tuple[ApiKey, str]:
    """A new key of this person: its row, and the key itself, which nobody can read again. Raises TooManyKeys."""
    if user.api_keys.filter(revoked_at=None).count() >= MOST_KEYS:
        raise TooManyKeys(f"A person may hold {MOST_KEYS} keys: revoke one first.")
    prefix, secret = secrets.token_hex(6), secrets.token_hex(32)
    row = ApiKey.objects.create(user=user, name=name, prefix=prefix, digest=digest_of(secret))
    return row, f"pg_{prefix}_{secret}"


def find_key(text: str) -> ApiKey | None:
    """The key with its person, or None when it is malformed, unknown, revoked, or its person may not sign in."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    prefix, secret = shape.groups()
    try:
        key = ApiKey.objects.select_related("user").get(prefix=prefix, revoked_at=None)
    except ApiKey.DoesNotExist:
        key = None
    # The comparison is made for an unknown prefix too, so that the time taken does not tell which prefixes exist.
    known = secrets.compare_digest(digest_of(secret), key.digest if key else "0" * 64)
    if key is None or not known or not key.user.is_active:
        return None
    _note_use(key)
    return key


def revoke_key(user: User, key_id: uuid.UUID) -> bool:
    """Ends this person's key; False when they have no such key in use."""
    return user.api_keys.filter(id=key_id, revoked_at=None).update(revoked_at=timezone.now()) == 1


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    stale = now - USE_IS_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at < stale:
        rows = ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=stale), id=key.id)
        rows.update(last_used_at=now)
