"""Pages of sessions: the catalogue, and each one's own. All but the terminal works without scripts."""

from collections.abc import Callable, Coroutine
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from playground import security
from playground.accounts.models import User
from playground.database import in_database
from playground.errors import SiteError
from playground.host import reports
from playground.images.cards import cards
from playground.sessions import pausing, selectors, services
from playground.sessions.access import get_session_for
from playground.sessions.again import asked_again
from playground.sessions.errors import SessionUnknown
from playground.sessions.models import Session
from playground.sessions.offers import start_choices
from playground.sessions.public import instant, public_image, public_session
from playground.sessions.requests import SessionRequest
from playground.sessions.states import ALIVE, STARTED, Reason, SessionState
from runtime.errors import RuntimeFailure


@never_cache
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """The images that can be started, and the person's living sessions. Without a sign-in, what this is."""
    user = request.user
    if not isinstance(user, User):
        return render(request, "landing.html")
    sessions, _ = selectors.sessions_of(user, states=ALIVE | {SessionState.STOPPING})
    found = reports.report()
    context = {
        "sessions": sessions,
        "cards": cards(list(selectors.catalogue())),
        **start_choices(found),
        "host_gaps": reports.gaps(found) if user.is_staff else [],
    }
    return render(request, "sessions/catalogue.html", context)


@login_required
@require_POST
async def start(request: HttpRequest) -> HttpResponse:
    """Starts a session on `image` with `profile` and goes to its page, which shows how far it is."""
    user = await request.auser()
    assert isinstance(user, User)
    wanted = SessionRequest(
        image=request.POST.get("image", ""),
        profile=request.POST.get("profile") or None,
        record="record" in request.POST,
    )
    return await _started(request, user, wanted) or redirect("catalogue")


@login_required
@require_POST
async def start_again(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Starts another session that is asked for what this one was, and goes to its page."""
    user = await request.auser()
    assert isinstance(user, User)
    wanted = await in_database(_asked_again)(request, session_id)
    return await _started(request, user, wanted) or redirect("session", session_id)


async def _started(request: HttpRequest, user: User, wanted: SessionRequest) -> HttpResponse | None:
    """None: it was refused, and the next page says why."""
    try:
        session = await services.launch(user, wanted)
    except SiteError as error:
        messages.error(request, str(error))
        return None
    return redirect("session", session.pk)


def _asked_again(request: HttpRequest, session_id: UUID) -> SessionRequest:
    return asked_again(_own(request, session_id))


@never_cache
@login_required
@require_safe
def session_page(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The session's terminals; how far it is while it starts; why it ended when it has."""
    session = _own(request, session_id)
    context = {
        "session": session,
        "alive": session.state in ALIVE,
        "final": session.state in {*STARTED, SessionState.ENDED},
        "can_stop_recording": session.is_recorded and not session.is_recording_required and session.state in STARTED,
        "page_data": _page_data(session),
    }
    response = render(request, "sessions/session.html", context)
    # xterm.js sizes its rows and colours its cells by style elements and attributes.
    response["Content-Security-Policy"] = security.policy(inline_styles=True, webassembly=True)
    return response


@login_required
@require_POST
def extend(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Gives the session its profile's lifetime from now."""
    session = _own(request, session_id)
    try:
        services.extend(session, session.profile.lifetime_seconds)
    except SiteError as error:
        messages.error(request, str(error))
    return redirect("session", session_id)


@login_required
@require_POST
def end(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Ends the session; a second time changes nothing."""
    services.stop(_own(request, session_id), Reason.USER)
    return redirect("session", session_id)


@login_required
@require_POST
async def pause(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Stops everything in the session where it is."""
    return await _moved(request, session_id, pausing.pause)


@login_required
@require_POST
async def resume(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Lets a paused session go on."""
    return await _moved(request, session_id, pausing.resume)


async def _moved(
    request: HttpRequest, session_id: UUID, move: Callable[[UUID], Coroutine[object, object, Session]]
) -> HttpResponse:
    await request.auser()
    session = await in_database(_own)(request, session_id)
    try:
        await move(session.pk)
    except (SiteError, RuntimeFailure) as error:
        messages.error(request, str(error))
    return redirect("session", session_id)


def _own(request: HttpRequest, session_id: UUID) -> Session:
    assert isinstance(request.user, User)
    try:
        return get_session_for(request.user, session_id)
    except SessionUnknown as error:
        raise Http404 from error


def _page_data(session: Session) -> dict[str, object]:
    """What `frontend/src/sessions/page-data.ts` reads."""
    profile = session.profile
    return {
        "session": public_session(session),
        "variables": session.environment_names,
        "image": public_image(session.image),
        "profile": {
            "title": profile.title,
            "lifetime_seconds": profile.lifetime_seconds,
            "max_lifetime_seconds": profile.max_lifetime_seconds,
        },
        "now": instant(timezone.now()),
    }
