"""HTTP over a Unix socket: the supervisor's and an engine's."""

import http.client
import socket
from urllib.parse import urlsplit


class UnixConnection(http.client.HTTPConnection):
    """Like its parent, to a path."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path
        self._seconds = seconds

    def connect(self) -> None:
        """Raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self._seconds)
        self.sock.connect(self._path)


def engine_connection(docker_host: str, seconds: float) -> http.client.HTTPConnection:
    """To the engine's API. `docker_host` is like unix:///var/run/docker.sock or tcp://host:2375."""
    parts = urlsplit(docker_host)
    if parts.scheme == "unix":
        return UnixConnection(parts.path, seconds)
    return http.client.HTTPConnection(parts.hostname or "localhost", parts.port or 2375, timeout=seconds)
