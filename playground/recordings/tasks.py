"""What beat asks for."""

from celery import shared_task

from playground.recordings import services


@shared_task
def prune_recordings() -> None:
    """Forget what is old."""
    services.prune()
