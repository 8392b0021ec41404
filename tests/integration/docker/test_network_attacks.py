"""What machines reach, and how fast, tried from inside of real machines against servers that would answer.

Most attempts are made three times: with the filter (nothing is reached), without it (all of it is, so the attempt is a
real one), and after the filter was put back.
"""

import asyncio
import json
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from runtime.engines.base import Belonging, Egress
from runtime.engines.docker import nft
from runtime.engines.docker.engine import DockerEngine
from runtime.engines.docker.filter_lock import FilterLock
from runtime.engines.docker.names import bridge_name, table_name
from runtime.engines.docker.ruleset import Ruleset
from runtime.errors import EngineRefused
from tests.support.docker import ensure_image, machine_spec, output_of, running_engine
from tests.support.outside import (
    CLOSED,
    DATAGRAMS,
    HOST_SIDE,
    INTERNET,
    MAIL,
    OTHER_INTERNET,
    WEB,
    Outside,
    on_host,
    outside,
)
from tests.support.reaching import (
    AT_ONCE,
    RATE,
    assert_limited,
    drunk,
    gets_in,
    inside,
    machine,
    poured,
    reached,
    reaches,
    with_ipv6,
)
from tests.support.waiting import until

LISTED = "allowed.example.com"
REACHES_PRIVATE = "rebound.example.com"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(tmp_path_factory.mktemp("outside")) as found:
        yield found


@pytest_asyncio.fixture
async def engine(sandboxd: Path, world: Outside) -> AsyncIterator[DockerEngine]:
    async with running_engine(sandboxd, resolver=(CLOSED["10/8"],)) as running:
        await ensure_image(running, "busybox")
        yield running


async def unfiltered(engine: DockerEngine) -> None:
    await nft.apply(f"delete table inet {table_name(engine.config.instance)}\n")


async def address_of(engine: DockerEngine, machine_id: str) -> str:
    found = re.search(r"inet ([\d.]+)", await output_of(engine, machine_id, "ip", "addr", "show", "eth0"))
    assert found
    return found[1]


async def test_closed_ranges_and_mail(engine: DockerEngine) -> None:
    forbidden = {(address, WEB) for address in CLOSED.values()} | {(INTERNET, port) for port in MAIL}
    forbidden.add((CLOSED["metadata"], 53))
    async with machine(engine, Egress.INTERNET) as machine_id:
        wanted = {(INTERNET, WEB), (OTHER_INTERNET, WEB)}
        await reaches(engine, machine_id, wanted, never=forbidden)
        await unfiltered(engine)
        await reaches(engine, machine_id, forbidden | wanted)
        await engine.mend()
        await reaches(engine, machine_id, wanted, never=forbidden)


async def test_the_host_itself_by_each_of_its_addresses(engine: DockerEngine) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"reached\n")
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, machine(engine, Egress.INTERNET) as machine_id:
        gateway = (await output_of(engine, machine_id, "ip", "route")).split("via ")[1].split()[0]
        links = json.loads(on_host("ip", "-j", "-4", "addr"))
        own = {str(each["local"]) for link in links for each in link["addr_info"]} - {"127.0.0.1"}
        assert {gateway, HOST_SIDE} <= own
        targets = {(address, port) for address in own}
        assert await reached(engine, machine_id, targets) == set()
        await unfiltered(engine)
        await reaches(engine, machine_id, {(gateway, port), (HOST_SIDE, port)})
        await engine.mend()
        assert await reached(engine, machine_id, targets) == set()


async def test_the_drops_are_final_whatever_the_engines_chains_say(engine: DockerEngine) -> None:
    spec = machine_spec(egress=Egress.INTERNET)
    rule = ["FORWARD", "-i", bridge_name(engine.config.instance, spec.machine_id), "-j", "ACCEPT"]
    await engine.create(spec)
    try:
        on_host("iptables", "--wait", "-I", *rule)
        try:
            assert await reached(engine, spec.machine_id, [(CLOSED["10/8"], WEB), (INTERNET, 25)]) == set()
        finally:
            on_host("iptables", "--wait", "-D", *rule)
    finally:
        await engine.remove(spec.machine_id)


