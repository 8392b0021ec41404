"""In which order sessions get their machines: people take turns, each one's own come as they were asked for. Pure."""

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session that waits for its machines."""

    session_id: UUID
    owner_id: int
    since: datetime
    memory_bytes: int = 0
    """Of all its machines."""
    machines: int = 1


@dataclass(frozen=True, slots=True)
class Served:
    """What a person has had: how many machines are being made for them now, and when the last one was begun."""

    at_work: int = 0
    last: datetime = NEVER


def in_turn(waiting: Sequence[Waiting], served: Mapping[int, Served]) -> list[Waiting]:
    """The order to serve them in: who has least at work, then whose turn is longest ago, then who came first."""
    lines: dict[int, deque[Waiting]] = {}
    for each in sorted(waiting, key=lambda one: (one.since, one.session_id)):
        lines.setdefault(each.owner_id, deque()).append(each)
    turns: list[tuple[int, int, datetime, datetime, int]] = []
    for owner_id, line in lines.items():
        had = served.get(owner_id, Served())
        heapq.heappush(turns, (had.at_work, 0, had.last, line[0].since, owner_id))
    order: list[Waiting] = []
    while turns:
        at_work, _, last, _, owner_id = heapq.heappop(turns)
        line = lines[owner_id]
        order.append(line.popleft())
        if line:
            heapq.heappush(turns, (at_work + 1, len(order), last, line[0].since, owner_id))
    return order
