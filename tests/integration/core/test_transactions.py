"""Transactions on SQLite: those of one process queue, and nothing that goes wrong stops the queue."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections, transaction

from playground.accounts.models import User
from playground.sqlite3 import base

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has many writers")


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """A thread with a connection of its own, for which SQLite itself does not wait."""

    def impatient() -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout=0")

    with ThreadPoolExecutor(1) as threads:
        threads.submit(impatient).result()
        yield threads
        threads.submit(connections.close_all).result()


def make(name: str) -> User:
    with transaction.atomic():
        return User.objects.create_user(name)


def fail() -> None:
    with transaction.atomic():
        User.objects.create_user("gone")
        raise LookupError


def end_the_connection() -> None:
    with transaction.atomic():
        connection.close()


def test_the_next_one_waits_for_its_turn(transactional_db: None, other: ThreadPoolExecutor) -> None:
    with transaction.atomic():
        User.objects.create_user("first")
        # It would be told at once that the database is locked, if it asked.
        second = other.submit(make, "second")
        assert not second.done()
    second.result(timeout=30)
    assert User.objects.count() == 2


@pytest.mark.parametrize("wrong", [fail, end_the_connection])
def test_the_queue_goes_on(transactional_db: None, other: ThreadPoolExecutor, wrong: Callable[[], None]) -> None:
    other.submit(wrong).exception(timeout=30)
    make("next")
    other.submit(make, "last").result(timeout=30)
    assert set(User.objects.values_list("username", flat=True)) == {"next", "last"}


def test_a_lock_that_another_process_holds_is_told_of(
    transactional_db: None, other: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic(), monkeypatch.context() as patch:
        User.objects.create_user("first")
        # Another process has a queue of its own.
        patch.setattr(base, "_turn", threading.Lock())
        assert isinstance(other.submit(make, "second").exception(timeout=30), OperationalError)
        assert isinstance(other.submit(make, "second").exception(timeout=30), OperationalError)
    other.submit(make, "second").result(timeout=30)
