"""What the last probe is said to have found."""

from dataclasses import asdict

from django.utils import timezone

from playground.host.models import HostReport
from runtime.engines.base import Capability


def found_on_host(**has: bool) -> None:
    """A report of a host that has these capabilities, or has them not."""
    items = [asdict(Capability(name, available, "tried")) for name, available in has.items()]
    now = timezone.now()
    HostReport.objects.update_or_create(
        pk=1, defaults={"engine": "docker", "version": "1", "items": items, "probed_at": now, "tried_at": now}
    )
