"""Making one machine: its row first, then the machine, then its terminals. For sessions and for pools."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from playground.database import in_database
from playground.engine import get_engine
from playground.host import reports
from playground.images.models import Image
from playground.sessions.dialogue import talk
from playground.sessions.labels import labels_of
from playground.sessions.models import Machine, Profile, Session, Terminal
from playground.sessions.names import longer_hostname
from playground.sessions.network import network_of
from playground.sessions.profiles import DISK_QUOTA, fingerprint, limits_of
from playground.sessions.requests import MAIN, MAX_NAME
from runtime.engines.base import MachineSpec
from runtime.errors import CommandFailed, CommandNotExecutable, CommandNotFound
from runtime.terminal.client import SandboxdClient
from runtime.terminal.requests import AttachFlag

CREATE_SECONDS = 60
TALK_SECONDS = 10
DEADLINE_MARGIN = timedelta(seconds=60)
"""How long after its session's time a machine ends by itself, should everything of ours be dead."""
USUAL_SHELLS: tuple[tuple[str, ...], ...] = (("/bin/bash",), ("/bin/sh",), ("/bin/ash",), ("/bin/busybox", "sh"))
SERVICE_TERMINAL = "service"
COLOURS: Mapping[str, str] = {"COLORTERM": "truecolor"}
"""TERM does not say that terminals draw 24-bit colours; programs look here."""


@dataclass(frozen=True, slots=True)
class Process:
    """One terminal to open in a new machine: the first of `commands` that exists there."""

    name: str
    """Empty: named after the command."""
    commands: Sequence[Sequence[str]]
    environment: Mapping[str, str]
    is_main: bool = False
    optional: bool = False
    """Whether the machine is as it should be when none of the commands exists."""
    kept: bool = False
    """It waits rather than that output is lost before it is recorded."""


def deadline_seconds(session: Session) -> int:
    """What a new machine of this session is told."""
    return session.lifetime_seconds + int(DEADLINE_MARGIN.total_seconds())


def insert_machine(
    image: Image,
    profile: Profile,
    hostname: str,
    deadline: timedelta,
    session: Session | None = None,
    *,
    name: str = MAIN,
) -> Machine:
    """Writes the row of a machine that is about to be made, `creating`. A taken host name gets a longer one."""
    row = {
        "session": session,
        "name": name,
        "image": image,
        "image_digest": image.digest,
        "profile": profile,
        "fingerprint": fingerprint(image, profile, reports.report()),
        "deadline_at": timezone.now() + deadline,
    }
    try:
        with transaction.atomic():
            return Machine.objects.create(hostname=hostname, **row)
    except IntegrityError:
        return Machine.objects.create(hostname=longer_hostname(hostname), **row)


def processes_of(image: Image, session: Session | None = None) -> list[Process]:
    """What runs in a new machine: the session's own command, else the image's service and a shell."""
    environment = session.environment if session else {}
    kept = session is not None and session.is_recorded
    if session and session.command:
        return [Process("", [session.command], environment, is_main=True, kept=kept)]
    shells = shells_of(image)
    if not image.command:
        return [Process("", shells, environment, kept=kept)]
    return [
        Process(SERVICE_TERMINAL, [image.command], environment, is_main=True, kept=kept),
        Process("", shells, environment, optional=True, kept=kept),
    ]


def shells_of(image: Image) -> list[Sequence[str]]:
    """What may be a shell there, the likeliest first."""
    return [image.shell, *USUAL_SHELLS] if image.shell else list(USUAL_SHELLS)


async def make_machine(machine: Machine, processes: Sequence[Process], network_id: str | None = None) -> list[Terminal]:
    """Creates the machine on the engine and opens its terminals; answers their rows, not yet written.

    `network_id` is the same for machines that are to reach each other: the id of one that is made before the others.

    Raises RuntimeFailure or TimeoutError; then call `remove_machine`.
    """
    profile, network = machine.profile, network_of(machine.session or machine.profile)
    spec = MachineSpec(
        disk_quota=await in_database(_has_disk_quota)(),
        machine_id=machine.pk.hex,
        hostname=machine.hostname,
        image=machine.image.reference,
        limits=limits_of(profile),
        egress=network.egress,
        deadline_seconds=max(1, int((machine.deadline_at - timezone.now()).total_seconds())),
        labels=labels_of(machine.session),
        allowed=network.allowed,
        download_bytes_per_second=profile.download_bytes_per_second,
        upload_bytes_per_second=profile.upload_bytes_per_second,
        network_id=network_id,
        alias=machine.name,
    )
    async with asyncio.timeout(CREATE_SECONDS):
        await get_engine().create(spec)
    async with asyncio.timeout(TALK_SECONDS):
        return await open_terminals(machine, processes)


def _has_disk_quota() -> bool:
    return reports.has(DISK_QUOTA, reports.report())


async def open_terminals(machine: Machine, processes: Sequence[Process]) -> list[Terminal]:
    """Opens one terminal for each process. Raises RuntimeFailure."""
    opened = []
    async with talk(machine.pk) as client:
        for process in processes:
            try:
                opened.append(await open_process(client, machine, process))
            except (CommandNotFound, CommandNotExecutable):
                if not process.optional:
                    raise
    return opened


async def open_process(
    client: SandboxdClient,
    machine: Machine,
    process: Process,
    *,
    cols: int = 80,
    rows: int = 24,
    directory: str | None = None,
) -> Terminal:
    """Opens a terminal with the first of the commands that exists; answers its row, not yet written.

    Raises CommandFailed, for the first command, when none does.
    """
    missing: CommandFailed | None = None
    for command in process.commands:
        terminal_id = uuid4()
        try:
            await client.open(
                terminal_id.hex,
                command,
                cols=cols,
                rows=rows,
                environment={**COLOURS, **process.environment},
                directory=directory,
                main=process.is_main,
                keep=process.kept,
            )
        except (CommandNotFound, CommandNotExecutable) as error:
            missing = missing or error
        else:
            name = process.name or PurePosixPath(command[0]).name[:MAX_NAME]
            return Terminal(
                id=terminal_id,
                machine=machine,
                name=name,
                command=list(command),
                is_main=process.is_main,
                is_kept=process.kept,
            )
    raise missing or CommandNotFound("There is no command to run.")


async def tell_deadline(machine_id: UUID, seconds: int) -> None:
    """Tells sandboxd when to end the machine. Its answer also proves that the machine lives. Raises RuntimeFailure."""
    async with asyncio.timeout(TALK_SECONDS), talk(machine_id) as client:
        await client.deadline(seconds)


async def keep_output(machine_id: UUID) -> None:
    """Nothing of what its terminals write is lost from now on before it is recorded. Raises RuntimeFailure."""
    async with asyncio.timeout(TALK_SECONDS):
        async with talk(machine_id) as client:
            terminals = await client.terminals()
        for terminal in terminals:
            async with talk(machine_id) as keeper:
                await keeper.attach(terminal.terminal_id, offset=0, observe=True, keeping=AttachFlag.KEEP)
