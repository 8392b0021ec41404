"""Bodies and answers of the API about sessions. Answers have the fields of `public`; a test compares them."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from playground.api.fields import (
    WHOLE,
    AbsolutePath,
    Argument,
    Arguments,
    Environment,
    Metadata,
    Name,
    Program,
    RequestBody,
    Seconds,
    Size,
    Slug,
)
from playground.api.schemas import Instant
from playground.sessions.requests import MACHINE_NAME, MAX_LOOKED_UP, MAX_MACHINES
from playground.sessions.states import MachineState, Reason, SessionState
from runtime.engines.base import Egress
from runtime.engines.reachable import MAX_ENTRIES

MAX_EXEC_SECONDS = 600
MAX_STDIN = 512 * 1024
MAX_ENTRY = 253

Text = Literal["main"] | Slug
Reach = Literal["none", "internet", "allowlist"]
Command = Annotated[
    Program | Arguments,
    Field(description="A line for `sh -c`, or the arguments themselves.", examples=["make test", ["ls", "-l"]]),
]


class MachineCreate(RequestBody):
    """One more machine of a session."""

    name: Annotated[str, Field(pattern=MACHINE_NAME)] = Field(
        description="What the others reach it by, and what it is called in `machine`. Not `main`.", examples=["db"]
    )
    image: Slug


def _or_a_word(schema: dict[str, Any]) -> None:
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "enum": list(get_args(Reach))}, whole]


class NetworkCreate(RequestBody):
    """What the session's machines are to reach: as much as the profile lets them, or less. A word is its `egress`."""

    model_config = ConfigDict(json_schema_extra=_or_a_word)

    egress: Reach
    allowed: list[Annotated[str, Field(min_length=1, max_length=MAX_ENTRY)]] | None = Field(
        None,
        min_length=1,
        max_length=MAX_ENTRIES,
        description=f"With `allowlist`: IPv4 networks, and up to {MAX_LOOKED_UP} host names.",
        examples=[["deb.debian.org", "198.51.100.0/24"]],
    )

    @model_validator(mode="before")
    @classmethod
    def _of_a_word(cls, value: object) -> object:
        return {"egress": value} if isinstance(value, str) else value


class SessionCreate(RequestBody):
    """What a session is to be. What is left out is as the profile and the image say."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"image": "debian", "name": "try something"}]})

    image: Slug = Field(description="The id of a catalogue entry.")
    name: Name | None = None
    profile: Slug | None = Field(None, description="A named set of limits; see /profiles.")
    command: Command | None = Field(None, description="The main process: when it ends, the session ends.")
    env: Environment = Field({}, description="For every process that is started in it. Never shown again.")
    metadata: Metadata = Field({}, description="Labels of your own; lists can be filtered by them.")
    machines: list[MachineCreate] = Field(
        [],
        max_length=MAX_MACHINES - 1,
        description="More machines beside `main`, with the same profile. They reach each other by name.",
    )
    network: NetworkCreate | None = Field(
        None, description="What machines reach, where that is to be less than the profile's.", examples=["none"]
    )
    record: bool = Field(False, description="Record what its terminals show, where the profile lets you.")
    ttl_seconds: Seconds | None = Field(None, description="The session ends after so long.")
    idle_timeout_seconds: Seconds | None = Field(None, description="... or when nobody used it for so long.")


class SessionPatch(RequestBody):
    """What is left out stays as it is."""

    name: Name | None = None
    metadata: Metadata | None = Field(None, description="Replaces all labels.")


class SessionExtend(RequestBody):
    """From now; never shortens."""

    ttl_seconds: Seconds


class MachineAnswer(BaseModel):
    """One container of a session."""

    id: str
    name: str
    hostname: str
    image: str
    state: MachineState


class TerminalAnswer(BaseModel):
    """A PTY in a machine."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    machine: str
    name: str
    is_named: bool = Field(description="Somebody chose the name; else it is that of the command.")
    is_main: bool
    websocket_url: str


class ReachAnswer(BaseModel):
    """What the machines of a session reach beyond it."""

    egress: Egress
    allowed: list[str] = Field(description="With the egress `allowlist`: host names and IPv4 networks.")


class QueueAnswer(BaseModel):
    """Where a session stands among those who wait for a machine."""

    position: int = Field(description="1 is next.")
    estimate_seconds: int | None = Field(description="Until it runs; null while the host is full.")


class SessionAnswer(BaseModel):
    """A session, as its owner sees it."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    name: str
    hostname: str
    state: SessionState
    reason: Reason | None = Field(description="Why it ends or ended.")
    message: str = Field(description="For a person: what is being done, or how it ended.")
    queue: QueueAnswer | None = Field(description="While it waits for a machine to be made.")
    image: str
    profile: str
    network: ReachAnswer
    machines: list[MachineAnswer]
    terminals: list[TerminalAnswer]
    metadata: dict[str, str]
    is_recorded: bool = Field(description="What its terminals show is recorded; what is typed is not.")
    is_recording_required: bool = Field(description="Its profile wants it recorded: that can't be stopped.")
    recording_stopped_at: Instant | None = Field(description="When its owner stopped it.")
    created_at: Instant
    started_at: Instant | None
    expires_at: Instant | None
    last_activity_at: Instant | None
    ended_at: Instant | None
    exit_code: int | None
    links: dict[str, str]


class SessionList(BaseModel):
    """A page, newest first."""

    items: list[SessionAnswer]
    next_cursor: str | None


class TerminalCreate(RequestBody):
    """A new terminal. Without a command it is the image's shell."""

    machine: Text = "main"
    name: Name | None = None
    command: Command | None = None
    cwd: AbsolutePath | None = None
    env: Environment = {}
    cols: Size = 80
    rows: Size = 24


class TerminalPatch(RequestBody):
    """What is left out stays as it is."""

    name: Name | None = None


class TerminalProcess(BaseModel):
    """What runs in a terminal now, as its machine says."""

    command: str | None = Field(description="A program in the foreground; null while the terminal's own process waits.")
    directory: str | None = Field(description="Where the terminal's own process works; null when that can't be known.")


class TerminalList(BaseModel):
    """All terminals of a session."""

    items: list[TerminalAnswer]
    next_cursor: None = None


class Ticket(BaseModel):
    """Opens the terminal's socket once, where no header can be sent."""

    url: str
    ticket: str
    expires_in: int = Field(description="Seconds.")


class ExecCreate(RequestBody):
    """A command without a terminal."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"command": "echo hello"}]})

    command: Command
    machine: Text = "main"
    cwd: AbsolutePath | None = None
    env: Environment = {}
    stdin: str | None = Field(None, max_length=MAX_STDIN, description="All that the command reads, as UTF-8.")
    user: Annotated[Argument, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Name, uid, uid:gid or name:group."
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=MAX_EXEC_SECONDS), WHOLE] = 60


class ExecAnswer(BaseModel):
    """How the command ended."""

    exit_code: int | None = Field(description="Null when a signal ended it.")
    signal: int | None
    stdout: str = Field(description="UTF-8; bytes that are not are replaced by U+FFFD.")
    stderr: str
    stdout_truncated: bool
    stderr_truncated: bool
    timed_out: bool
    duration_ms: int


class FileEntry(BaseModel):
    """One entry of a directory."""

    name: str
    type: str = Field(description="file, directory, link or other.")
    size_bytes: int
    mode: str = Field(description="Permission bits, octal.")
    modified_at: Instant


class FileList(BaseModel):
    """What is in a directory."""

    items: list[FileEntry]
    next_cursor: None = None
    truncated: bool = Field(description="There is more than is listed.")
