"""What browsers may load and do on our pages: everything is our own, one script is inline, nobody frames us."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from playground import reloading

POLICY: dict[str, str] = {
    "default-src": "'none'",
    "script-src": f"'self' {reloading.HASH}",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
PERMISSIONS = (
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-read=(self), clipboard-write=(self)"
)

# Swagger's page styles its elements one by one.
_STYLED_PATHS = ("/api/v1/docs",)


def policy(*, inline_styles: bool = False, webassembly: bool = False) -> str:
    """The Content-Security-Policy header. `inline_styles` is for pages whose libraries write style attributes,
    `webassembly` for those that decode pictures with it; it allows no `eval`.
    """
    directives = dict(POLICY)
    if webassembly:
        directives["script-src"] += " 'wasm-unsafe-eval'"
    if inline_styles:
        directives["style-src"] += " 'unsafe-inline'"
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def _protect(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("Content-Security-Policy", policy(inline_styles=request.path.startswith(_STYLED_PATHS)))
    response.headers.setdefault("Permissions-Policy", PERMISSIONS)
    return response


@sync_and_async_middleware
def content_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]:
    """Middleware: every answer carries the policy, unless its view set a wider one."""
    if iscoroutinefunction(get_response):

        async def protect_later(request: HttpRequest) -> HttpResponseBase:
            return _protect(request, await get_response(request))

        return protect_later

    def protect(request: HttpRequest) -> HttpResponseBase:
        return _protect(request, get_response(request))

    return protect
