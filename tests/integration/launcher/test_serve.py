"""Web processes that share a port."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from playground.serve import configuration
from tests.support.answering import START_SECONDS
from tests.support.launched import free_port
from tests.support.stack import REPOSITORY
from tests.support.waiting import wait


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "static").mkdir()
    return os.environ | {"PLAYGROUND_DATA": str(tmp_path), "PYTHONWARNINGS": "error::ResourceWarning"}


@contextmanager
def serving(port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "playground.serve", "--port", str(port)],
        cwd=REPOSITORY,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/v1/healthz", timeout=20).status_code == 200
    except httpx.TransportError:
        return False


def test_one_dies_and_the_other_goes_on(environment: dict[str, str]) -> None:
    port = free_port()
    with serving(port, environment) as first:
        wait(lambda: answers(port), "the first process", START_SECONDS)
        with serving(port, environment) as second:
            wait(lambda: listeners(port) == 2, "the second process", START_SECONDS)
            first.kill()
            first.wait()
            wait(lambda: listeners(port) == 1, "the end of the first one's socket")
            assert all(answers(port) for _ in range(5))
            second.terminate()
            second.wait(START_SECONDS)
    assert not answers(port)


def listeners(port: int) -> int:
    """Sockets that listen there, as the kernel counts them."""
    wanted = f":{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(wanted) and row[3] == "0A" for row in rows)


def test_a_port_that_somebody_else_has_ends_it_in_one_line(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with serving(port, environment) as process:
            _, said = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1
    assert said.strip().splitlines()[-1] == f"127.0.0.1:{port}: Address already in use"
    assert "Traceback" not in said


def test_nobody_is_believed_about_addresses_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAYGROUND_PROXIES", raising=False)
    assert not configuration().proxy_headers
    monkeypatch.setenv("PLAYGROUND_PROXIES", "192.0.2.7")
    configured = configuration()
    assert configured.proxy_headers
    assert configured.forwarded_allow_ips == "192.0.2.7"
