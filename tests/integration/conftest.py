"""A real database for all integration tests: a file where it is SQLite, so that other processes see it too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.db import connection, connections
from django.test import TransactionTestCase, override_settings

from playground import background
from playground.database import close_connections
from playground.sessions import queue
from tests.support.emptied import empty_tables


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Names the file before pytest-django makes the database."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        path: Path = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(path)


@pytest.fixture(scope="session", autouse=True)
def static_root() -> None:
    """Whitenoise warns where there is none, and warnings are errors."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_hashed_quickly() -> Iterator[None]:
    """Half of most tests' time was the hash of a password that nobody used."""
    with override_settings(PASSWORD_HASHERS=["tests.support.quick_hasher.QuickHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def _tables_are_emptied_quickly() -> Iterator[None]:
    """A third of most tests' time was Django's `flush`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty_tables())
        yield


@pytest.fixture(autouse=True)
def _no_refill_is_asked_for_later() -> Iterator[None]:
    """What one test has taken from a pool is not asked for in the next."""
    yield

    async def forget() -> None:
        for timer in queue._to_refill.values():
            timer.cancel()
        queue._to_refill.clear()

    background.submit(forget()).result()


@pytest.fixture(scope="session", autouse=True)
def _no_connection_stays_open(django_db_setup: None) -> Iterator[None]:
    """The threads in which coroutines use the database keep theirs; PostgreSQL drops no database that is in use."""
    yield
    close_connections()
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
