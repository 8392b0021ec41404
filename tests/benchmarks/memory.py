"""Memory by proportional set size: shared pages are counted once over all processes."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import PEOPLE, Installation
from tests.benchmarks.links import read_until
from tests.benchmarks.raw_socket import RawPlayground

TERMINALS = 50
STUCK = 20
SESSIONS = 100
SANDBOXD = "sandboxd"


async def per_terminal(made: Installation) -> Comparison:
    """Web, worker, beat, Valkey and every sandboxd, before and after so many terminals were opened and used."""
    site = made.site()
    async with site.session(made.image) as session:
        await _settle_down(made)
        links = [await site.new_terminal(session)]
        await asyncio.sleep(2)  # whatever grows once has grown
        before = total(_ours())
        for _ in range(TERMINALS):
            links.append(await site.new_terminal(session))
            await links[-1].send(b"seq 1 500; echo d''one\n")
            await read_until(links[-1], b"done")
        after = total(_ours())
        await asyncio.gather(*(link.close() for link in links))
    each = (after - before) / TERMINALS / 2**20
    comparison = Comparison(
        f"memory of all our processes per additional open terminal ({TERMINALS} were opened)",
        Figure("proportional set size", "MiB", [each]),
        None,
        "under 0.5 MB",
    )
    comparison.met = each < 0.5
    comparison.notes.append(f"before {before / 2**20:.1f} MiB, after {after / 2**20:.1f} MiB")
    return comparison


async def per_terminal_of_web(made: Installation) -> Comparison:
    """The web processes alone, as terminals are opened and then left alone."""
    site = made.site()
    async with site.session(made.image) as session:
        await _settle_down(made)
        links = [await site.new_terminal(session)]
        await asyncio.sleep(2)
        before = total(web_processes())
        links += [await site.new_terminal(session) for _ in range(TERMINALS)]
        each = (total(web_processes()) - before) / TERMINALS / 2**20
        await asyncio.gather(*(link.close() for link in links))
    comparison = Comparison(
        f"memory of web per idle terminal ({TERMINALS} were opened)",
        Figure("proportional set size", "MiB", [each]),
        None,
        "under 0.3 MB",
    )
    comparison.met = each < 0.3
    return comparison


async def per_stuck_client(made: Installation) -> Comparison:
    """The web processes, as clients start a flood and never read."""
    site = made.site()
    async with site.session(made.image) as session:
        await _settle_down(made)
        urls = [await site.new_terminal_url(session) for _ in range(STUCK + 1)]
        links = [await asyncio.to_thread(RawPlayground, urls[0], site.headers)]
        links[0].send(b"yes\n")
        await asyncio.sleep(2)
        before = total(web_processes())
        for url in urls[1:]:
            links.append(await asyncio.to_thread(RawPlayground, url, site.headers))
            links[-1].send(b"yes\n")
        await asyncio.sleep(5)  # whatever grows has grown by now
        each = (total(web_processes()) - before) / STUCK / 2**20
        for link in links:
            link.close()
    comparison = Comparison(
        f"memory of web per flooding terminal whose client never reads ({STUCK} were opened)",
        Figure("proportional set size", "MiB", [each]),
        None,
        "under 2 MB",
    )
    comparison.met = each < 2
    return comparison


def web_processes() -> set[int]:
    """Of the installation that this process has started."""
    return {pid for pid in descendants(os.getpid()) if b"playground.serve" in _command(pid)}


def web_seconds() -> float:
    """CPU time of the web processes so far."""
    ticks = 0
    for pid in web_processes():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


async def idle_sessions(made: Installation) -> Comparison:
    """A hundred sessions that do nothing: what each costs in processes of ours, in sandboxd, and in its own shell."""
    await asyncio.to_thread(made.resize_pool, 0)
    sites = [made.site() for _ in range(PEOPLE)]
    before = total(_ours() - named(SANDBOXD))
    sessions = await asyncio.gather(
        *(sites[number % PEOPLE].created(made.image, env={"BENCHMARK": "1"}) for number in range(SESSIONS))
    )
    ours = total(_ours() - named(SANDBOXD)) - before
    daemons = named(SANDBOXD)
    shells = {pid for daemon in daemons for pid in descendants(daemon)} - daemons
    in_machines = total(daemons), total(shells)
    for number, session in enumerate(sessions):
        await sites[number % PEOPLE].delete(session)
    await asyncio.to_thread(made.wait_for_nothing)
    each = [size / SESSIONS / 2**20 for size in (ours, in_machines[0], in_machines[1])]
    comparison = Comparison(
        f"memory of {SESSIONS} idle sessions, for each",
        Figure("web, worker, beat, Valkey", "MiB", [each[0]]),
        Figure("the machine's own shell", "MiB", [each[2]]),
        "stated",
    )
    comparison.notes.append(
        f"sandboxd adds {each[1]:.2f} MiB to each machine; all of ours were {before / 2**20:.1f} MiB"
    )
    return comparison


async def _settle_down(made: Installation) -> None:
    await asyncio.to_thread(made.wait_for_pool)


def _ours() -> set[int]:
    return (descendants(os.getpid()) - {os.getpid()}) | named("sandboxd")


def proportional_set_size(pid: int) -> int:
    """Bytes of one process; 0 when it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def descendants(root: int) -> set[int]:
    """`root` and all processes below it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(path.name))
    found, waiting = set(), [root]
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += children.get(pid, [])
    return found


def named(name: str) -> set[int]:
    """Processes whose program has that name, e.g. the sandboxd of every machine."""
    found = set()
    for path in Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        try:
            if (path / "comm").read_text().strip() == name:
                found.add(int(path.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def total(pids: Iterable[int]) -> int:
    """Bytes of all of them together."""
    return sum(proportional_set_size(pid) for pid in pids)
