"""Coroutines and the database: a burst of what takes long is in nobody's way."""

import asyncio
import threading

import pytest

from playground.accounts.models import User
from playground.database import MAKING_THREADS, in_database, making_in_database
from tests.support.waiting import WITHIN


@pytest.mark.usefixtures("ann")
async def test_reads_do_not_stand_behind_a_burst() -> None:
    may_end = threading.Event()
    burst = [asyncio.create_task(making_in_database(may_end.wait)()) for _ in range(10 * MAKING_THREADS)]
    try:
        await asyncio.sleep(0)
        async with asyncio.timeout(WITHIN):
            assert await in_database(User.objects.count)() == 1
        assert not any(task.done() for task in burst)
    finally:
        may_end.set()
        await asyncio.gather(*burst)
