"""What people and the API do to sessions. Synchronous unless it says so; each is one short transaction."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from playground.accounts.models import User
from playground.database import in_database, making_in_database
from playground.host import reports
from playground.images.models import Image
from playground.sessions import capacity, expiring, pools, provisioning, queue, quotas
from playground.sessions.access import get_session_for
from playground.sessions.ending import stop
from playground.sessions.enforceable import check_enforceable
from playground.sessions.errors import (
    LifetimeExhausted,
    SessionNotRunning,
    TerminalUnknown,
    UnknownImage,
    UnknownProfile,
)
from playground.sessions.events import record
from playground.sessions.making import deadline_seconds
from playground.sessions.models import Machine, PlannedMachine, Profile, Session, Terminal
from playground.sessions.names import default_session_name, free_hostname
from playground.sessions.network import agreed
from playground.sessions.profiles import recorded, recording_required
from playground.sessions.public import instant
from playground.sessions.requests import SessionRequest, check_metadata, check_name, check_request, checked_seconds
from playground.sessions.states import STARTED, SessionState
from playground.sessions.transitions import load

__all__ = [
    "SessionRequest",
    "create",
    "create_with_machine",
    "extend",
    "launch",
    "note_activity",
    "patch",
    "start",
    "stop",
    "use",
]

ACTIVITY_RESOLUTION = timedelta(seconds=5)
"""Activity is written at most this often."""


def create(owner: User, request: SessionRequest) -> Session:
    """`create_with_machine`, for who starts it later or not at all."""
    return create_with_machine(owner, request)[0]


def create_with_machine(owner: User, request: SessionRequest) -> tuple[Session, Machine | None]:
    """Writes a new session, `pending`, with a pool machine claimed when one fits; follow it by `start`.

    When none fits, a worker is asked to make a machine once this is committed. Should the broker not answer, the sweep
    does that within seconds. What the host is known not to enforce is refused. Raises InvalidRequest, UnknownImage,
    UnknownProfile, BeyondProfile, CapabilityUnavailable, QuotaExceeded, HostFull; then nothing was written.
    """
    check_request(request)
    image = _image(request.image, "image")
    others = [(wanted.name, _image(wanted.image, "machines")) for wanted in request.machines]
    profile = _profile(request.profile)
    network = agreed(profile, request.network)
    session = Session(
        owner=owner,
        image=image,
        profile=profile,
        egress=network.egress.value,
        allowed="\n".join(network.allowed),
        command=request.command,
        environment=request.environment,
        environment_names=sorted(request.environment),
        metadata=request.metadata,
        is_recorded=recorded(profile, request.record),
        is_recording_required=recording_required(profile),
        lifetime_seconds=checked_seconds(
            request.ttl_seconds, profile.lifetime_seconds, profile.max_lifetime_seconds, "ttl_seconds"
        ),
        idle_seconds=checked_seconds(
            request.idle_timeout_seconds, profile.idle_seconds, profile.max_lifetime_seconds, "idle_timeout_seconds"
        ),
    )
    found = reports.report()
    check_enforceable(profile, network.egress, found, together=bool(others))
    capacity.check_fits(profile, 1 + len(others))
    reports.check(profile.requires, found)
    with transaction.atomic():
        quotas.reserve(owner, network.egress)
        # Before the row is there: whose machine it becomes is checked when this is committed.
        fits = pools.eligible(request, session)
        machine = pools.claim(session, deadline_seconds(session), found) if fits else None
        if machine is None:
            capacity.check_queue()
        session.hostname = machine.hostname if machine else free_hostname()
        session.name = request.name or default_session_name(image.slug, session.hostname)
        session.save(force_insert=True)
        for name, other in others:
            PlannedMachine.objects.create(session=session, name=name, image=other)
        if machine is None:
            transaction.on_commit(lambda: queue.provision(session.pk), robust=True)
        else:
            queue.refill_on_commit(image.slug)
        record(
            session,
            "created",
            {"claimed": machine is not None, "recorded": session.is_recorded},
            silent=machine is not None,
        )
    return session, machine


def _image(slug: str, field: str) -> Image:
    try:
        return Image.objects.get(slug=slug, enabled=True)
    except Image.DoesNotExist:
        raise UnknownImage("There is no such image in the catalogue.", field=field) from None


def _profile(slug: str | None) -> Profile:
    wanted = Q(is_default=True) if slug is None else Q(slug=slug)
    profile = Profile.objects.filter(wanted).first()
    if profile is None:
        raise UnknownProfile("There is no such profile.", field="profile")
    return profile


async def start(created: Session, machine: Machine | None) -> Session:
    """Right after `create_with_machine`: makes sure that the machine answers, and moves the session to `running`.

    A machine that does not answer is dropped and the next one claimed. Without one, or when the engine is not there,
    the session is answered as it is, `pending`, and a worker starts it. Never raises for what happens on the engine.
    """
    session = await provisioning.start_just_claimed(created, machine) if machine else None
    if session is None:
        session = await in_database(load)(created.pk)
        if session.state == SessionState.PENDING and session.machines.all():
            await in_database(queue.provision)(session.pk)
    return session


async def launch(owner: User, request: SessionRequest) -> Session:
    """`create_with_machine`, then `start`."""
    return await start(*await making_in_database(create_with_machine)(owner, request))


def extend(session: Session, ttl_seconds: int) -> Session:
    """Lets it run for `ttl_seconds` from now, as far as its profile allows; never shortens.

    The machine is told its new deadline by a worker. Raises InvalidRequest, SessionNotRunning, LifetimeExhausted.
    """
    checked_seconds(ttl_seconds, 0, session.profile.max_lifetime_seconds, "ttl_seconds")
    with transaction.atomic():
        current = _alive(session.pk)
        if current.expires_at is None or current.started_at is None:
            raise SessionNotRunning("The session is not running.")
        wanted = timezone.now() + timedelta(seconds=ttl_seconds)
        most = current.started_at + timedelta(seconds=current.profile.max_lifetime_seconds)
        if wanted > most and current.expires_at >= most:
            raise LifetimeExhausted("The session lasts as long as its profile allows.")
        new = min(wanted, most)
        if new > current.expires_at:
            Session.objects.filter(pk=session.pk, state__in=STARTED, expires_at__lt=new).update(expires_at=new)
            current = load(session.pk)
            record(current, "extended", {"expires_at": instant(new)})
            transaction.on_commit(lambda: queue.push_deadline(session.pk), robust=True)
    return current


def _alive(session_id: UUID) -> Session:
    session = Session.objects.select_related("profile").prefetch_related("machines__terminals").get(pk=session_id)
    if session.state not in STARTED:
        raise SessionNotRunning("The session is not running.")
    return session


def patch(session: Session, *, name: str | None = None, metadata: dict[str, str] | None = None) -> Session:
    """Gives it another name, other labels, or both. Raises InvalidRequest."""
    changes: dict[str, object] = {}
    if name is not None:
        check_name(name)
        changes["name"] = name
    if metadata is not None:
        check_metadata(metadata)
        changes["metadata"] = metadata
    with transaction.atomic():
        if changes:
            Session.objects.filter(pk=session.pk).update(**changes)
        current = load(session.pk)
        if changes:
            record(current, "changed", {"fields": sorted(changes)})
    return current


def rename_terminal(session: Session, terminal: Terminal, name: str) -> None:
    """Gives a terminal another name. Raises InvalidRequest; TerminalUnknown when it was closed meanwhile."""
    check_name(name)
    with transaction.atomic():
        if not Terminal.objects.filter(pk=terminal.pk).update(name=name):
            raise TerminalUnknown("There is no such terminal.")
        record(load(session.pk), "terminal_renamed", {"terminal": str(terminal.pk), "name": name})


def use(person: User, session_id: UUID) -> Session:
    """The person's own session, with its machines, about to be worked in. Raises SessionUnknown."""
    session = get_session_for(person, session_id, terminals=False)
    if session.last_activity_at is None or session.last_activity_at < timezone.now() - ACTIVITY_RESOLUTION:
        note_activity(session.pk)
    return session


def note_activity(session_id: UUID) -> None:
    """Somebody typed, ran a command or touched a file: puts the idle limit off. Cheap to call often."""
    now = timezone.now()
    rows = Session.objects.filter(
        Q(last_activity_at__isnull=True) | Q(last_activity_at__lt=now - ACTIVITY_RESOLUTION),
        pk=session_id,
        state=SessionState.RUNNING,
    ).update(last_activity_at=now)
    if rows:
        expiring.keep(session_id)
