"""What every request passes before its view: who is it, how often do they come, was it answered before?

All of that costs two trips to the database thread at most, and one to Valkey.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

from playground.accounts.identify import key_of_headers, person_of_cookies
from playground.accounts.keys import find_key
from playground.accounts.models import User
from playground.accounts.sockets import Identity
from playground.api import idempotency
from playground.api.errors import CsrfFailed, NotAuthenticated, RateLimited, UnsupportedMediaType
from playground.api.idempotency import Attempt
from playground.api.problems import answer_to
from playground.api.rate_limits import PERSON_LIMIT, STRANGER_LIMIT, Allowance, take
from playground.api.request import ApiRequest, body_of
from playground.database import in_database
from playground.errors import SiteError

Run = Callable[..., Awaitable[HttpResponseBase]]
View = TypeVar("View", bound=Callable[..., object])

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_CLAIMS_ITSELF = "_claims_itself"


def claims_itself(view: View) -> View:
    """Marks a view that claims the Idempotency-Key in the transaction that makes what it makes."""
    setattr(view, _CLAIMS_ITSELF, True)
    return view


def gate(run: Run) -> Run:
    """Wraps an operation: no view behind it is reached by a stranger, too often, or twice with one Idempotency-Key."""
    operation = run.__self__  # type: ignore[attr-defined]  # ninja hands over the operation's own bound method
    claims = not getattr(operation.view_func, _CLAIMS_ITSELF, False)

    @wraps(run)
    async def guarded(request: HttpRequest, **values: object) -> HttpResponseBase:
        allowance: Allowance | None = None
        try:
            person, identity = await _person(request)
            allowance = await take(f"person:{person.pk}", PERSON_LIMIT)
            if allowance.exceeded:
                raise RateLimited(retry_after=allowance.reset)
            api_request = cast(ApiRequest, request)
            api_request.person, api_request.identity = person, identity
            response = await _answer(run, api_request, values, claims)
        except Exception as error:
            response = answer_to(request, error)
        for name, value in (allowance.headers() if allowance else {}).items():
            response[name] = value
        return response

    return guarded


async def _person(request: HttpRequest) -> tuple[User, Identity]:
    try:
        return await in_database(_identify)(request)
    except SiteError as error:
        strangers = await take(f"address:{request.META.get('REMOTE_ADDR', '')}", STRANGER_LIMIT)
        if strangers.exceeded:
            raise RateLimited(retry_after=strangers.reset) from error
        raise


def _identify(request: HttpRequest) -> tuple[User, Identity]:
    """A key that was sent decides alone: a wrong one is not made good by a cookie."""
    text = key_of_headers(request.headers.get("Authorization"), request.headers.get("X-API-Key"))
    if text is not None:
        key = find_key(text)
        if key is None:
            raise NotAuthenticated
        return key.user, Identity(key.user_id, key_id=key.id)
    person = person_of_cookies(request.COOKIES)
    if person is None:
        raise NotAuthenticated
    if request.method not in _SAFE:
        _check_csrf(request)
    return person, Identity(person.pk, cookie=request.COOKIES[settings.SESSION_COOKIE_NAME])


class _Csrf(CsrfViewMiddleware):
    """Django's own check, without the page that it would answer with."""

    def _reject(self, _request: HttpRequest, _reason: str) -> HttpResponseForbidden:
        return HttpResponseForbidden()


def _view() -> HttpResponse:
    """Stands for a view that the check is not to leave out."""
    return HttpResponse()


def _check_csrf(request: HttpRequest) -> None:
    check = _Csrf(lambda _request: HttpResponseForbidden())
    check.process_request(request)
    if check.process_view(request, _view, (), {}) is not None:
        raise CsrfFailed


async def _answer(run: Run, request: ApiRequest, values: dict[str, object], claims: bool) -> HttpResponseBase:
    request.attempt = None
    if request.method in ("POST", "PATCH"):
        _check_media_type(request)
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    if key is None:
        return await run(request, **values)
    attempt, answered = await in_database(_begin)(request, key, claims)
    if answered is not None:
        return answered
    request.attempt = attempt
    response = await run(request, **values)
    await in_database(attempt.finish)(response)
    return response


def _begin(request: ApiRequest, key: str, claims: bool) -> tuple[Attempt, HttpResponse | None]:
    attempt = idempotency.begin(
        request.person, key, method=str(request.method), path=request.get_full_path(), body=body_of(request)
    )
    answered = attempt.answer()
    if attempt.record is None and claims:
        attempt.claim()
    return attempt, answered


def _check_media_type(request: HttpRequest) -> None:
    if body_of(request) and request.content_type != "application/json":
        raise UnsupportedMediaType
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType
