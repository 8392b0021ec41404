from collections.abc import Iterator

import pytest

from tests.support.sandboxd import Connection, Daemon, daemons


@pytest.fixture(scope="session", autouse=True)
def forgotten() -> Iterator[Daemon]:
    """A daemon that nobody starts: it has half a minute, while the other tests run."""
    yield from daemons()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    yield from daemons()


@pytest.fixture
def host(daemon: Daemon) -> Iterator[Connection]:
    """A connection to a daemon that was started."""
    with daemon.started() as connection:
        yield connection
