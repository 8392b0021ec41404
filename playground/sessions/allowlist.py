"""The allow-lists of profiles, as administrators write them: one host name or IPv4 network on each line."""

from django.conf import settings
from django.core.exceptions import ValidationError

from runtime.engines import reachable


def entries_of(text: str) -> list[str]:
    """Its lines, without empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def validate_allowed(text: str) -> None:
    """Raises ValidationError for what no machine may, or can, reach."""
    try:
        reachable.parse(entries_of(text), settings.PLAYGROUND_EGRESS_OPEN)
    except ValueError as error:
        raise ValidationError(str(error)) from error
