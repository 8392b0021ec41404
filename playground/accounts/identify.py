"""Who sent this: the person behind a key or behind the site's cookie. Synchronous, one or two queries."""

from collections.abc import Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import cast

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from playground.accounts.keys import find_key
from playground.accounts.models import User


def person_of_cookies(cookies: Mapping[str, str]) -> User | None:
    """The active person whose browser session the cookie names, or None."""
    session_key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not session_key:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    # All that Django's function looks at is the session; a whole request would cost a middleware chain.
    user = get_user(cast(HttpRequest, SimpleNamespace(session=store)))
    return user if isinstance(user, User) and user.is_active else None


def key_of_headers(authorization: str | None, api_key: str | None) -> str | None:
    """The API key that the headers carry; "" when they carry something else; None when they carry nothing."""
    if authorization is not None:
        scheme, _, value = authorization.partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""
    return api_key


def somebody_sent(headers: Mapping[str, str]) -> bool:
    """Whether these headers, by lower-case name, are of a person whom we know; what they may do is not asked."""
    text = key_of_headers(headers.get("authorization"), headers.get("x-api-key"))
    if text is not None:
        return find_key(text) is not None
    return person_of_cookies(parse_cookie(headers.get("cookie", ""))) is not None
