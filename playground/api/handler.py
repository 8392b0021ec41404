"""Django's request handler, without threads for requests that need none."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.handlers.asgi import ASGIHandler

from playground.api.middleware import is_of_api

# As Django's types have them.
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Handler(ASGIHandler):
    """Pages run in a thread, each request in one that is made for it and ended after it. The API runs in none of them,
    and would wait for two to be made, only to be told there that its response is closed.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if is_of_api(scope["path"]):
            await self.handle(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
