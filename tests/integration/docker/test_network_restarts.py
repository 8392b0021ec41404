"""What machines must not reach, and how fast they are, while their engine restarts and ever after."""

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from runtime.engines.base import Egress
from runtime.engines.docker.engine import DockerEngine
from tests.support.docker import BUSYBOX, docker_host, ensure_image, running_engine
from tests.support.outside import CLOSED, HOST_SIDE, INTERNET, MAIL, WEB, Outside, on_host, outside
from tests.support.own_engine import OwnEngine, copy_image, own_engine
from tests.support.reaching import RATE, assert_limited, drunk, machine, poured, reaches, with_ipv6

RATES = {"download_bytes_per_second": RATE, "upload_bytes_per_second": RATE}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(tmp_path_factory.mktemp("outside")) as found:
        yield found


@pytest.fixture(scope="module")
def own(world: Outside) -> Iterator[OwnEngine]:
    with own_engine() as own:
        yield own


@pytest_asyncio.fixture
async def engine(own: OwnEngine, sandboxd: Path) -> AsyncIterator[DockerEngine]:
    await copy_image(BUSYBOX, docker_host(), own.host)
    async with running_engine(sandboxd, host=own.host, resolver=(CLOSED["10/8"],)) as running:
        await ensure_image(running, "busybox")
        yield running


class Host:
    """This host, with something on all of its addresses that says that it was reached."""

    def __init__(self, port: int, port6: int) -> None:
        self._port = port
        self._port6 = port6

    async def is_behind_its_walls(self, engine: DockerEngine, machine_id: str, knock: list[str]) -> None:
        """From this machine, which reaches the internet: `knock` is its try of the host by IPv6."""
        links = json.loads(on_host("ip", "-j", "-4", "addr"))
        own = {str(each["local"]) for link in links for each in link["addr_info"]} - {"127.0.0.1"}
        assert HOST_SIDE in own
        forbidden = {(address, self._port) for address in own}
        forbidden |= {(address, WEB) for address in CLOSED.values()} | {(INTERNET, port) for port in MAIL}
        await reaches(engine, machine_id, {(INTERNET, WEB)}, never=forbidden)
        with pytest.raises(subprocess.CalledProcessError):
            await asyncio.to_thread(on_host, *knock, str(self._port6))


@pytest_asyncio.fixture
async def host() -> AsyncIterator[Host]:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"reached\n")
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", 0)
    server6 = await asyncio.start_server(answer, "::", 0, family=socket.AF_INET6)
    async with server, server6:
        yield Host(*(each.sockets[0].getsockname()[1] for each in (server, server6)))


@pytest.mark.parametrize("killed", [False, True], ids=["SIGTERM", "SIGKILL"])
async def test_walls_and_rates_outlive_the_engine(
    own: OwnEngine, engine: DockerEngine, world: Outside, host: Host, killed: bool
) -> None:
    async with machine(engine, Egress.INTERNET, **RATES) as old:
        knock = with_ipv6(engine, old)
        await host.is_behind_its_walls(engine, old, knock)
        if killed:
            own.kill()
        else:
            assert own.stop() == 0
        await host.is_behind_its_walls(engine, old, knock)
        own.revive()
        # Nobody has mended anything so far.
        await host.is_behind_its_walls(engine, old, with_ipv6(engine, old))
        assert_limited(await poured(engine, old))
        assert_limited(await drunk(engine, world, old))
        async with machine(engine, Egress.INTERNET, **RATES) as new:
            await host.is_behind_its_walls(engine, new, with_ipv6(engine, new, "fd98"))
            assert_limited(await poured(engine, new))
            assert_limited(await drunk(engine, world, new))
            await engine.mend()
            await host.is_behind_its_walls(engine, old, knock)
            assert_limited(await poured(engine, old))
