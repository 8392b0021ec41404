"""Answers the API by itself, before the middleware of pages.

Each of those is synchronous and would cost two hops to another thread per request, for things that the API does not use
(messages, page redirects, cookies written). What it does use, it asks for itself: see `gate`.
"""

import re
import secrets
from collections.abc import Awaitable, Callable

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

from playground.api.errors import MethodNotAllowed
from playground.api.problems import answer_to

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

_API = "/api/"
_PAGES = frozenset({"/api/v1/docs"})
_PROBES = frozenset({"/api/v1/healthz", "/api/v1/readyz"})
_CLIENTS_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_of_api(path: str) -> bool:
    """Whether what is there answers programs, and not with a page."""
    return path.startswith(_API) and path not in _PAGES


class ApiMiddleware:
    """Gives every request an id, and answers what is beneath `/api/`: always JSON, whatever goes wrong."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """One request."""
        request_id = _request_id(request)
        setattr(request, "request_id", request_id)  # noqa: B010  # HttpRequest declares no such attribute
        if is_of_api(request.path):
            response = await self._answer(request)
        else:
            response = await self.get_response(request)
        response["X-Request-ID"] = request_id
        return response

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            if request.path not in _PROBES:
                # Raises for a host that is not ours; probes come by address.
                request.get_host()
            match = resolve(request.path_info)
            request.resolver_match = match
            response = match.func(request, *match.args, **match.kwargs)
            if isinstance(response, Awaitable):
                response = await response
        except Exception as error:
            response = answer_to(request, error)
        if response.status_code == 405 and response["Content-Type"] != "application/problem+json":
            allow = response["Allow"]
            response = answer_to(request, MethodNotAllowed())
            response["Allow"] = allow
        for name, value in _HEADERS.items():
            response.setdefault(name, value)
        response.setdefault("Cache-Control", "no-store")
        if isinstance(response, HttpResponse):
            response.setdefault("Content-Length", str(len(response.content)))
        assert isinstance(response, HttpResponseBase)
        return response


def _request_id(request: HttpRequest) -> str:
    """The client's own, when it is a plain one, so that a proxy's log and ours name a request alike."""
    theirs = request.headers.get("X-Request-ID", "")
    return theirs if _CLIENTS_ID.fullmatch(theirs) else secrets.token_hex(8)
