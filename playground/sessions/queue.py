"""Asking the worker, from a thread of its own: a broker that is dead, or hangs, fails and delays no request.

Best effort: what could not be asked for, the sweep finds.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import structlog
from django.db import transaction
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from playground import background
from playground.celery import app

log = structlog.get_logger(__name__)

MOST_WAITING = 1000
_sender = ThreadPoolExecutor(1, thread_name_prefix="queue")
_waiting = threading.BoundedSemaphore(MOST_WAITING)

EXPIRES = 120
"""Seconds after which a question is not worth answering: the sweep has asked again."""
REFILL_SECONDS = 0.25
"""A filler rests longer than that before it begins, so that this delays nothing."""
_to_refill: dict[str, asyncio.TimerHandle] = {}
"""Touched by the background loop alone."""


def provision(session_id: UUID) -> None:
    """Make a machine for a session."""
    _ask("playground.sessions.tasks.provision", session_id.hex)


def destroy(session_id: UUID) -> None:
    """Remove a session's machines and end it."""
    _ask("playground.sessions.tasks.destroy", session_id.hex)


def push_deadline(session_id: UUID) -> None:
    """Tell a session's machines when they end."""
    _ask("playground.sessions.tasks.push_deadline", session_id.hex)


def refill(slug: str) -> None:
    """Fill the pool of an image."""
    _ask("playground.sessions.tasks.refill", slug)


def refill_soon(slug: str) -> None:
    """Fill the pool of an image from which somebody took a machine: asked once for all who do so within a moment."""
    loop = background.loop()
    loop.call_soon_threadsafe(_refill_later, loop, slug)


def refill_on_commit(slug: str) -> None:
    """`refill_soon` once the transaction is through."""
    transaction.on_commit(lambda: refill_soon(slug), robust=True)


def _refill_later(loop: asyncio.AbstractEventLoop, slug: str) -> None:
    if slug not in _to_refill:
        _to_refill[slug] = loop.call_later(REFILL_SECONDS, _refill_now, slug)


def _refill_now(slug: str) -> None:
    del _to_refill[slug]
    refill(slug)


def refill_all() -> None:
    """Fill every pool that needs it."""
    _ask("playground.sessions.tasks.refill_all")


def prepare_image(slug: str) -> None:
    """Pull or build an image."""
    _ask("playground.images.tasks.prepare_image", slug)


def probe_host() -> None:
    """Look whether the host has to be probed, and do it."""
    _ask("playground.host.tasks.probe")


def begin() -> None:
    """Everything that is done periodically, once, now."""
    probe_host()
    _ask("playground.sessions.tasks.sweep")
    _ask("playground.images.tasks.look_after_images")
    refill_all()


def _ask(task: str, *arguments: str) -> None:
    if _waiting.acquire(blocking=False):
        _sender.submit(_send, task, *arguments)
    else:
        log.warning("broker_slow", task=task)


def _send(task: str, *arguments: str) -> None:
    _waiting.release()
    # By name, so that what asks does not import what does the work, which imports the services again.
    try:
        app.send_task(task, args=arguments, expires=EXPIRES)
    except (KombuError, RedisError, OSError) as error:
        log.warning("broker_unavailable", task=task, error=type(error).__name__)
