"""What ASGI applications are called with: https://asgi.readthedocs.io/en/latest/specs/main.html."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
"""One event of a connection, as the other side meant it or as we mean it."""
Scope = MutableMapping[str, Any]
"""What a connection is: its path, headers, cookies."""
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
