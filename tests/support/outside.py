"""What machines must and must not reach, on this host: a namespace that is the internet, private networks and more.

It has addresses of all kinds, and on each of them servers that say that they were reached. Needs root.
"""

import fcntl
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NAME = "pgoutside"
INTERNET = "198.51.100.10"
OTHER_INTERNET = "198.51.100.20"
HOST_SIDE = "198.51.100.1"
CLOSED = {
    "metadata": "169.254.169.254",
    "10/8": "10.99.7.10",
    "172.16/12": "172.31.254.10",
    "192.168/16": "192.168.211.10",
    "carrier": "100.64.9.10",
    "benchmark": "198.18.7.10",
}
WEB, ENDLESS, SINK, DATAGRAMS = 8080, 5001, 5002, 5003
MAIL = (25, 465, 587)
DNS = 53
LOCK = Path(tempfile.gettempdir()) / "playground-test-outside.lock"

SERVER = """
import asyncio, json, sys
WEB, ENDLESS, SINK, DATAGRAMS, *MAIL = map(int, sys.argv[1:])
def note(kind, value):
    print(json.dumps([kind, value]), flush=True)
async def say(reader, writer):
    writer.write(b"reached\\n"); await writer.drain(); writer.close()
async def pour(reader, writer):
    try:
        while True:
            writer.write(bytes(65536)); await writer.drain()
    except OSError:
        pass
async def drink(reader, writer):
    total = 0
    try:
        while data := await reader.read(65536):
            total += len(data)
    except OSError:
        pass
    note("drunk", total); writer.close()
class Names(asyncio.DatagramProtocol):
    def connection_made(self, transport): self.transport = transport
    def datagram_received(self, data, address):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode()); at += 1 + data[at]
        note("asked", ".".join(labels))
        question = data[12:at + 5]
        is_address = question[-4:-2] == b"\\0\\1"
        head = data[:2] + b"\\x81\\x80\\0\\1\\0" + bytes([is_address]) + b"\\0\\0\\0\\0"
        answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4" + bytes([198, 51, 100, 10])
        self.transport.sendto(head + question + (answer if is_address else b""), address)
class Datagrams(asyncio.DatagramProtocol):
    def datagram_received(self, data, address):
        note("datagram", [data.decode(errors="replace"), address[0]])
async def main():
    for port in (WEB, 53, *MAIL):
        await asyncio.start_server(say, "0.0.0.0", port)
    await asyncio.start_server(say, "::", WEB + 1)
    await asyncio.start_server(pour, "0.0.0.0", ENDLESS)
    await asyncio.start_server(drink, "0.0.0.0", SINK)
    loop = asyncio.get_running_loop()
    # Answers must come from the address that was asked.
    await loop.create_datagram_endpoint(Names, ("10.99.7.10", 53))
    await loop.create_datagram_endpoint(Datagrams, ("0.0.0.0", DATAGRAMS))
    note("ready", None)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Outside:
    """The namespace, while it is there."""

    log: Path

    def noted(self, kind: str) -> list[object]:
        """What the servers wrote down so far."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [value for noted, value in lines if noted == kind]


def on_host(*words: str) -> str:
    """What the command says; it must succeed."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def ip(*words: str) -> None:
    on_host("ip", *words)


@contextmanager
def outside(directory: Path) -> Iterator[Outside]:
    """One at a time on a host. Nothing is left of it."""
    log = directory / "outside.log"
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _clear()
        try:
            _furnish()
            with log.open("w") as output:
                arguments = [str(number) for number in (WEB, ENDLESS, SINK, DATAGRAMS, *MAIL)]
                command = ["ip", "netns", "exec", NAME, sys.executable, "-c", SERVER, *arguments]
                server = subprocess.Popen(command, stdout=output)
            try:
                found = Outside(log)
                while not found.noted("ready"):
                    assert server.poll() is None, "the servers outside have ended"
                yield found
            finally:
                server.kill()
                server.wait()
        finally:
            _clear()


def _furnish() -> None:
    ip("netns", "add", NAME)
    ip("link", "add", f"{NAME}0", "type", "veth", "peer", "name", "eth0", "netns", NAME)
    ip("addr", "add", f"{HOST_SIDE}/24", "dev", f"{NAME}0")
    ip("link", "set", f"{NAME}0", "up")
    for link in ("lo", "eth0"):
        ip("-n", NAME, "link", "set", link, "up")
    for address in (INTERNET, OTHER_INTERNET):
        ip("-n", NAME, "addr", "add", f"{address}/24", "dev", "eth0")
    ip("-n", NAME, "route", "add", "default", "via", HOST_SIDE)
    for address in CLOSED.values():
        ip("-n", NAME, "addr", "add", f"{address}/32", "dev", "lo")
        ip("route", "add", f"{address}/32", "via", INTERNET)


def _clear() -> None:
    # Its interface goes with the namespace, and the routes with the interface.
    subprocess.run(["ip", "netns", "delete", NAME], check=False, capture_output=True)
    subprocess.run(["ip", "link", "delete", f"{NAME}0"], check=False, capture_output=True)
