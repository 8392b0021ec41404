"""Whether people may make accounts by themselves."""

from django.conf import settings
from django.http import HttpRequest


def signup(_request: HttpRequest) -> dict[str, bool]:
    """Context processor: `signup_open`."""
    return {"signup_open": settings.PLAYGROUND_SIGNUP == "open"}
