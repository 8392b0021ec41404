"""Output as a client that reads and acknowledges sees it: beside terminado, and beside the PTY read directly, in C."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import Installation
from tests.benchmarks.memory import web_seconds
from tests.benchmarks.raw_socket import RawLink, RawPlayground, RawTerminado, read_until
from tests.benchmarks.site import Session, Site

MEGABYTES = 50
ROUNDS = 3
COLUMNS = 78
BLOCK = 65_536
_DIRECT = Path(__file__).with_name("direct_pty.c")
LINES = f"yes {'x' * (COLUMNS - 1)} | head -n {MEGABYTES * 1_000_000 // COLUMNS}"
"""Each ends with \\n, which the terminal makes \\r\\n: one byte more."""
_COUNT = MEGABYTES * 1_000_000 // BLOCK
BLOCKS = f"perl -e '$b = (qq(x) x {BLOCK - 1}).qq(\\n); $n = {_COUNT}; syswrite STDOUT, $b while $n--'"
BYTES = {
    LINES: MEGABYTES * 1_000_000 // COLUMNS * (COLUMNS + 1),
    BLOCKS: _COUNT * (BLOCK + 1),
}


async def lines(made: Installation) -> Comparison:
    """What `ls -R` or a build writes."""
    return await _measure(made, f"output, {MEGABYTES} MB of {COLUMNS}-column lines", LINES)


async def blocks(made: Installation) -> Comparison:
    """What `cat` writes."""
    return await _measure(made, f"output, {MEGABYTES} MB by writes of 64 KiB", BLOCKS)


async def _measure(made: Installation, title: str, command: str) -> Comparison:
    """Ours, the peer, and the PTY in turn, in the same container."""
    mine: list[float] = []
    theirs: list[float] = []
    direct: list[float] = []
    work: list[float] = []
    site = made.site()
    async with site.session(made.image) as session:
        await _bring(site, session)
        container = made.docker.container_of(session["machines"][0]["id"])
        async with made.docker.terminado(container, made.shell) as url:
            address = session["terminals"][0]["websocket_url"]
            sides: list[tuple[Callable[[], RawLink], list[float]]] = [
                (lambda: RawPlayground(address, site.headers), mine),
                (lambda: RawTerminado(url), theirs),
            ]
            for _ in range(ROUNDS):
                before = web_seconds()
                for link, values in sides:
                    values.append(await asyncio.to_thread(_through, link, command))
                work.append((web_seconds() - before) * 1e9 / BYTES[command])
                direct.append(await _directly(site, session, command))
    comparison = Comparison(
        title,
        Figure("ours", "MB/s", mine),
        Figure("terminado, docker exec -it", "MB/s", theirs),
        "at least 2.5 of it, and 0.7 of the PTY",
    )
    pty = Figure("the PTY read in C, in the container", "MB/s", direct)
    share = comparison.ours.p50 / pty.p50
    comparison.met = (comparison.ratio or 0) >= 2.5 and share >= 0.7
    comparison.notes += [
        pty.row().strip(),
        f"{share:.3f} of the PTY",
        Figure("CPU of web per MB", "ms", work).row().strip(),
    ]
    return comparison


def _through(open_link: Callable[[], RawLink], command: str) -> float:
    link = open_link()
    try:
        link.send(b"echo set''tled\n")
        read_until(link, b"settled")
        start = time.perf_counter()
        link.send(f"{command}; echo d''one\n".encode())
        read_until(link, b"done")
        return BYTES[command] / 1_000_000 / (time.perf_counter() - start)
    finally:
        link.close()


async def _bring(site: Site, session: Session) -> None:
    """The program that reads the PTY, into the machine."""
    with tempfile.TemporaryDirectory() as directory:
        built = Path(directory) / "direct_pty"
        command = ["cc", "-O2", "-static", "-o", str(built), str(_DIRECT)]
        await asyncio.to_thread(subprocess.run, command, check=True)
        await site.put(session, "/root/direct_pty", built.read_bytes())
    await site.execute(session, ["chmod", "755", "/root/direct_pty"])


async def _directly(site: Site, session: Session, command: str) -> float:
    total, seconds = (await site.execute(session, ["/root/direct_pty", command])).split()
    return int(total) / 1_000_000 / float(seconds)
