"""A request as views of the API get it."""

from django.http import HttpRequest

from playground.accounts.models import User
from playground.accounts.sockets import Identity
from playground.api.idempotency import Attempt


class ApiRequest(HttpRequest):
    """What the gate adds. Never made by itself: it describes requests that passed the gate."""

    person: User
    identity: Identity
    """By what the person came; tickets are bound to it."""
    attempt: Attempt | None
    """The use of an Idempotency-Key, where there is one."""


def body_of(request: HttpRequest) -> bytes:
    """The whole body; small, because larger ones were refused before."""
    return request.body
