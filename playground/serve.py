"""One web process: `python -m playground.serve --port 8000`. Several share the port, and each can die by itself."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence

import uvicorn

from runtime.priority import prefer
from runtime.terminal.socket_protocol import BoundedWebSocketProtocol

STOP_SECONDS = 4
"""How long a request may take to end after SIGTERM. Sockets are closed with 1012 before that: clients come back."""
LARGEST_MESSAGE = 256 * 1024
"""Bytes of one WebSocket message. To more than a quarter of it the relay says 4400; beyond this it is 1009, unread."""
PING_SECONDS = 20.0
UNREACHABLE_SECONDS = 60
"""A peer that the kernel could deliver nothing to for this long is gone.

That finds the dead, not a pong: while a program does not read its input, we do not read the socket, so a healthy
client's pong would not be seen, and its connection would be cut every other ping.
"""
WAITING_CONNECTIONS = 1024
KEEP_ALIVE_SECONDS = 75
"""Longer than programs and proxies keep an idle connection (nginx: 60 s): when we close first, their next request may
meet a connection that is just being closed, and nobody knows whether it was heard."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket of a port that other processes of ours may bind as well: the kernel shares out connections.

    Raises OSError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted connections inherit it
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREACHABLE_SECONDS * 1000)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def configuration() -> uvicorn.Config:
    """How uvicorn runs the site. Addresses from X-Forwarded-For are believed of PLAYGROUND_PROXIES alone."""
    proxies = os.environ.get("PLAYGROUND_PROXIES", "")
    return uvicorn.Config(
        "playground.asgi:application",
        loop="uvloop",
        http="httptools",
        ws=BoundedWebSocketProtocol,
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=None,
        lifespan="off",
        access_log=False,
        log_config=None,
        # It would log the address of every socket, and with it the ticket.
        log_level="warning",
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        backlog=WAITING_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def main(arguments: Sequence[str]) -> None:
    """Serves until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m playground.serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    try:
        bound = listening_socket(options.host, options.port)
    except OSError as error:
        sys.exit(f"{options.host}:{options.port}: {error.strerror}")
    prefer()
    uvicorn.Server(configuration()).run(sockets=[bound])


if __name__ == "__main__":
    main(sys.argv[1:])
