"""Light, dark, or as the system: kept in a cookie, so that the first byte of a page has the right colours."""

from enum import StrEnum

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

COOKIE = "playground_theme"
YEAR = 365 * 24 * 3600


class Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"
    SYSTEM = "system"


def theme(request: HttpRequest) -> dict[str, str]:
    """Context processor: `theme`, empty until somebody has chosen."""
    chosen = request.COOKIES.get(COOKIE, "")
    return {"theme": chosen if chosen in set(Theme) else ""}


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keeps the choice and goes back to where it was made."""
    chosen = request.POST.get("theme", "")
    if chosen not in set(Theme):
        return HttpResponseBadRequest("theme is light, dark or system", content_type="text/plain")
    back = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if safe else "/")
    response.set_cookie(COOKIE, chosen, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
    return response