async def test_machines_of_other_sessions(engine: DockerEngine) -> None:
    async with machine(engine, Egress.INTERNET) as one, machine(engine, Egress.INTERNET) as other:
        address = await address_of(engine, other)
        serve = "(while :; do echo reached | nc -l -p 7000; done) >/dev/null 2>&1 </dev/null &"
        await output_of(engine, other, "sh", "-c", serve)
        await reaches(engine, other, [(address, 7000)])
        assert await reached(engine, one, [(address, 7000)]) == set()
        engines_own = ["FORWARD", "-i", bridge_name(engine.config.instance, one), "-j", "ACCEPT"]
        isolation = ["DOCKER-ISOLATION-STAGE-2", "-o", bridge_name(engine.config.instance, other), "-j", "RETURN"]
        for rule in (engines_own, isolation):
            on_host("iptables", "--wait", "-I", *rule)
        try:
            assert await reached(engine, one, [(address, 7000)]) == set()
        finally:
            for rule in (engines_own, isolation):
                on_host("iptables", "--wait", "-D", *rule)


async def test_a_forged_source_address_does_not_leave(engine: DockerEngine, world: Outside) -> None:
    """By the host's root: a machine may not even make such packets."""
    async with machine(engine, Egress.INTERNET) as machine_id:
        send = (
            "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
            "s.setsockopt(0, 19, 1); s.bind((sys.argv[1], 0)); "
            f"s.sendto(sys.argv[2].encode(), ('{INTERNET}', {DATAGRAMS}))"
        )
        own = await address_of(engine, machine_id)

        def sent(source: str, words: str) -> None:
            on_host(*inside(engine, machine_id), "python3", "-c", send, source, words)

        def arrived(words: str) -> bool:
            return any(words in str(each) for each in world.noted("datagram"))

        async def has_arrived(words: str) -> None:
            async def look() -> bool:
                return arrived(words)

            await until(look, f"{words} arrives")

        sent("198.51.100.77", "forged-1")
        sent(own, "honest-1")
        await has_arrived("honest-1")
        assert not arrived("forged-1")
        await unfiltered(engine)
        sent("198.51.100.77", "forged-2")
        await has_arrived("forged-2")


async def test_ipv6_leads_nowhere(engine: DockerEngine) -> None:
    """Also when the host's root gives the machine an address, and the bridge one."""
    async with machine(engine, Egress.INTERNET) as machine_id:
        assert "inet6" not in await output_of(engine, machine_id, "ip", "addr", "show", "eth0")
        with socket.create_server(("::", 0), family=socket.AF_INET6) as server:
            command = [*with_ipv6(engine, machine_id), str(server.getsockname()[1])]
            with pytest.raises(subprocess.CalledProcessError):
                await asyncio.to_thread(on_host, *command)
            await unfiltered(engine)
            await gets_in(command)


async def test_names_resolve_by_the_resolver_alone(engine: DockerEngine, world: Outside) -> None:
    """It is in a private range, and reached there on port 53 alone."""
    async with machine(engine, Egress.INTERNET) as machine_id:
        said = await output_of(engine, machine_id, "nslookup", "first.example.com")
        assert INTERNET in said
        assert "first.example.com" in world.noted("asked")
        never = [(CLOSED["10/8"], WEB), (CLOSED["192.168/16"], 53)]
        await reaches(engine, machine_id, [(CLOSED["10/8"], 53)], never)


