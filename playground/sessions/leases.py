"""The right to do one thing alone, over all workers. It lapses by itself when its holder dies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from playground.database import in_database
from playground.sessions.models import Lease

log = structlog.get_logger(__name__)

LENGTH = timedelta(seconds=10)
RENEW_SECONDS = 2.5


def acquire(name: str) -> UUID | None:
    """Takes the lease for `LENGTH`; answers a token for `renew` and `release`, or None: somebody else holds it."""
    token, now = uuid4(), timezone.now()
    if Lease.objects.filter(pk=name, until__lt=now).update(holder=token, until=now + LENGTH):
        return token
    if Lease.objects.filter(pk=name).exists():
        return None
    try:
        with transaction.atomic():
            Lease.objects.create(name=name, holder=token, until=now + LENGTH)
    except IntegrityError:
        return None
    return token


def renew(name: str, token: UUID) -> None:
    """Holds it for `LENGTH` from now, unless it has gone to somebody else."""
    Lease.objects.filter(pk=name, holder=token).update(until=timezone.now() + LENGTH)


def release(name: str, token: UUID) -> None:
    """Gives it back at once."""
    Lease.objects.filter(pk=name, holder=token).delete()


def note(name: str, length: timedelta) -> None:
    """Writes down that something was done, for `length`: nobody holds it, and nobody is kept from doing it again."""
    Lease.objects.update_or_create(name=name, defaults={"holder": uuid4(), "until": timezone.now() + length})


def has_lapsed(name: str) -> bool:
    """Whether what `note` wrote down is longer ago than it said."""
    return not Lease.objects.filter(pk=name, until__gte=timezone.now()).exists()


@asynccontextmanager
async def alone(name: str) -> AsyncIterator[bool]:
    """Whether the block may run: nobody else holds the lease. Renewed while the block runs."""
    token = await in_database(acquire)(name)
    if token is None:
        yield False
        return
    try:
        async with renewing(lambda: in_database(renew)(name, token)):
            yield True
    finally:
        await in_database(release)(name, token)


@asynccontextmanager
async def renewing(again: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Calls `again` every few seconds while the block runs, so that who lives is not taken for dead."""

    async def renew_for_ever() -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await again()
            except Exception as error:
                # One miss is what the length of a lease allows for; the next beat may reach the database.
                log.warning("lease_not_renewed", error=type(error).__name__)

    task = asyncio.create_task(renew_for_ever())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
