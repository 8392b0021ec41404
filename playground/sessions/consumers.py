"""`/ws/v1/events`: a snapshot of the caller's sessions and the catalogue, then every change of them.

The channel layer may lose messages, and may be dead. So the snapshot is taken again every few seconds and sent when it
differs: whoever listens is at most that far behind, also while Valkey is away.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import structlog
from channels.layers import get_channel_layer
from django.db.models import Max

from playground.accounts.models import User
from playground.accounts.sockets import ForeignOrigin, Identity, identify
from playground.database import in_database
from playground.sessions.closing import CloseCode, Refused
from playground.sessions.connections import Connection, connections
from playground.sessions.events import IMAGES_GROUP, owner_group
from playground.sessions.models import Event
from playground.sessions.public import public_image, public_session
from playground.sessions.selectors import catalogue, sessions_of
from runtime.asgi import Receive, Send

log = structlog.get_logger(__name__)

SNAPSHOT_SECONDS = 15.0
LAYER_SECONDS = 2.0
SNAPSHOT_SESSIONS = 50
_BACKLOG = 200


async def events_socket(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """One browser or program that watches. Ends when it goes away, or when its right is revoked."""
    if (await receive())["type"] != "websocket.connect":
        return
    await send({"type": "websocket.accept"})
    try:
        person, identity = await _person(scope)
        async with connections.admitted(identity) as connection:
            await _serve(person, connection, receive, send)
    except Refused as refused:
        await send({"type": "websocket.close", "code": int(refused.code), "reason": str(refused)})


async def _person(scope: Mapping[str, Any]) -> tuple[User, Identity]:
    try:
        found = await in_database(identify)(scope)
    except ForeignOrigin:
        raise Refused(CloseCode.FORBIDDEN, "This page is not of this site.") from None
    if found is None:
        raise Refused(CloseCode.NOT_AUTHENTICATED, "Sign in, or send a key.")
    return found


async def _serve(person: User, connection: Connection, receive: Receive, send: Send) -> None:
    """Runs until the other side leaves or the right is revoked; whichever is first ends the rest."""
    tasks = [
        asyncio.create_task(_until_gone(receive)),
        asyncio.create_task(connection.revoked.wait()),
        asyncio.create_task(_tell(person, send)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    if connection.revoked.is_set():
        raise Refused(CloseCode.NOT_AUTHENTICATED, "Your access was revoked.")


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _tell(person: User, send: Send) -> None:
    """Snapshot, changes, and a heartbeat whenever a snapshot would say nothing new."""
    told: object = None
    while True:
        async with _changes(person.pk) as changes:
            snapshot = await in_database(_snapshot)(person)
            if snapshot != told:
                await _send(send, {"type": "snapshot", **snapshot})
                told = snapshot
            else:
                await _send(send, {"type": "heartbeat"})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SNAPSHOT_SECONDS):
                    while True:
                        await _send(send, await changes.get())


@contextlib.asynccontextmanager
async def _changes(person_id: int) -> AsyncIterator[asyncio.Queue[object]]:
    """What the channel layer says, from before the snapshot is taken on. Without a layer the queue stays empty."""
    queue: asyncio.Queue[object] = asyncio.Queue(_BACKLOG)
    listener = asyncio.create_task(_listen(person_id, queue, ready := asyncio.Event()))
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAYER_SECONDS):
                await ready.wait()
        yield queue
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def _listen(person_id: int, queue: asyncio.Queue[object], ready: asyncio.Event) -> None:
    layer = get_channel_layer()
    groups = (owner_group(person_id), IMAGES_GROUP)
    channel = None
    try:
        assert layer is not None
        channel = await layer.new_channel()
        for group in groups:
            await layer.group_add(group, channel)
        ready.set()
        while True:
            message = await layer.receive(channel)
            # A reader that is too slow for the backlog gets the next snapshot instead.
            if not queue.full():
                queue.put_nowait(message["event"])
    except Exception as error:
        log.info("events_without_channel_layer", error=type(error).__name__)
        ready.set()
    finally:
        if channel is not None and layer is not None:
            for group in groups:
                with contextlib.suppress(Exception):
                    await layer.group_discard(group, channel)


def _snapshot(person: User) -> dict[str, object]:
    # Asked first: a change that is written meanwhile has a higher number, and is not taken for old news.
    sequence = Event.objects.filter(session__owner=person).aggregate(last=Max("pk"))["last"] or 0
    sessions, _ = sessions_of(person, limit=SNAPSHOT_SESSIONS)
    return {
        "sequence": sequence,
        "sessions": [public_session(session) for session in sessions],
        "images": [public_image(image) for image in catalogue()],
    }


async def _send(send: Send, message: object) -> None:
    await send({"type": "websocket.send", "text": json.dumps(message)})
