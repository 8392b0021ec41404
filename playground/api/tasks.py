"""What the worker does for the API."""

from celery import shared_task

from playground.api.idempotency import forget_expired


@shared_task
def forget_kept_answers() -> None:
    """Removes answers that were kept for their 24 hours."""
    forget_expired()
