"""Reads of what the probe found, and what follows from it for a session.

Whoever asks several things reads the `report()` once and hands it on.
"""

from collections.abc import Sequence

from django.core.exceptions import ValidationError

from playground.errors import SiteError
from playground.host.models import HostReport
from runtime.engines.base import Capability
from runtime.engines.capability_names import ESSENTIAL, NAMES, title

PROBING_SECONDS = 10
"""A first probe takes some seconds."""


class CapabilityMissing(SiteError):
    """The profile requires what this host can't enforce, or what nobody has found out yet."""

    code = "capability_unavailable"
    status = 409


def report() -> HostReport | None:
    """What the last probe found; None before the first one."""
    return HostReport.objects.filter(pk=1, probed_at__isnull=False).first()


def items_of(found: HostReport | None) -> list[Capability]:
    """In the order to show them; none before the first probe."""
    return [Capability(**item) for item in found.items] if found else []


def check(required: Sequence[str], found: HostReport | None) -> None:
    """Raises CapabilityMissing unless this host enforces all of these."""
    if not required:
        return
    if found is None:
        raise CapabilityMissing(
            "What this host can enforce is being found out. Try again in a moment.",
            field="profile",
            retry_after=PROBING_SECONDS,
        )
    if missing := missing_of(required, found):
        words = ", ".join(f"“{title(name)}” ({name})" for name in missing)
        raise CapabilityMissing(f"This host can't give what the profile requires: {words}.", field="profile")


def missing_of(required: Sequence[str], found: HostReport | None) -> list[str]:
    """Those that the host does not have, as far as is known."""
    has = {item.name for item in items_of(found) if item.available}
    return [name for name in required if name not in has]


def has(name: str, found: HostReport | None) -> bool:
    """Whether the last probe found this capability."""
    return not missing_of([name], found)


def lacking(names: Sequence[str], found: HostReport | None) -> list[str]:
    """Those that the last probe found missing; none before the first one, when nobody can say."""
    return missing_of(names, found) if found else []


def gaps(found: HostReport | None) -> list[str]:
    """Titles of what a host for people that nobody trusts must have, and this one has not; none before a probe."""
    return [title(item.name) for item in items_of(found) if item.name in ESSENTIAL and not item.available]


def validate_names(value: object) -> None:
    """A list of names of capabilities, each once."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValidationError('This is a list of capabilities, like ["user_namespace"].')
    unknown = sorted(set(value) - NAMES)
    if unknown:
        raise ValidationError(f"No such capability: {', '.join(unknown)}. There are {', '.join(sorted(NAMES))}.")
    if len(set(value)) != len(value):
        raise ValidationError("A capability is named twice.")


def problem() -> str:
    """Why the last probe came to nothing; empty when it did not."""
    row = HostReport.objects.filter(pk=1).first()
    return row.problem if row else ""
