"""Whether the processes of a site that a test has started can be used yet."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx

START_SECONDS = 120.0


def wait_for(name: str, process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Callable[[str], str]) -> None:
    """Until it is ready. Raises AssertionError, with its log, when it has ended or takes too long."""
    until = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"{name} did not start:\n{log(name)}")
        time.sleep(0.05)


def valkey_answers(path: Path) -> bool:
    """On its Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def web_answers(url: str) -> bool:
    """Whether it says 200 there."""
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.TransportError:
        return False
