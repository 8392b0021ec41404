"""What a session may be asked to be. Every value comes from outside."""

import re
from dataclasses import dataclass, field

from django.conf import settings

from playground.sessions.errors import BeyondProfile, InvalidRequest
from runtime.engines import reachable
from runtime.engines.base import Egress

MAX_NAME = 100
MAX_PATH = 4096
MAX_ARGUMENTS = 64
MAX_VARIABLES = 64
MAX_LABELS = 32
MAX_LABEL = 512
MAX_PROCESS_BYTES = 32 * 1024
"""Of a command and its environment together: they fit into one frame of sandboxd with room to spare."""
MIN_SECONDS = 1
MAX_LOOKED_UP = 8
"""Host names of one request, which this host looks up for whoever asks."""

# Neither control characters, nor line ends, nor what turns the direction of text that stands beside it.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069"
NAME = rf"^[^\s{_UNSEEN}][^{_UNSEEN}]*$"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")


MAIN = "main"
MAX_MACHINES = 5
"""Of one session, its main machine among them."""
MACHINE_NAME = r"^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$"
"""Also a host name."""


@dataclass(frozen=True, slots=True)
class WantedMachine:
    """One more machine beside the main one."""

    name: str
    image: str


@dataclass(frozen=True, slots=True)
class WantedNetwork:
    """What machines are to reach: no more than the profile lets them."""

    egress: Egress
    allowed: list[str] | None = None
    """With `allowlist`: host names and IPv4 networks. None: all that the profile has on its own."""


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What somebody asks for. `None` and empty mean: as the profile and the image say."""

    image: str
    name: str | None = None
    profile: str | None = None
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    machines: list[WantedMachine] = field(default_factory=list)
    """Beside the main one, which `image` is of."""
    network: WantedNetwork | None = None
    record: bool = False
    ttl_seconds: int | None = None
    idle_timeout_seconds: int | None = None


def check_request(request: SessionRequest) -> None:
    """Raises InvalidRequest, naming the field, for what no profile allows."""
    if request.name is not None:
        check_name(request.name)
    check_process(request.command, request.environment)
    check_metadata(request.metadata)
    check_machines(request.machines)
    check_network(request.network)


def check_machines(machines: list[WantedMachine]) -> None:
    """Names that can be told apart, and from the main machine's."""
    names = {machine.name for machine in machines}
    if len(machines) >= MAX_MACHINES:
        raise InvalidRequest(f"A session has at most {MAX_MACHINES} machines, with its main one.", field="machines")
    if len(names) < len(machines) or names & {MAIN, "localhost"}:
        raise InvalidRequest("Each machine has a name of its own, and none but the first is main.", field="machines")
    if not all(re.fullmatch(MACHINE_NAME, name) for name in names):
        raise InvalidRequest("A machine's name has up to 32 letters, digits and hyphens, like db-1.", field="machines")


def check_network(network: WantedNetwork | None) -> None:
    """An allow-list that machines of this site can have, and where there is one."""
    if network is None or network.allowed is None:
        return
    if network.egress is not Egress.ALLOWLIST:
        raise InvalidRequest("Only the egress allowlist has a list.", field="network.allowed")
    try:
        found = reachable.parse(network.allowed, settings.PLAYGROUND_EGRESS_OPEN)
    except ValueError as error:
        raise InvalidRequest(str(error), field="network.allowed") from error
    if not (found.names or found.networks):
        raise InvalidRequest("An allow-list names what is to be reached.", field="network.allowed")
    if len(found.names) > MAX_LOOKED_UP:
        raise InvalidRequest(f"At most {MAX_LOOKED_UP} host names; networks are no names.", field="network.allowed")


def check_name(name: str) -> None:
    """1 to 100 characters of one line, the first of them no space."""
    if len(name) > MAX_NAME or not re.fullmatch(NAME, name):
        raise InvalidRequest(f"A name has 1 to {MAX_NAME} printable characters.", field="name")


def check_process(command: list[str], environment: dict[str, str]) -> None:
    """A command and its environment that `execve` can be given."""
    if len(command) > MAX_ARGUMENTS or (command and not command[0]) or any("\0" in part for part in command):
        raise InvalidRequest(f"A command has 1 to {MAX_ARGUMENTS} arguments without NUL.", field="command")
    if len(environment) > MAX_VARIABLES or not all(
        _VARIABLE.fullmatch(name) and "\0" not in value for name, value in environment.items()
    ):
        raise InvalidRequest(f"At most {MAX_VARIABLES} variables, named like PATH_2, without NUL.", field="env")
    try:
        size = sum(len(text.encode()) + 1 for text in (*command, *environment.keys(), *environment.values()))
    except UnicodeEncodeError:
        raise InvalidRequest("The command or its environment is not valid Unicode.", field="command") from None
    if size > MAX_PROCESS_BYTES:
        raise InvalidRequest(f"A command and its environment have at most {MAX_PROCESS_BYTES} bytes.", field="command")


def check_place(directory: str | None, user: str | None = None) -> None:
    """An absolute path to run in, and somebody to run as; whether they exist, the machine knows."""
    if directory is not None and (not directory.startswith("/") or "\0" in directory or len(directory) > MAX_PATH):
        raise InvalidRequest("A directory is an absolute path without NUL.", field="cwd")
    if user is not None and ("\0" in user or not 1 <= len(user) <= MAX_NAME):
        raise InvalidRequest("A user is a name, a number, or either with a group.", field="user")


def check_metadata(metadata: dict[str, str]) -> None:
    """Labels of the owner's own."""
    if len(metadata) > MAX_LABELS or not all(
        _LABEL.fullmatch(key) and len(value) <= MAX_LABEL and "\0" not in value for key, value in metadata.items()
    ):
        raise InvalidRequest(
            f"At most {MAX_LABELS} labels, named like course.name, of at most {MAX_LABEL} characters.", field="metadata"
        )


def checked_seconds(value: int | None, default: int, most: int, field_name: str) -> int:
    """`value`, or `default` when there is none. Raises InvalidRequest below 1, BeyondProfile above `most`."""
    if value is None:
        return min(default, most)
    if value < MIN_SECONDS:
        raise InvalidRequest(f"{field_name} is at least {MIN_SECONDS}.", field=field_name)
    if value > most:
        raise BeyondProfile(f"{field_name} is at most {most} with this profile.", field=field_name)
    return value
