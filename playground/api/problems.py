"""Every refusal and failure as RFC 9457 `application/problem+json`, mapped in this one place."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TypedDict

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from playground.api.errors import (
    BadRequest,
    InvalidJson,
    NotAuthenticated,
    NotFound,
    TooLarge,
    Unexpected,
    status_of,
)
from playground.errors import SiteError
from runtime.errors import RuntimeFailure

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class FieldProblem(TypedDict):
    """One thing that is wrong with the input."""

    field: str
    """Where, e.g. `env.PATH` or `command.0`."""
    code: str
    message: str


def problem_of(error: Exception, request_id: str) -> dict[str, object]:
    """The same as data, for a stream that has begun."""
    body: dict[str, object] = json.loads(answer_of(error, request_id).content)
    return body


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    request_id: str,
    retryable: bool = False,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer. `detail` is a sentence for a person; `errors` names every field that is wrong."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        "retryable": retryable,
    }
    if errors:
        body["errors"] = list(errors)
    return HttpResponse(json.dumps(body), status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def answer_to(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to a request that ended with this error. What nobody expected is logged, and not told."""
    return answer_of(error, request_id_of(request))


def request_id_of(request: HttpRequest) -> str:
    """The id that the middleware gave to this request."""
    return str(getattr(request, "request_id", ""))


def answer_of(error: Exception, request_id: str) -> HttpResponse:
    """The same where there is no request yet."""
    if isinstance(error, ValidationError):
        return _invalid(error, request_id)
    if isinstance(error, RuntimeFailure):
        status = status_of(error)
        headers = {"Retry-After": "1"} if status == 503 else {}
        return problem(
            status, error.code, str(error), request_id=request_id, retryable=error.retryable, headers=headers
        )
    return _site_answer(_as_site_error(error, request_id), request_id)


def _site_answer(error: SiteError, request_id: str) -> HttpResponse:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="Container Playground"'
    errors: list[FieldProblem] = []
    if error.field is not None:
        errors.append({"field": error.field, "code": error.code, "message": str(error)})
    return problem(
        error.status,
        error.code,
        str(error),
        request_id=request_id,
        retryable=error.retryable,
        errors=errors,
        headers=headers,
    )


_OURS: tuple[tuple[type[Exception], Callable[[], SiteError]], ...] = (
    (AuthenticationError, NotAuthenticated),
    (Http404, NotFound),
    (RequestDataTooBig, TooLarge),
    (SuspiciousOperation, BadRequest),
)
"""What libraries say, in the site's own words."""


def _as_site_error(error: Exception, request_id: str) -> SiteError:
    if isinstance(error, SiteError):
        return error
    if isinstance(error, HttpError) and error.status_code == 400:
        return InvalidJson()
    for kind, ours in _OURS:
        if isinstance(error, kind):
            return ours()
    log.error("request %s failed", request_id, exc_info=error)
    return Unexpected()


def _invalid(error: ValidationError, request_id: str) -> HttpResponse:
    errors = [_field_problem(item) for item in error.errors]
    first = errors[0]
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return problem(422, "invalid_request", detail, request_id=request_id, errors=errors)


def _field_problem(item: Mapping[str, object]) -> FieldProblem:
    location = item["loc"]
    assert isinstance(location, tuple)
    # The first part says body, query, path or header, the second of a body is our own parameter's name.
    parts = location[2:] if location[0] == "body" else location[1:]
    code = str(item["type"])
    if code == "extra_forbidden":
        code = "unknown_field"
    message = str(item["msg"]).removeprefix("Value error, ")
    return {"field": ".".join(str(part)[:100] for part in parts[:8]), "code": code, "message": message[:500]}
