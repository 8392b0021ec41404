"""Pages of guests: coming in by a link, watching, asking to type, leaving. No account is needed for any of them.

A link's token is behind the `#` of its address, which browsers keep to themselves: the page sends it once, in the body
of a request, and gets a cookie that scripts can't read. So no secret stands in an address that is logged or kept.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from pydantic import Field, ValidationError

from playground import security
from playground.accounts.models import User
from playground.api.errors import RateLimited
from playground.api.fields import RequestBody
from playground.api.problems import answer_to, problem_of, request_id_of
from playground.api.rate_limits import take
from playground.database import in_database
from playground.errors import SiteError
from playground.sessions.access import get_session_for
from playground.sessions.errors import InvalidRequest, SessionUnknown
from playground.sessions.models import Session
from playground.sessions.public import instant
from playground.sharing import limits, selectors, services
from playground.sharing.errors import GuestUnknown
from playground.sharing.models import Guest, Role, ShareLink
from playground.sharing.public import public_visit
from playground.sharing.standing import check_link

MOST_BYTES = 8192

View = Callable[..., Coroutine[Any, Any, HttpResponse]]
Body = TypeVar("Body", bound=RequestBody)


class Look(RequestBody):
    """What a link leads to."""

    token: str = Field(min_length=1, max_length=100)


class Enter(Look):
    """Coming in by it."""

    name: str


def answers(view: View) -> View:
    """Refusals as problems, and nothing kept by anybody on the way."""

    @wraps(view)
    async def answered(request: HttpRequest, *args: object, **values: object) -> HttpResponse:
        try:
            return await view(request, *args, **values)
        except SiteError as error:
            return answer_to(request, error)

    return never_cache(answered)


@never_cache
@require_safe
def join(request: HttpRequest) -> HttpResponse:
    """Asks for a name; its script knows the link."""
    response = render(request, "sharing/join.html", {"longest": limits.LONGEST_NAME})
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
@answers
@sensitive_variables("body")
async def look(request: HttpRequest) -> HttpResponse:
    """Whose session the link leads to, and as what one comes in."""
    await _count(request)
    body = _body(request, Look)

    def read() -> dict[str, object]:
        link = selectors.link_of_token(body.token)
        check_link(link, link.session, timezone.now())
        session = link.session
        return {
            "session": session.name,
            "owner": session.owner.get_username(),
            "role": link.role,
            "is_recorded": session.is_recorded,
            "until": instant(link.expires_at),
        }

    return JsonResponse(await in_database(read)())


@require_POST
@answers
@sensitive_variables("body", "token")
async def enter(request: HttpRequest) -> HttpResponse:
    """Changes the link's token into a cookie of this browser, for this session."""
    await _count(request)
    body = _body(request, Enter)
    link = await in_database(selectors.link_of_token)(body.token)
    await _take(f"share-link:{link.pk}", limits.ENTRIES_OF_A_LINK)

    def come(link: ShareLink) -> tuple[Guest, str]:
        return services.enter(link, body.name, _before(request, link.session_id))

    guest, token = await in_database(come)(link)
    response = JsonResponse({"page": f"/watch/{guest.session_id}"}, status=201)
    _give(response, guest, token)
    return response


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def by_right(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """An administrator comes in: asks first, because the owner is told."""
    session = _session_for_staff(request, session_id)
    assert isinstance(request.user, User)
    if request.method != "POST":
        return render(request, "sharing/by_right.html", {"session": session})
    role = Role.HELPER if request.POST.get("role") == Role.HELPER else Role.OBSERVER
    try:
        guest, token = services.enter_by_right(request.user, session, role, _before(request, session_id))
    except SiteError as error:
        return render(
            request, "sharing/by_right.html", {"session": session, "problem": str(error)}, status=error.status
        )
    response = redirect("watch", session_id)
    _give(response, guest, token)
    return response


@never_cache
@require_safe
def watch(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The session's terminals, for a guest. Who is none is told so, whether there is such a session or not."""
    try:
        data: dict[str, object] = {"visit": public_visit(selectors.guest_of_cookies(request.COOKIES, session_id))}
        status = 200
    except SiteError as error:
        data = {"problem": problem_of(error, request_id_of(request))}
        status = error.status
    context = {"page_data": {"id": str(session_id), "now": instant(timezone.now()), **data}, **data}
    response = render(request, "sharing/watch.html", context, status=status)
    # xterm.js sizes its rows and colours its cells by style elements and attributes.
    response["Content-Security-Policy"] = security.policy(inline_styles=True)
    return response


@require_safe
@answers
async def state(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """What the guest's page shows now; asked for every few seconds."""

    def read() -> dict[str, Any]:
        guest = selectors.guest_of_cookies(request.COOKIES, session_id)
        visit = public_visit(guest)
        services.note_seen([guest.pk])
        return {"visit": visit, "now": instant(timezone.now())}

    return JsonResponse(await in_database(read)())


@require_POST
@answers
async def ask(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The guest asks the owner to let them type."""

    def asked() -> None:
        services.ask(selectors.guest_of_cookies(request.COOKIES, session_id))

    await in_database(asked)()
    return HttpResponse(status=204)


@require_POST
@answers
async def leave(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The guest goes, and this browser forgets that it was there. Also when it is none."""

    def left() -> None:
        guest = _before(request, session_id)
        if guest is not None:
            services.leave(guest)

    await in_database(left)()
    response = HttpResponse(status=204)
    response.delete_cookie(selectors.cookie_name(session_id), samesite="Lax")
    return response


def _body(request: HttpRequest, kind: type[Body]) -> Body:
    """Raises InvalidRequest."""
    if request.content_type != "application/json" or len(request.body) > MOST_BYTES:
        raise InvalidRequest("Send a small JSON body.")
    try:
        return kind.model_validate_json(request.body)
    except ValidationError as error:
        # Never the value: it may be the secret.
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part)[:100] for part in first["loc"][:2])
        raise InvalidRequest(f"{field}: {first['msg']}"[:300], field=field or None) from None


async def _count(request: HttpRequest) -> None:
    """Raises RateLimited. Tokens can't be guessed; this bounds the load of trying."""
    await _take(f"join:{request.META.get('REMOTE_ADDR', '')}", limits.ENTRIES_OF_AN_ADDRESS)


async def _take(subject: str, most: int) -> None:
    allowance = await take(subject, most)
    if allowance.exceeded:
        raise RateLimited(retry_after=allowance.reset)


def _before(request: HttpRequest, session_id: UUID) -> Guest | None:
    """Who this browser was in that session until now."""
    try:
        return selectors.guest_of_cookies(request.COOKIES, session_id)
    except GuestUnknown:
        return None


def _give(response: HttpResponse, guest: Guest, token: str) -> None:
    """The cookie of this one session: for no script, and for no other site's page."""
    response.set_cookie(
        selectors.cookie_name(guest.session_id),
        token,
        max_age=int(limits.LONGEST_COOKIE.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _session_for_staff(request: HttpRequest, session_id: UUID) -> Session:
    """Nobody else finds anything here."""
    if not (isinstance(request.user, User) and request.user.is_staff):
        raise Http404
    try:
        return get_session_for(request.user, session_id, for_admin=True, terminals=False)
    except SessionUnknown as error:
        raise Http404 from error
