"""The worker and beat: `celery -A playground worker --pool threads`, `celery -A playground beat`."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_ready, worker_shutdown

FINISH_SECONDS = 4.0
"""For machines that are being made when the worker is to end."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")

app = Celery("playground")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_logging(**_: object) -> None:
    """Celery leaves logging as the settings have it when somebody listens here."""


@worker_ready.connect
def _begin(**_: object) -> None:
    from playground.sessions import queue
    from playground.sessions.watching import watcher

    watcher.start()
    # What beat asks for later: whoever has just started the site waits for its pools and images now.
    queue.begin()


@worker_shutdown.connect
def _end(**_: object) -> None:
    from playground.sessions import provisioning
    from playground.sessions.watching import watcher

    provisioning.finish(FINISH_SECONDS)
    watcher.stop()
