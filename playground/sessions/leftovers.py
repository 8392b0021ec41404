"""What carries this installation's label on the engine's host and belongs to nobody: normally nothing."""

from dataclasses import dataclass
from uuid import UUID

from playground.database import in_database
from playground.engine import get_engine
from playground.host.probing import probe_machine
from playground.sessions.models import Machine, Session
from playground.sessions.states import MachineState, SessionState
from runtime.engines.base import Belonging


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that is left, for a person who looks for it on the host."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


async def leftovers() -> list[Leftover]:
    """Machines (also what is only a directory any more) and belongings without an owner. Raises RuntimeFailure."""
    listed = await get_engine().machines()
    known = await in_database(_machines)()
    machines = [Leftover("machine", status.machine_id) for status in listed if status.machine_id not in known]
    return sorted([*machines, *(Leftover(each.kind, each.name) for each in await ownerless())], key=str)


async def ownerless() -> list[Belonging]:
    """Belongings of machines and sessions that are no more. Raises RuntimeFailure.

    Listed first: whatever has an owner has had it since before the engine knew of it.
    """
    listed = await get_engine().belongings()
    if not listed:
        return []
    machines, sessions = await in_database(_owners)()
    return [each for each in listed if not _is_owned(each, machines, sessions)]


def _is_owned(belonging: Belonging, machines: set[str], sessions: set[str]) -> bool:
    passing = belonging.of_site or belonging.is_passing
    return passing or belonging.machine_id in machines or belonging.session_id in sessions


def _owners() -> tuple[set[str], set[str]]:
    sessions = Session.objects.exclude(state=SessionState.ENDED).values_list("pk", flat=True)
    return _machines(), {pk.hex for pk in sessions}


def _machines() -> set[str]:
    rows: list[UUID] = list(Machine.objects.exclude(state=MachineState.REMOVED).values_list("pk", flat=True))
    probing = probe_machine()
    return {pk.hex for pk in rows} | ({probing.hex} if probing else set())
