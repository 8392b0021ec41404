"""Copies of the site that may be mistreated."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from runtime.engines.docker.names import table_name
from tests.support.docker import BUSYBOX, docker_host
from tests.support.launched import Launched, data_directory
from tests.support.mistreated import Mistreated, mistreated_site
from tests.support.own_engine import OwnEngine, copy_image, own_engine
from tests.support.stack import chosen_engine


@pytest.fixture(scope="package")
def own() -> Iterator[OwnEngine | None]:
    """An engine that may be restarted; the tests' own is everybody's. None: another one than Docker's is to be used."""
    if chosen_engine() != "docker":
        yield None
        return
    with own_engine() as own:
        asyncio.run(copy_image(BUSYBOX, docker_host(), own.host))
        yield own


@pytest.fixture(scope="package")
def site(own: OwnEngine | None) -> Iterator[Mistreated]:
    """One site whose processes are killed and started again, each by itself. Fails when anything of it is left."""
    with mistreated_site(own.host if own else None) as site:
        instance = (site.stack.data / "instance").read_text().strip()
        yield site
    assert not shutil.which("nft") or table_name(instance) not in nft_tables()


def nft_tables() -> str:
    """As nft lists them."""
    return subprocess.run(["nft", "list", "tables"], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="package")
def copy() -> Iterator[Launched]:
    """One copy for all tests here, running. Fails when anything of it is left on the engine or among the processes."""
    host = docker_host()
    launched = Launched(data_directory(), host)
    try:
        launched.start()
        yield launched
        launched.stop()
        assert launched.marked() == []
        assert left_on_engine(launched) == []
    finally:
        launched.stop()
        shutil.rmtree(launched.data)


@pytest.fixture(scope="package")
def key(copy: Launched) -> str:
    """The administrator's."""
    return copy.manage("create_api_key", "admin")


def left_on_engine(copy: Launched) -> list[str]:
    """Containers, networks and packet filters of this copy."""
    instance = (copy.data / "instance").read_text().strip()
    host = docker_host()
    transport = httpx.HTTPTransport(uds=host.removeprefix("unix://")) if host.startswith("unix://") else None
    base = "http://engine" if transport else host.replace("tcp://", "http://")
    filters = {"all": "1", "filters": json.dumps({"name": [f"playground-{instance}"]})}
    with httpx.Client(transport=transport, base_url=base, timeout=60) as engine:
        containers = engine.get("/containers/json", params=filters).raise_for_status().json()
        networks = engine.get("/networks", params={"filters": filters["filters"]}).raise_for_status().json()
    tables = nft_tables() if shutil.which("nft") else ""
    return [
        *(str(each["Names"]) for each in containers),
        *(str(each["Name"]) for each in networks),
        *(table for table in tables.splitlines() if instance in table),
    ]
