"""`/sessions` of the REST API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from playground.accounts.models import User
from playground.api.errors import InvalidPreference
from playground.api.fields import Slug
from playground.api.gate import claims_itself
from playground.api.idempotency import Attempt
from playground.api.pagination import cursor_of, position_of
from playground.api.request import ApiRequest
from playground.database import in_database, making_in_database
from playground.sessions import pausing, services
from playground.sessions.access import get_session_for
from playground.sessions.commands import argv
from playground.sessions.models import Machine, Session
from playground.sessions.public import PublicSession, public_session
from playground.sessions.requests import SessionRequest, WantedMachine, WantedNetwork
from playground.sessions.schemas import SessionAnswer, SessionCreate, SessionExtend, SessionList, SessionPatch
from playground.sessions.selectors import sessions_of
from playground.sessions.starts import starts
from playground.sessions.states import UNSTARTED, Reason, SessionState
from runtime.engines.base import Egress

router = Router(tags=["sessions"])

LONGEST_WAIT = 60
_WAIT = re.compile(r"wait=(\d{1,4})", re.ASCII)
_LABEL_FILTER = "metadata."


@router.post("/sessions", response={201: SessionAnswer, 202: SessionAnswer}, summary="Start a session")
@claims_itself
async def create_session(request: ApiRequest, response: HttpResponse, body: SessionCreate) -> Status[PublicSession]:
    """Answers 201 when the session runs already, and 202 while it is being made.

    With `Prefer: wait=30` the answer comes when it runs or has failed, or after so many seconds.
    """
    wait = _wait_of(request)
    attempt = request.attempt
    if attempt is None or attempt.resource_id is None:
        created, machine = await making_in_database(_create)(request.person, _session_request(body), attempt)
        session = await services.start(created, machine)
    else:
        session = await in_database(get_session_for)(request.person, attempt.resource_id)
    if wait is not None:
        if session.state in UNSTARTED:
            await starts.wait(session.pk, wait)
            session = await in_database(get_session_for)(request.person, session.pk)
        response["Preference-Applied"] = f"wait={wait}"
    public = await _public(session)
    response["Location"] = public["links"]["self"]
    return Status(202 if public["state"] in UNSTARTED else 201, public)


@router.get("/sessions", response=SessionList, summary="List your sessions")
async def list_sessions(
    request: ApiRequest,
    state: Annotated[SessionState | None, Query()] = None,
    image: Annotated[Slug | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, object]:
    """Newest first, also those that have ended. `metadata.KEY=value` finds those with that label."""
    labels = {
        name.removeprefix(_LABEL_FILTER): str(value)
        for name, value in request.GET.items()
        if name.startswith(_LABEL_FILTER)
    }
    wanted = _Filter(frozenset({state}) if state else frozenset(), image, labels)
    return await in_database(_list)(request.person, wanted, limit, cursor)


@router.get("/sessions/{uuid:session_id}", response=SessionAnswer, summary="Read a session")
async def get_session(request: ApiRequest, session_id: UUID) -> PublicSession:
    """The row stays when the session has ended, and says why."""
    return await in_database(_read)(request.person, session_id)


@router.patch("/sessions/{uuid:session_id}", response=SessionAnswer, summary="Rename or label a session")
async def patch_session(request: ApiRequest, session_id: UUID, body: SessionPatch) -> PublicSession:
    """What is left out stays as it is."""

    def patch() -> PublicSession:
        session = get_session_for(request.person, session_id)
        return public_session(services.patch(session, name=body.name, metadata=body.metadata))

    return await in_database(patch)()


@router.delete("/sessions/{uuid:session_id}", response={204: None}, summary="End a session")
async def delete_session(request: ApiRequest, session_id: UUID) -> Status[None]:
    """Also when it has ended already. Its machines are removed a moment later."""

    def stop() -> None:
        services.stop(get_session_for(request.person, session_id), Reason.USER)

    await in_database(stop)()
    return Status(204, None)


@router.post("/sessions/{uuid:session_id}/extend", response=SessionAnswer, summary="Give a session more time")
async def extend_session(request: ApiRequest, session_id: UUID, body: SessionExtend) -> PublicSession:
    """From now, as far as the profile allows; never shortens."""

    def extend() -> PublicSession:
        return public_session(services.extend(get_session_for(request.person, session_id), body.ttl_seconds))

    return await in_database(extend)()


@router.post("/sessions/{uuid:session_id}/pause", response=SessionAnswer, summary="Pause a session")
async def pause_session(request: ApiRequest, session_id: UUID) -> PublicSession:
    """Stops every process in it where it is. It uses no CPU, keeps its memory and files, and is not idle meanwhile.

    Its lifetime goes on. Commands and files are refused with `session_paused`, terminals with 4409, until it is
    resumed. What is paused already stays so.
    """
    session = await in_database(get_session_for)(request.person, session_id)
    return await in_database(public_session)(await pausing.pause(session.pk))


@router.post("/sessions/{uuid:session_id}/resume", response=SessionAnswer, summary="Resume a paused session")
async def resume_session(request: ApiRequest, session_id: UUID) -> PublicSession:
    """It goes on where it was. What runs already just goes on."""
    session = await in_database(get_session_for)(request.person, session_id)
    return await in_database(public_session)(await pausing.resume(session.pk))


def _session_request(body: SessionCreate) -> SessionRequest:
    return SessionRequest(
        image=body.image,
        name=body.name,
        profile=body.profile,
        command=argv(body.command),
        environment=body.env,
        metadata=body.metadata,
        machines=[WantedMachine(machine.name, machine.image) for machine in body.machines],
        network=WantedNetwork(Egress(body.network.egress), body.network.allowed) if body.network else None,
        record=body.record,
        ttl_seconds=body.ttl_seconds,
        idle_timeout_seconds=body.idle_timeout_seconds,
    )


def _create(person: User, wanted: SessionRequest, attempt: Attempt | None) -> tuple[Session, Machine | None]:
    if attempt is None:
        return services.create_with_machine(person, wanted)
    # The key and the session are written together or not at all: a repeated request finds the session, or makes it.
    with transaction.atomic():
        attempt.claim()
        session, machine = services.create_with_machine(person, wanted)
        attempt.bind(session.pk)
    return session, machine


async def _public(session: Session) -> PublicSession:
    # Its machines and terminals came with it; for one that waits, the database is asked where it stands.
    waits = session.state in UNSTARTED
    return await in_database(public_session)(session) if waits else public_session(session)


def _read(person: User, session_id: UUID) -> PublicSession:
    return public_session(get_session_for(person, session_id))


@dataclass(frozen=True, slots=True)
class _Filter:
    states: frozenset[SessionState]
    image: str | None
    labels: Mapping[str, str]


def _list(person: User, wanted: _Filter, limit: int, cursor: str | None) -> dict[str, object]:
    sessions, position = sessions_of(
        person,
        states=wanted.states,
        image=wanted.image,
        metadata=wanted.labels,
        after=position_of(cursor),
        limit=limit,
    )
    items: list[PublicSession] = [public_session(session) for session in sessions]
    return {"items": items, "next_cursor": cursor_of(position)}


def _wait_of(request: HttpRequest) -> int | None:
    """Seconds that the caller wants to wait; None when nothing was said. Raises InvalidPreference."""
    value = request.headers.get("Prefer")
    if value is None:
        return None
    match = _WAIT.fullmatch(value.strip())
    if match is None or int(match[1]) > LONGEST_WAIT:
        raise InvalidPreference
    return int(match[1])
