"""The relay under a real uvicorn, without the site: `/MACHINE/TERMINAL?offset=&client=&cols=&rows=&role=`."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from runtime.asgi import Receive, Send
from runtime.engines.base import Stream
from runtime.terminal.closing import CloseCode
from runtime.terminal.messages import SUBPROTOCOL, Role
from runtime.terminal.relay import Ending, Wish, relay
from runtime.terminal.socket_protocol import BoundedWebSocketProtocol
from tests.support.waiting import until

Dial = Callable[[str], Awaitable[Stream]]


class RelayServer:
    """A site that lets everybody in."""

    def __init__(self, dial: Dial) -> None:
        self.dial = dial
        self.ending = Ending(CloseCode.COME_BACK, "The machine can't be reached just now.")
        """What `explain` says."""
        self.inputs = 0
        self.open = 0
        self.url = ""
        self.uvicorn: uvicorn.Server | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        _, machine_id, terminal_id = scope["path"].split("/")
        self.open += 1
        try:
            await relay(receive, send, _wish(terminal_id, scope["query_string"]), _Site(self, machine_id))
        finally:
            self.open -= 1


class _Site:
    def __init__(self, server: RelayServer, machine_id: str) -> None:
        self._server = server
        self._machine_id = machine_id

    async def dial(self) -> Stream:
        return await self._server.dial(self._machine_id)

    async def explain(self) -> Ending:
        return self._server.ending

    def active(self) -> None:
        self._server.inputs += 1


def _wish(terminal_id: str, query: bytes) -> Wish:
    values = dict(parse_qsl(query.decode()))
    size = (int(values["cols"]), int(values["rows"])) if "cols" in values else None
    return Wish(
        terminal_id=terminal_id,
        public_id=f"public-{terminal_id}",
        machine="main",
        role=Role(values.get("role", "control")),
        offset=int(values["offset"]) if "offset" in values else None,
        size=size,
        client=int(values.get("client", 0)),
    )


@asynccontextmanager
async def relay_server(dial: Dial) -> AsyncIterator[RelayServer]:
    """Serves in this event loop, as the site configures uvicorn; at the end no socket of it may be open."""
    server = RelayServer(dial)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server.url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        server,
        ws=BoundedWebSocketProtocol,
        ws_max_size=66 * 1024,
        ws_per_message_deflate=False,
        ws_ping_timeout=None,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=3,
    )
    server.uvicorn = uvicorn.Server(config)
    serving = asyncio.create_task(server.uvicorn.serve(sockets=[listener]))
    try:
        yield server
    finally:
        server.uvicorn.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
        listener.close()

    async def is_quiet() -> bool:
        return server.open == 0

    await until(is_quiet, "no socket is being relayed any more")
