"""What the worker does for the host when it is asked."""

from celery import shared_task

from playground import background
from playground.host import probing

TASK_SECONDS = probing.PROBE_SECONDS + 30.0


@shared_task
def probe() -> None:
    """Look whether the host has to be probed, and do it."""
    background.run(probing.refresh(), TASK_SECONDS)
