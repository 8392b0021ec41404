"""What tests of the core do again and again: work through a session's life, step by step, without a worker."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from playground.accounts.models import User
from playground.database import in_database
from playground.sessions import ending, provisioning, services
from playground.sessions.models import Event, Machine, Session
from playground.sessions.requests import SessionRequest
from playground.sessions.states import UNSTARTED, MachineState, Reason, SessionState
from tests.support.hooked_engine import HookedEngine
from tests.support.waiting import until


async def created(owner: User, image: str = "busybox", **request: Any) -> UUID:
    """A new session that nobody has begun to start."""
    session = await in_database(services.create)(owner, SessionRequest(image, **request))
    return session.pk


async def running(owner: User, image: str = "busybox", **request: Any) -> Session:
    """A new session, started as a worker does it: again when the engine was too busy for the first attempt."""
    session_id = await created(owner, image, **request)

    async def is_started() -> bool:
        await provisioning.provision(session_id)
        return (await load(session_id)).state not in UNSTARTED

    await until(is_started, "the session is started", within=120)
    session = await load(session_id)
    assert session.state == SessionState.RUNNING, (session.state, session.message)
    return session


async def load(session_id: UUID) -> Session:
    """The session as it is now, with what requests read beside it."""
    return await Session.objects.prefetch_related("machines__terminals").aget(pk=session_id)


async def lapse(session_id: UUID) -> None:
    """Whoever held the session has said nothing for too long."""
    await Session.objects.filter(pk=session_id).aupdate(lease_until=timezone.now() - timedelta(seconds=1))


async def ended(session_id: UUID) -> Session:
    """Ends the session, as the owner and a worker do it, unless it has ended."""
    await in_database(services.stop)(session_id, Reason.USER)
    await ending.destroy(session_id)
    session = await load(session_id)
    assert session.state == SessionState.ENDED, (session.state, session.message)
    return session


async def machine_of(session: Session) -> Machine:
    """Its one living machine."""
    return await Machine.objects.aget(session=session, state=MachineState.READY)


async def on_engine(engine: HookedEngine) -> set[str]:
    """Ids of all machines that the engine has."""
    return {status.machine_id for status in await engine.inner.machines()}


async def history(session_id: UUID) -> list[str]:
    """What kinds of events the session has, in order."""
    return [kind async for kind in Event.objects.filter(session_id=session_id).values_list("kind", flat=True)]
