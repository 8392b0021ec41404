"""What is refused, and what goes, so that a host runs no more machines than it has room for."""

from uuid import UUID

from django.conf import settings
from django.db.models import Q

from playground.sessions.errors import HostFull, NeverFits
from playground.sessions.models import Machine, Profile, Session
from playground.sessions.room import room
from playground.sessions.states import UNSTARTED, MachineState
from playground.sessions.transitions import machine_transition
from playground.settings.capacity import Capacity


def check_fits(profile: Profile, machines: int = 1) -> None:
    """Raises NeverFits when this host is too small for so many machines of the profile."""
    limits: Capacity = settings.CAPACITY
    if machines > limits.machines:
        raise NeverFits("The session has more machines than this site runs.")
    if profile.memory_bytes * machines > limits.memory_bytes:
        if machines > 1:
            raise NeverFits("The session's machines have more memory than this site gives to all machines together.")
        raise NeverFits(f"The profile {profile.slug} has more memory than this site gives to all machines together.")


def check_queue() -> None:
    """Raises HostFull when as many sessions wait for a machine as may."""
    limits: Capacity = settings.CAPACITY
    if Session.objects.filter(state__in=UNSTARTED).count() >= limits.waiting:
        raise HostFull("Too many sessions are waiting for a machine. Try again in a minute.", retry_after=60)


def make_room(memory_bytes: int, machines: int = 1) -> list[UUID]:
    """Pool machines that go so that machines with that limit together fit, the oldest first; none when it can't be.

    They are `removing` afterwards: remove them.
    """
    free, going = room(), []
    idle = Machine.objects.filter(session__isnull=True, state=MachineState.READY)
    for machine_id, memory in idle.values_list("pk", "profile__memory_bytes"):
        if free.fits(memory_bytes, machines):
            break
        free = free.and_of(memory)
        going.append(machine_id)
    if not free.fits(memory_bytes, machines):
        return []
    unclaimed = Q(session__isnull=True)
    return [pk for pk in going if machine_transition(pk, MachineState.REMOVING, where=unclaimed)]
