"""What the site itself refuses, classified once; the API and the pages turn these into answers in one place.

Failures below the site are `runtime.errors.RuntimeFailure`.
"""

from typing import ClassVar


class SiteError(Exception):
    """The root. `str(error)` is a sentence for a person and holds no secret; `code` is stable and documented."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.field = field
        """The request's field that is wrong, when it is one."""
        self.retry_after = retry_after
        """Seconds after which the same request may succeed, when that is known."""
