"""How much room this host has for machines, by memory and by count. Limits count, not what is used of them."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Sum

from playground.sessions.models import Machine
from playground.sessions.states import MachineState
from playground.settings.capacity import Capacity


@dataclass(frozen=True, slots=True)
class Room:
    """What is left."""

    memory_bytes: int
    machines: int

    def fits(self, memory_bytes: int, machines: int = 1) -> bool:
        """Whether so many more machines, with that limit together, may be made."""
        return self.machines >= machines and self.memory_bytes >= memory_bytes

    def how_many(self, memory_bytes: int) -> int:
        """Machines with that limit that may be made."""
        return max(0, min(self.machines, self.memory_bytes // memory_bytes))

    def and_of(self, memory_bytes: int) -> "Room":
        """What is left when a machine with that limit goes."""
        return Room(self.memory_bytes + memory_bytes, self.machines + 1)


def room() -> Room:
    """Counts every machine that the engine may still have, and those that are about to be made."""
    limits: Capacity = settings.CAPACITY
    present = Machine.objects.exclude(state=MachineState.REMOVED)
    used = present.aggregate(machines=Count("pk"), memory=Sum("profile__memory_bytes"))
    return Room(limits.memory_bytes - (used["memory"] or 0), limits.machines - used["machines"])
