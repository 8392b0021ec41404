"""Who else is in a session: links that let people in, and the guests who came. `services` alone writes these rows."""

import uuid
from enum import StrEnum

from django.conf import settings
from django.db import models
from django.utils import timezone

from playground.sessions.models import Session


class Role(StrEnum):
    """What a link offers, and what a guest has."""

    OBSERVER = "observer"
    """Sees the terminals."""
    HELPER = "helper"
    """Types in them too. Of a link: its guests may ask the owner for that."""


class GuestState(StrEnum):
    WATCHING = "watching"
    ASKING = "asking"
    """Watches, and has asked to type."""
    HELPING = "helping"
    LEFT = "left"
    REMOVED = "removed"


PRESENT = (GuestState.WATCHING, GuestState.ASKING, GuestState.HELPING)


class ShareLink(models.Model):
    """Lets whoever holds it into one session, until it expires or is revoked. Only the hash of its token is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="share_links")
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])
    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the token, hexadecimal; the token is 256 random bits."""
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    """None: with its session."""
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.role} until {self.expires_at or 'the end'}"


class Guest(models.Model):
    """One browser that was let in, by a link or because its person is an administrator. Known by its cookie."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="guests")
    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, null=True, blank=True, related_name="guests")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="visits"
    )
    """The administrator, where there is no link."""
    name = models.CharField(max_length=40)
    """What guests of links say that they are called: nobody has checked it."""
    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the cookie, hexadecimal; the cookie is 256 random bits."""
    state = models.CharField(
        max_length=16,
        choices=[(state.value, state.value) for state in GuestState],
        default=GuestState.WATCHING.value,
    )
    created_at = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(null=True, blank=True)
    """When they last asked to type."""
    seen_at = models.DateTimeField(default=timezone.now)
    """When their page or one of their terminals was last known to be open."""

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["session", "state"])]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"
