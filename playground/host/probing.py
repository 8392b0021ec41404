"""Probing the host, in the worker: once for each state of the engine, one worker at a time, repeatable when killed."""

import asyncio
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from playground.database import in_database
from playground.engine import get_engine
from playground.host.models import HostReport
from playground.sessions.leases import alone, has_lapsed
from runtime.engines.base import Capabilities, probe_machine_id
from runtime.errors import RuntimeFailure

log = structlog.get_logger(__name__)

LEASE = "probe"
PROBE_SECONDS = 120
AGAIN = timedelta(minutes=5)
"""After a probe that did not find out everything."""


async def refresh() -> bool:
    """Probes when the engine is another one than the last time, or that one left something open. True: it did."""
    async with alone(LEASE) as mine:
        return mine and await _refresh()


async def _refresh() -> bool:
    engine = get_engine()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            fingerprint = await engine.incarnation()
            if not await in_database(_is_due)(fingerprint):
                return False
            found = await engine.probe()
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("host_not_probed", error=type(error).__name__)
        await in_database(_note_problem)(str(error) or f"The probe took longer than {PROBE_SECONDS} seconds.")
        return False
    await in_database(_keep)(fingerprint, found)
    log.info("host_probed", missing=[item.name for item in found.items if not item.available])
    return True


def _is_due(fingerprint: str) -> bool:
    report = HostReport.objects.filter(pk=1).first()
    if report is None or report.probed_at is None or report.fingerprint != fingerprint:
        return True
    unknown = any(not item["known"] for item in report.items)
    return unknown and report.tried_at < timezone.now() - AGAIN


def _keep(fingerprint: str, found: Capabilities) -> None:
    now = timezone.now()
    HostReport.objects.update_or_create(
        pk=1,
        defaults={
            "fingerprint": fingerprint,
            "engine": found.engine,
            "version": found.version[:64],
            "items": [asdict(item) for item in found.items],
            "problem": "",
            "probed_at": now,
            "tried_at": now,
        },
    )


def _note_problem(words: str) -> None:
    HostReport.objects.update_or_create(pk=1, defaults={"problem": words, "tried_at": timezone.now()})


def want() -> None:
    """Have the next look at the host probe it anew."""
    HostReport.objects.filter(pk=1).update(fingerprint="")


def probe_machine() -> UUID | None:
    """The machine that is being probed in right now, which has no row and is no leak."""
    return UUID(hex=probe_machine_id(settings.PLAYGROUND_INSTANCE)) if not has_lapsed(LEASE) else None
