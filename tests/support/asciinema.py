"""The real asciinema, on a terminal of its own."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

ON_THAT_TERMINAL = 'exec "$@" <"$0" >"$0" 2>&1'
"""The first terminal that a new session opens is its own: asciinema looks for it at /dev/tty."""


def asciinema(*arguments: str, home: Path, within: float = 60.0) -> bytes:
    """All that it writes to its terminal, byte by byte. Fails when it does."""
    program = str(Path(sys.executable).parent / "asciinema")
    environment = {**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore", "TERM": "xterm"}
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    written = bytearray()
    until = time.monotonic() + within
    command = ["sh", "-c", ON_THAT_TERMINAL, os.ttyname(theirs), program, *arguments]
    try:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, env=environment) as process:
            while process.poll() is None:
                if time.monotonic() > until:
                    process.kill()
                select.select([ours], [], [], 0.1)
                written += _available(ours)
        written += _available(ours)
    finally:
        os.close(theirs)
        os.close(ours)
    assert process.returncode == 0, bytes(written[-2000:])
    return bytes(written)


def _available(terminal: int) -> bytes:
    found = b""
    try:
        while piece := os.read(terminal, 1 << 16):
            found += piece
    except BlockingIOError:
        pass
    return found
