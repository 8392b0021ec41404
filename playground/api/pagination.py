"""Cursors: where a page ended, in a form that nobody needs to understand."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from playground.api.errors import InvalidCursor
from playground.sessions.selectors import Position


def cursor_of(position: Position | None) -> str | None:
    """What `next_cursor` says."""
    if position is None:
        return None
    text = f"{position.created_at.isoformat()}|{position.id.hex}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_of(cursor: str | None) -> Position | None:
    """Where to go on. Raises InvalidCursor for what no list gave out."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        instant, _, identity = text.partition("|")
        created_at = datetime.fromisoformat(instant)
        position = Position(created_at, UUID(identity))
    except (ValueError, binascii.Error):
        raise InvalidCursor from None
    if created_at.tzinfo is None:
        raise InvalidCursor
    return position