@pytest.fixture
def known_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the host's resolver says of two names."""
    answers = {LISTED: INTERNET, REACHES_PRIVATE: CLOSED["metadata"]}
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        return real(answers.get(host, host), *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.usefixtures("known_names")
async def test_an_allow_list(engine: DockerEngine, world: Outside) -> None:
    allowed = (LISTED, REACHES_PRIVATE, "absent.invalid")
    async with machine(engine, Egress.ALLOWLIST, allowed=allowed) as machine_id:
        hosts = await output_of(engine, machine_id, "cat", "/etc/hosts")
        assert f"{INTERNET}\t{LISTED}" in hosts
        assert REACHES_PRIVATE not in hosts
        never = {(address, WEB) for address in (OTHER_INTERNET, *CLOSED.values())} | {(INTERNET, 25)}
        await reaches(engine, machine_id, {(INTERNET, WEB)}, never)
        leak = "nslookup leak.example.com 2>&1; nslookup leak.example.com 10.99.7.10 2>&1; true"
        await output_of(engine, machine_id, "sh", "-c", leak)
        assert "leak.example.com" not in world.noted("asked")
    with pytest.raises(EngineRefused, match="no machine reaches"):
        await engine.create(machine_spec(egress=Egress.ALLOWLIST, allowed=("10.0.0.0/8",)))
    networks = (f"{OTHER_INTERNET}/32",)
    async with machine(engine, Egress.ALLOWLIST, allowed=networks) as machine_id:
        await reaches(engine, machine_id, {(OTHER_INTERNET, WEB)}, never={(INTERNET, WEB)})


async def test_machines_of_one_session_without_a_way_out(engine: DockerEngine, world: Outside) -> None:
    main = machine_spec(alias="main")
    main = machine_spec(machine_id=main.machine_id, network_id=main.machine_id, alias="main")
    other = machine_spec(network_id=main.machine_id, alias="db")
    try:
        await engine.create(main)
        await engine.create(other)
        serve = "(while :; do echo reached | nc -l -p 7000; done) >/dev/null 2>&1 </dev/null &"
        await output_of(engine, other.machine_id, "sh", "-c", serve)
        assert await address_of(engine, other.machine_id) in await output_of(engine, main.machine_id, "nslookup", "db")
        address = await address_of(engine, other.machine_id)
        never = {(INTERNET, WEB), (HOST_SIDE, WEB), (CLOSED["10/8"], 53)}
        await reaches(engine, main.machine_id, {(address, 7000)}, never)
        await output_of(engine, main.machine_id, "sh", "-c", "nslookup quiet.example.com; true")
        assert "quiet.example.com" not in world.noted("asked")
        await engine.remove(main.machine_id)
        assert [status.machine_id for status in await engine.machines()] == [other.machine_id]
    finally:
        for spec in (main, other):
            await engine.remove(spec.machine_id)
    assert [each for each in await engine.belongings() if not each.of_site] == []


async def test_rates_hold_both_ways(engine: DockerEngine, world: Outside) -> None:
    """And hold again when they were put back."""
    rates = {"download_bytes_per_second": RATE, "upload_bytes_per_second": RATE}
    async with machine(engine, Egress.INTERNET, **rates) as slow:
        for _ in range(2):
            assert_limited(await poured(engine, slow))
            assert_limited(await drunk(engine, world, slow))
            on_host("tc", "qdisc", "del", "dev", bridge_name(engine.config.instance, slow), "root")
            await unfiltered(engine)
            await engine.mend()
    async with machine(engine, Egress.INTERNET) as fast:
        for count, seconds in (await poured(engine, fast), await drunk(engine, world, fast)):
            assert count > RATE * seconds * 2 + AT_ONCE


async def test_mending_closes_what_belongs_to_nobody_and_is_cheap_when_all_is_well(engine: DockerEngine) -> None:
    table = f"inet {table_name(engine.config.instance)}"
    async with machine(engine, Egress.INTERNET, upload_bytes_per_second=RATE) as machine_id:
        await nft.apply(f'add element {table} opened {{ "pnnobody" }}\nadd rule {table} leaving accept\n')
        await engine.mend()
        held = await nft.held(table)
        assert held
        bridge = bridge_name(engine.config.instance, machine_id)
        assert {element for element in held.elements if element[0] == "opened"} == {("opened", f'"{bridge}"')}
        assert all(held.marks)
        # The kernel numbers what is put there, and would number anew what is put there again.
        before = on_host("nft", "--handle", "list", "table", *table.split())
        await engine.mend()
        assert on_host("nft", "--handle", "list", "table", *table.split()) == before
    await engine.mend()
    assert await nft.held(table) is None, "without networks there is nothing to filter"


async def test_the_next_machine_brings_the_filter_back(engine: DockerEngine) -> None:
    """Somebody flushed it, and no sweep has come yet."""
    table = f"inet {table_name(engine.config.instance)}"
    async with machine(engine, Egress.INTERNET):
        await unfiltered(engine)
        assert await nft.held(table) is None
        async with machine(engine, Egress.INTERNET) as next_one:
            held = await nft.held(table)
            assert held
            assert held.marks
            assert all(held.marks)
            assert ("opened", f'"{bridge_name(engine.config.instance, next_one)}"') in held.elements


async def test_nobody_takes_the_filter_away_from_who_makes_a_network(engine: DockerEngine) -> None:
    """A sweep that saw no network just before: the machine of the next one would be bounded by nothing."""
    config = engine.config
    table = f"inet {table_name(config.instance)}"
    await nft.apply(Ruleset(config.instance, config.resolver, config.opened).script())
    lock = FilterLock(config.run_directory)
    async with lock.relying():
        await engine.mend()
        assert await nft.held(table)
    with lock.removing() as may:
        assert may
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), lock.relying():
                raise AssertionError("both at once")
    await engine.mend()
    assert await nft.held(table) is None


async def test_capabilities_were_tried(engine: DockerEngine) -> None:
    found = await engine.capabilities()
    assert found.has("egress_filter")
    assert found.has("bandwidth")
    assert await engine.belongings() == []
    table = f"inet {table_name(engine.config.instance)}"
    async with machine(engine, Egress.INTERNET):
        assert Belonging("filter", table, of_site=True) in await engine.belongings()
    await engine.discard(Belonging("filter", table, of_site=True))
    assert await nft.held(table) is None
