"""Idempotency-Key: the same key and request get the same answer for 24 hours, whatever is killed in between.

A request that makes something claims its key in the transaction that makes it, so that a crash leaves both or neither.
Others claim it before they begin; when they were interrupted, a repeated request is told so and nothing runs twice.
"""

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta

from cryptography.fernet import Fernet
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac

from playground.accounts.models import User
from playground.api.errors import (
    IdempotencyAnswerNotKept,
    IdempotencyInProgress,
    IdempotencyInterrupted,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
)
from playground.api.models import KeptAnswer

LIFETIME = timedelta(hours=24)
LONGEST_REQUEST = timedelta(minutes=11)
"""A claim without an answer is of an interrupted request after that: exec may take ten minutes."""
MOST_BYTES = 64 * 1024
"""The largest answer that is kept."""
_KEPT_HEADERS = ("Content-Type", "Location")


@dataclass(slots=True)
class Attempt:
    """One use of a key by one person for one request. Its methods are synchronous and use the database."""

    user: User
    key: str
    request_digest: str
    record: KeptAnswer | None = None

    @property
    def resource_id(self) -> uuid.UUID | None:
        """What an earlier request with this key made, if it was interrupted before it could answer."""
        return self.record.resource_id if self.record else None

    def claim(self) -> None:
        """Takes the key. Raises IdempotencyInProgress when somebody else was faster; the transaction is to end then."""
        now = timezone.now()
        try:
            with transaction.atomic():
                self.record = KeptAnswer.objects.create(
                    user=self.user,
                    key_digest=_key_digest(self.key),
                    request_digest=self.request_digest,
                    created_at=now,
                    expires_at=now + LIFETIME,
                )
        except IntegrityError as error:
            raise IdempotencyInProgress(retry_after=1) from error

    def bind(self, resource_id: uuid.UUID) -> None:
        """Notes what the request made, in the transaction that makes it."""
        assert self.record is not None
        self.record.resource_id = resource_id
        self.record.save(update_fields=["resource_id"])

    def finish(self, response: HttpResponseBase) -> None:
        """Keeps a success; lets go of the key after a refusal, which changed nothing."""
        if self.record is None:
            return
        if 400 <= response.status_code < 500 or (response.status_code == 503 and not self.record.resource_id):
            self.record.delete()
            return
        rows = KeptAnswer.objects.filter(pk=self.record.pk)
        rows.update(status=response.status_code, answer=self._seal(response))

    def answer(self) -> HttpResponse | None:
        """What was answered before; None when this request is to be done.

        Raises IdempotencyInProgress, IdempotencyInterrupted, IdempotencyAnswerNotKept.
        """
        record = self.record
        if record is None:
            return None
        if record.status is not None:
            return self._unseal(record)
        if record.resource_id is not None:
            return None
        if timezone.now() - record.created_at < LONGEST_REQUEST:
            raise IdempotencyInProgress(retry_after=1)
        raise IdempotencyInterrupted

    def _seal(self, response: HttpResponseBase) -> bytes:
        if not isinstance(response, HttpResponse) or len(response.content) > MOST_BYTES:
            return b""
        headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
        parts = {"headers": headers, "body": base64.b64encode(response.content).decode()}
        return self._cipher().encrypt(json.dumps(parts).encode())

    def _unseal(self, record: KeptAnswer) -> HttpResponse:
        if not record.answer:
            raise IdempotencyAnswerNotKept
        parts = json.loads(self._cipher().decrypt(bytes(record.answer)))
        response = HttpResponse(base64.b64decode(parts["body"]), status=record.status, headers=parts["headers"])
        response["Idempotency-Replayed"] = "true"
        return response

    def _cipher(self) -> Fernet:
        # Answers may hold secrets (output of commands): only who knows the Idempotency-Key can read them again.
        secret = salted_hmac("playground.idempotency.answer", self.key, algorithm="sha256").digest()
        return Fernet(base64.urlsafe_b64encode(secret))


def begin(user: User, key: str, *, method: str, path: str, body: bytes) -> Attempt:
    """Looks the key up. Raises InvalidIdempotencyKey, and IdempotencyKeyReused when it came with another request."""
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise InvalidIdempotencyKey
    digest = salted_hmac("playground.idempotency.request", f"{method} {path}\n".encode() + body, algorithm="sha256")
    attempt = Attempt(user, key, digest.hexdigest())
    record = KeptAnswer.objects.filter(user=user, key_digest=_key_digest(key)).first()
    if record is not None and record.expires_at <= timezone.now():
        record.delete()
        record = None
    if record is not None and record.request_digest != attempt.request_digest:
        raise IdempotencyKeyReused
    attempt.record = record
    return attempt


def forget_expired() -> int:
    """Removes what is older than 24 hours; how many."""
    return KeptAnswer.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _key_digest(key: str) -> str:
    return salted_hmac("playground.idempotency.key", key, algorithm="sha256").hexdigest()
