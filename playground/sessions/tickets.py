"""Tickets: the right to open one terminal's socket, once, within 30 seconds. Kept in Valkey by hash alone."""

import json
import uuid
from dataclasses import dataclass

from redis.exceptions import RedisError

from playground.accounts.sockets import Identity
from playground.api.errors import NotReady
from playground.tokens import digest_of, new_token
from playground.valkey import valkey

LIFETIME = 30
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a ticket was good for."""

    identity: Identity
    terminal_id: uuid.UUID


async def create_ticket(identity: Identity, terminal_id: uuid.UUID) -> str:
    """A new ticket. Raises NotReady while Valkey does not answer."""
    ticket, digest = new_token()
    content = {
        "person": identity.person_id,
        "key": identity.key_id.hex if identity.key_id else None,
        "cookie": identity.cookie,
        "terminal": terminal_id.hex,
    }
    try:
        await valkey().set(_name(digest), json.dumps(content), ex=LIFETIME)
    except (RedisError, OSError) as error:
        raise NotReady(retry_after=2) from error
    return ticket


async def redeem(ticket: str) -> Redeemed | None:
    """What it is good for, and it is used up; None when it is unknown, used or too old. Raises NotReady."""
    try:
        content = await valkey().getdel(_name(digest_of(ticket)))
    except (RedisError, OSError) as error:
        raise NotReady(retry_after=2) from error
    if content is None:
        return None
    fields = json.loads(content)
    key_id = uuid.UUID(fields["key"]) if fields["key"] else None
    return Redeemed(Identity(fields["person"], key_id, fields["cookie"]), uuid.UUID(fields["terminal"]))


def _name(digest: str) -> str:
    return f"ticket:{digest}"
