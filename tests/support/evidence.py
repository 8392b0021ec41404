"""What to read when something was left without an owner: the engine's own words, and what happened to sessions."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.own_engine import OwnEngine
from tests.support.rows import Rows
from tests.support.stack import Stack
from tests.support.unowned import LeftBehind, Thing

_TELLING = re.compile(r"sandbox|network|netns|bridge|endpoint|level=(?:error|fatal)|^panic: |set aside", re.IGNORECASE)
MOST_LINES = 150
LAST_WORDS = 60


@contextmanager
def evidence(stack: Stack, own: OwnEngine) -> Iterator[None]:
    """Prints it when the block fails."""
    try:
        yield
    except BaseException as error:
        print("The worker's last words:", *stack.log("worker").splitlines()[-LAST_WORDS:], sep="\n")
        print("The engine's, about networks, and its errors:", *words_of(own), sep="\n")
        print("Sessions that have not ended:", *unfinished(stack.data), sep="\n")
        if isinstance(error, LeftBehind):
            print("Network namespaces that were left:", *about_mounts(sorted(error.things)), sep="\n")
        raise


def words_of(own: OwnEngine) -> list[str]:
    """The last of what the engine said about networks, and of its errors, over all its starts."""
    return [line for line in own.log.splitlines() if _TELLING.search(line)][-MOST_LINES:]


def unfinished(data: Path) -> Iterator[str]:
    """The history of each session that has not ended, with its machines."""
    rows = Rows(data)
    sessions = rows.all(
        "SELECT id, state, state_changed_at, reason, message, attempts, lease_until FROM playground_sessions_session"
        " WHERE state <> 'ended' ORDER BY created_at"
    )
    for pk, *about in sessions:
        yield f"session {pk}: {_line(about)}"
        for machine in rows.all("SELECT id, state FROM playground_sessions_machine WHERE session_id = ?", pk):
            yield f"    machine {_line(machine)}"
        for event in rows.all(
            "SELECT at, kind, data FROM playground_sessions_event WHERE session_id = ? ORDER BY id", pk
        ):
            yield f"    {_line(event)}"


def about_mounts(things: Iterable[Thing]) -> Iterator[str]:
    """For each network namespace among them, who is in it."""
    for thing in things:
        if thing.kind == "mount" and "/netns/" in thing.name:
            place = Path(thing.name)
            inside = [entry.name for entry in Path("/proc").glob("[0-9]*") if _is_in(entry, place)]
            yield f"{thing}: {'in it is ' + ', '.join(inside) if inside else 'no process is in it'}"


def _is_in(process: Path, namespace: Path) -> bool:
    try:
        return (process / "ns/net").stat().st_ino == namespace.stat().st_ino
    except OSError:
        return False


def _line(values: Iterable[object]) -> str:
    return " ".join(value if isinstance(value, str) else json.dumps(value) for value in values)
