"""The REST API as a whole: what is where, and what every operation passes."""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from playground.accounts.api import router as me_router
from playground.api.gate import gate
from playground.api.health import public_router
from playground.api.health import router as capabilities_router
from playground.api.openapi import complete
from playground.api.problems import answer_to
from playground.images.api import router as images_router
from playground.recordings.api import router as recordings_router
from playground.sessions.api import router as sessions_router
from playground.sessions.exec_api import router as exec_router
from playground.sessions.files_api import router as files_router
from playground.sessions.history_api import router as history_router
from playground.sessions.profiles_api import router as profiles_router
from playground.sessions.stats_api import router as stats_router
from playground.sessions.terminals_api import router as terminals_router
from playground.sharing.api import router as sharing_router

DESCRIPTION = """\
Start a container of your own, type into it, run commands, move files.

Send an API key as `Authorization: Bearer pg_…` (make one on your account's page, or with
`python manage.py create_api_key USERNAME`). Every error is `application/problem+json` with a stable `code`.
"""


class SiteApi(NinjaAPI):
    """Ninja with the whole truth in its OpenAPI document."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The document; made once, because it never changes while the process lives."""
        return self._document

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The view's name: short, and stable wherever the view is moved."""
        return str(operation.view_func.__name__)

    @cached_property
    def _document(self) -> OpenAPISchema:
        document = super().get_openapi_schema()
        completed = complete(document, settings.SESSION_COOKIE_NAME)
        document.update(completed)
        return document


def _on_exception(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    assert isinstance(error, Exception)
    return answer_to(request, error)


api = SiteApi(title="Container Playground", version="1", description=DESCRIPTION, urls_namespace="api")
for kind in list(api._exception_handlers):
    api.add_exception_handler(kind, _on_exception)
_GATED = (
    sessions_router,
    exec_router,
    files_router,
    terminals_router,
    stats_router,
    history_router,
    recordings_router,
    sharing_router,
    images_router,
    profiles_router,
    me_router,
    capabilities_router,
)
for _router in _GATED:
    _router.add_decorator(gate, mode="view")
    api.add_router("", _router)
api.add_router("", public_router)
