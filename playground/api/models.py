"""What was answered to which Idempotency-Key."""

from django.conf import settings
from django.db import models


class KeptAnswer(models.Model):
    """One use of an Idempotency-Key. Holds neither the key nor the request, and the answer only encrypted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key_digest = models.CharField(max_length=64)
    request_digest = models.CharField(max_length=64)
    """Of method, path, and body."""
    resource_id = models.UUIDField(null=True, blank=True)
    """What the request made, written in the transaction that made it."""
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    """Of the answer; null while there is none."""
    answer = models.BinaryField(default=bytes)
    """Headers and body, encrypted with a key that is derived from the Idempotency-Key; empty: not kept."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key_digest"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.key_digest[:8]} {self.status}"
