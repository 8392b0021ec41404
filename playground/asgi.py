"""What the web server runs: pages and the API over HTTP, terminals and events over WebSockets."""

import os
from typing import Any, cast

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
django.setup(set_prefix=False)

# These need the applications that the line above has loaded.
from playground.api.body_limit import BodyLimit  # noqa: E402
from playground.api.handler import Handler  # noqa: E402
from playground.engine import make_engine  # noqa: E402
from playground.sessions.closing import CloseCode  # noqa: E402
from playground.sessions.consumers import events_socket  # noqa: E402
from playground.sessions.sockets import terminal_socket  # noqa: E402
from playground.sharing.sockets import guest_socket  # noqa: E402
from runtime.asgi import Application, Receive, Scope, Send  # noqa: E402

# They tidy up what a thread keeps from one request to the next, and each request would get a thread for them alone.
# Pages have one of their own, which ends with them; the API's calls of the database: see `playground.database`.
request_started.disconnect(reset_queries)
request_started.disconnect(close_old_connections)

# For what that imports, which takes half a second: nobody's first request should wait for it.
make_engine()


async def unknown_socket(_scope: Scope, receive: Receive, send: Send) -> None:
    """Any other address: accepted, then closed with a code, because browsers hide why a socket was refused."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": int(CloseCode.UNKNOWN), "reason": "There is nothing here."})


# Channels routes to ASGI applications with the functions that Django has for views.
application = ProtocolTypeRouter(
    {
        "http": BodyLimit(cast(Application, Handler())),
        "websocket": URLRouter(
            [
                path("ws/v1/terminals/<str:terminal_id>", cast(Any, terminal_socket)),
                path("ws/v1/guest/terminals/<str:terminal_id>", cast(Any, guest_socket)),
                path("ws/v1/events", cast(Any, events_socket)),
                re_path(r"", cast(Any, unknown_socket)),
            ]
        ),
    }
)
