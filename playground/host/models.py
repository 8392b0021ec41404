"""What the probe of this installation's host found, kept so that no web process has to probe."""

from django.db import models
from django.utils import timezone


class HostReport(models.Model):
    """One row. Written by the worker alone (`probing`)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    fingerprint = models.CharField(max_length=64, blank=True)
    """Of the engine as it was probed; empty: somebody wants another probe."""
    engine = models.CharField(max_length=32, blank=True)
    version = models.CharField(max_length=64, blank=True)
    items = models.JSONField(default=list)
    """`name`, `available`, `known`, `detail`, `remedy` of each capability, in the order to show them."""
    problem = models.TextField(blank=True)
    """For an administrator: why the last probe came to nothing; empty when it did not."""
    probed_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.engine} {self.version}"
