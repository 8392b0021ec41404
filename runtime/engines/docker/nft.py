"""Asking `nft`, the one program that changes the host's packet filter in one step."""

import asyncio
import json
import subprocess

from runtime.engines.docker.programs import program
from runtime.engines.docker.ruleset import Held, read
from runtime.errors import CapabilityUnavailable, EngineUnavailable

SECONDS = 20.0
ABSENT = "No such file or directory"


class FilterUnavailable(CapabilityUnavailable):
    """This host's packet filter can't be changed from here, and why."""


async def apply(script: str) -> None:
    """All of it, or nothing. Raises FilterUnavailable, EngineUnavailable."""
    await _run(["-f", "-"], script.encode())


async def held(table: str) -> Held | None:
    """What the kernel has of a table; None when it has none. Raises FilterUnavailable, EngineUnavailable."""
    try:
        return read(json.loads(await _run(["--json", "list", "table", *table.split()], b"")))
    except FilterUnavailable as error:
        if ABSENT in str(error):
            return None
        raise


async def _run(arguments: list[str], given: bytes) -> bytes:
    # In a thread: the loop need not be the main thread's, where alone some loops can wait for children.
    return await asyncio.to_thread(_run_here, arguments, given)


def _run_here(arguments: list[str], given: bytes) -> bytes:
    path = program("nft")
    if path is None:
        raise FilterUnavailable("The program nft is not installed (Debian: apt-get install nftables).")
    try:
        done = subprocess.run([path, *arguments], input=given, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        # As with an engine that is slow: it may have been done, and another try may find out.
        raise EngineUnavailable(f"The packet filter does not answer within {SECONDS:.0f} seconds.") from error
    except OSError as error:
        raise FilterUnavailable(f"The program nft can't be run: {error.strerror}.") from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines() or [f"status {done.returncode}"]
        raise FilterUnavailable(f"The packet filter can't be changed: {words[0][:200]}")
    return done.stdout
