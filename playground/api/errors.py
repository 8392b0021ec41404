"""What the API itself refuses, and the HTTP status of what goes wrong below the site."""

from typing import ClassVar

from playground.errors import SiteError
from runtime import errors as runtime


class _Plain(SiteError):
    """An error whose message is always the same."""

    message: ClassVar[str]

    def __init__(self, *, retry_after: int | None = None) -> None:
        super().__init__(self.message, retry_after=retry_after)


class NotAuthenticated(_Plain):
    code = "not_authenticated"
    status = 401
    message = "Send a valid key as `Authorization: Bearer <key>`, or sign in."


class CsrfFailed(_Plain):
    code = "csrf_failed"
    status = 403
    message = "A request with the site's cookie needs the X-CSRFToken header and the site's own Origin."


class BadRequest(_Plain):
    code = "bad_request"
    message = "The request can't be understood."


class NotFound(_Plain):
    code = "not_found"
    status = 404
    message = "There is nothing at this address."


class MethodNotAllowed(_Plain):
    code = "method_not_allowed"
    status = 405
    message = "This address does not know that method; see the Allow header."


class UnsupportedMediaType(_Plain):
    code = "unsupported_media_type"
    status = 415
    message = "Send the body as application/json in UTF-8."


class InvalidJson(_Plain):
    code = "invalid_json"
    message = "The body is no JSON."


class TooLarge(_Plain):
    code = "too_large"
    status = 413
    message = "The body is larger than this address takes."


class RateLimited(_Plain):
    code = "rate_limited"
    status = 429
    retryable = True
    message = "Too many requests. Wait for the seconds in Retry-After."


class Unexpected(_Plain):
    code = "internal_error"
    status = 500
    message = "Something went wrong on our side. It was logged under the request id."


class InvalidCursor(_Plain):
    code = "invalid_cursor"
    status = 404
    message = "The cursor is none that this list gave out."


class InvalidPreference(_Plain):
    code = "invalid_preference"
    status = 422
    message = "`Prefer` knows `wait=SECONDS`, from 0 to 60."


class InvalidIdempotencyKey(_Plain):
    code = "idempotency_key_invalid"
    status = 422
    message = "An Idempotency-Key has 1 to 255 printable ASCII characters."


class IdempotencyKeyReused(_Plain):
    code = "idempotency_key_reused"
    status = 422
    message = "This Idempotency-Key was used with another request. Use a new key for a new request."


class IdempotencyInProgress(_Plain):
    code = "idempotency_in_progress"
    status = 409
    retryable = True
    message = "The first request with this Idempotency-Key is still being worked on."


class IdempotencyInterrupted(_Plain):
    code = "idempotency_interrupted"
    status = 409
    message = (
        "The first request with this Idempotency-Key was interrupted, and how far it came is not known. "
        "Look at what is there, then use a new key."
    )


class IdempotencyAnswerNotKept(_Plain):
    code = "idempotency_answer_not_kept"
    status = 409
    message = "The first request with this Idempotency-Key was done, but its answer was a stream or too large to keep."


class NotReady(_Plain):
    code = "service_unavailable"
    status = 503
    retryable = True
    message = "A part of the site that this needs does not answer."


_RUNTIME_STATUS: dict[type[runtime.RuntimeFailure], int] = {
    runtime.EngineUnavailable: 503,
    runtime.EngineRefused: 502,
    runtime.CapacityExceeded: 503,
    runtime.CapabilityUnavailable: 409,
    runtime.ImageUnavailable: 409,
    runtime.MachineGone: 409,
    runtime.MachineUnreachable: 503,
    runtime.ProtocolViolation: 502,
    runtime.TerminalUnknown: 404,
    runtime.CommandFailed: 409,
    runtime.FileUnknown: 404,
    runtime.FileForbidden: 403,
    runtime.NotAFile: 409,
    runtime.NotADirectory: 409,
    runtime.NoSpace: 507,
    runtime.FileFailed: 409,
    runtime.Busy: 503,
}


def status_of(error: runtime.RuntimeFailure) -> int:
    """The HTTP status of the nearest class in the tree that has one; 502 for what has none."""
    return next((_RUNTIME_STATUS[kind] for kind in type(error).__mro__ if kind in _RUNTIME_STATUS), 502)
