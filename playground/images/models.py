"""The catalogue: what people can start."""

from django.db import models
from django.utils import timezone


class ImageState(models.TextChoices):
    ABSENT = "absent", "not here yet"
    PREPARING = "preparing", "being prepared"
    READY = "ready", "ready"
    FAILED = "failed", "could not be prepared"


class Image(models.Model):
    """One catalogue entry, pinned by digest once it is on the host."""

    slug = models.SlugField(primary_key=True, max_length=64)
    title = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    registry_reference = models.CharField(max_length=255, blank=True)
    """Where a registry has it; empty: nowhere."""
    recipe = models.CharField(max_length=64, blank=True)
    """How it is built where no registry answers; empty: it can't be."""
    built_reference = models.CharField(max_length=255, blank=True)
    """What it is called when it was built here, e.g. `playground/debian:12`."""
    reference = models.CharField(max_length=255, blank=True)
    """What machines are made from; empty until it is ready for the first time."""
    shell = models.JSONField(default=list, blank=True)
    """argv of a terminal, e.g. ["bash"]."""
    command = models.JSONField(default=list, blank=True)
    """argv of the service that runs in it, when it is a service; empty otherwise."""
    tags = models.JSONField(default=list, blank=True)
    position = models.PositiveIntegerField(default=0)
    pool_size = models.PositiveIntegerField(default=0)
    """Machines of the default profile to keep ready."""
    enabled = models.BooleanField(default=True)

    state = models.CharField(max_length=16, choices=ImageState, default=ImageState.ABSENT)
    state_changed_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    """How often it was tried since it was last ready. Also the token of the worker that does."""
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    """When the worker that prepares it last said that it lives."""
    progress = models.FloatField(null=True, blank=True)
    """0 to 1 while it is being prepared; null when unknown."""
    message = models.TextField(blank=True)
    """What is being done, or what went wrong."""
    source = models.CharField(max_length=16, blank=True)
    """`registry` or `recipe`, once ready."""
    digest = models.CharField(max_length=80, blank=True)
    size_bytes = models.BigIntegerField(null=True, blank=True)
    layers = models.JSONField(default=list)
    """[{digest, size_bytes, created_by}]"""

    class Meta:
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.slug
