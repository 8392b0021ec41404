"""`/healthz`, `/readyz`, `/capabilities`: how this installation is."""

import asyncio
from collections.abc import Awaitable, Callable

from django.db import connection
from ninja import Router, Status
from pydantic import BaseModel, Field

from playground import heartbeat
from playground.api.request import ApiRequest
from playground.api.schemas import Instant
from playground.database import in_database
from playground.engine import get_engine
from playground.host import reports
from playground.sessions.public import instant
from playground.valkey import valkey
from runtime.errors import RuntimeFailure

public_router = Router(tags=["health"], auth=None)
router = Router(tags=["health"])

PART_SECONDS = 2.0
"""A part that takes longer to answer counts as dead."""


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["ok"])


class Part(BaseModel):
    """One thing that the site depends on."""

    ok: bool
    message: str


class Readiness(BaseModel):
    """Whether all parts of the site answer."""

    ready: bool
    parts: dict[str, Part]


class CapabilityAnswer(BaseModel):
    """One thing that this host does, or does not, really enforce."""

    name: str
    available: bool
    known: bool = Field(description="False: nobody could find out.")
    detail: str | None = Field(description="What was probed and seen; for administrators.")
    remedy: str | None = Field(description="What to do when it is not available; for administrators.")


class CapabilitiesAnswer(BaseModel):
    """What the engine at hand enforces, found by probing; without items before the first probe."""

    engine: str
    probed_at: Instant | None
    version: str | None = Field(description="For administrators.")
    items: list[CapabilityAnswer]


@public_router.get("/healthz", response=Health, summary="Is this process alive?")
async def healthz(request: ApiRequest) -> Health:
    """Asks nothing of anybody else."""
    return Health(status="ok")


@public_router.get("/readyz", response={200: Readiness, 503: Readiness}, summary="Do all parts answer?")
async def readyz(request: ApiRequest) -> Status[Readiness]:
    """503 names what does not answer. Terminals that are open work on without most of it."""
    names = list(_CHECKS)
    parts = dict(zip(names, await asyncio.gather(*(_part(_CHECKS[name]) for name in names)), strict=True))
    ready = all(part.ok for part in parts.values())
    return Status(200 if ready else 503, Readiness(ready=ready, parts=parts))


@router.get("/capabilities", response=CapabilitiesAnswer, summary="What does this host enforce?")
async def read_capabilities(request: ApiRequest) -> CapabilitiesAnswer:
    """Everybody sees what is enforced; administrators also see the details of their host."""
    found = await in_database(reports.report)()
    details = request.person.is_staff
    return CapabilitiesAnswer(
        engine=found.engine if found else get_engine().name,
        version=found.version if found and details else None,
        probed_at=instant(found.probed_at) if found else None,
        items=[
            CapabilityAnswer(
                name=item.name,
                available=item.available,
                known=item.known,
                detail=item.detail if details else None,
                remedy=item.remedy if details and not item.available else None,
            )
            for item in reports.items_of(found)
        ],
    )


async def _part(check: Callable[[], Awaitable[str]]) -> Part:
    try:
        async with asyncio.timeout(PART_SECONDS):
            return Part(ok=True, message=await check())
    except RuntimeFailure as error:
        return Part(ok=False, message=error.code)
    except _Silent:
        return Part(ok=False, message="no sweep has run lately")
    except TimeoutError:
        return Part(ok=False, message=f"no answer in {PART_SECONDS:.0f} s")
    except Exception as error:
        # Whatever it is, this part does not work; the text of the error may name hosts and paths.
        return Part(ok=False, message=type(error).__name__)


async def _database() -> str:
    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    await in_database(ask)()
    return "answers"


async def _valkey() -> str:
    await valkey().ping()
    return "answers"


async def _engine() -> str:
    await get_engine().ping()
    return "answers"


async def _worker() -> str:
    if not await heartbeat.is_fresh():
        raise _Silent
    return "works"


class _Silent(Exception):
    """No sweep has run lately: the worker or beat is not there, or has nothing but long tasks."""


_CHECKS: dict[str, Callable[[], Awaitable[str]]] = {
    "database": _database,
    "valkey": _valkey,
    "engine": _engine,
    "worker": _worker,
}
