"""People, the keys that their programs use, and one-time links by which they first sign in."""

import uuid

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. Empty limits mean the site's own (`settings.PERSON_LIMITS`)."""

    max_concurrent_sessions = models.PositiveIntegerField(null=True, blank=True)
    max_sessions_per_day = models.PositiveIntegerField(null=True, blank=True)
    max_cpu_seconds_per_day = models.PositiveIntegerField(null=True, blank=True)
    max_egress_bytes_per_day = models.PositiveBigIntegerField(null=True, blank=True)


class ApiKey(models.Model):
    """A key of one person's programs. Only its hash is kept; the key itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True)
    """The part that is shown, by which the row is found."""
    digest = models.CharField(max_length=64)
    """SHA-256 of the secret part, hexadecimal: the secret is 256 random bits, so nothing slower is needed."""
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"


class WelcomeLink(models.Model):
    """A link that signs one person in, once, and leads to choosing a password. Only the hash of its token is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="welcome_links")
    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the token, hexadecimal; the token is 256 random bits."""
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link of {self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"
