"""Who opens a socket, and whether they may still have it later on."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sessions.models import Session as BrowserSession
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils import timezone

from playground.accounts.identify import key_of_headers, person_of_cookies
from playground.accounts.keys import find_key
from playground.accounts.models import ApiKey, User


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, and by what they came: a key, or the site's cookie."""

    person_id: int
    key_id: uuid.UUID | None = None
    cookie: str | None = None


class ForeignOrigin(Exception):
    """The browser says that another site's page opens this socket."""


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an ASGI scope by lower-case name; of repeated ones the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def identify(scope: Mapping[str, Any]) -> tuple[User, Identity] | None:
    """The person behind a key or the site's cookie, or None. Synchronous.

    Raises ForeignOrigin when it is the cookie that speaks: browsers send it whichever page opens the socket.
    """
    headers = headers_of(scope)
    text = key_of_headers(headers.get("authorization"), headers.get("x-api-key"))
    if text is not None:
        key = find_key(text)
        return (key.user, Identity(key.user_id, key_id=key.id)) if key else None
    cookies = parse_cookie(headers.get("cookie", ""))
    cookie = cookies.get(settings.SESSION_COOKIE_NAME)
    if cookie is None:
        return None
    if not is_own_origin(headers.get("origin"), headers.get("host", "")):
        raise ForeignOrigin
    person = person_of_cookies(cookies)
    return (person, Identity(person.pk, cookie=cookie)) if person else None


def is_own_origin(origin: str | None, host: str) -> bool:
    """Whether the page is the site's own: of PLAYGROUND_URL, or of the allowed host that the request was sent to."""
    if not origin:
        return False
    if origin == settings.PLAYGROUND_URL:
        return True
    try:
        page = urlsplit(origin)
    except ValueError:
        return False
    domain, _ = split_domain_port(host.lower())
    return (
        page.scheme in ("http", "https")
        and page.netloc.lower() == host.lower()
        and bool(domain)
        and validate_host(domain, settings.ALLOWED_HOSTS)
    )


def still_valid(identities: Iterable[Identity]) -> set[Identity]:
    """Those whose person may sign in, and whose key or browser session has not been ended. Three queries for all."""
    asked = set(identities)
    people = {identity.person_id for identity in asked}
    keys = {identity.key_id for identity in asked if identity.key_id}
    cookies = {identity.cookie for identity in asked if identity.cookie}
    active = set(User.objects.filter(pk__in=people, is_active=True).values_list("pk", flat=True))
    good_keys = set(ApiKey.objects.filter(pk__in=keys, revoked_at=None).values_list("pk", flat=True)) if keys else set()
    good_cookies = _living(cookies) if cookies else set()
    return {
        identity
        for identity in asked
        if identity.person_id in active
        and (identity.key_id is None or identity.key_id in good_keys)
        and (identity.cookie is None or identity.cookie in good_cookies)
    }


def _living(cookies: set[str]) -> set[str]:
    rows = BrowserSession.objects.filter(session_key__in=cookies, expire_date__gt=timezone.now())
    return set(rows.values_list("session_key", flat=True))
