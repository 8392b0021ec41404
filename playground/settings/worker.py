"""Celery: how the worker and beat are asked, and what beat asks for."""

from playground.settings.base import DATA, REDIS_URL

# kombu writes a Unix socket differently from redis-py and channels.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# Every task can be repeated, so a worker that is killed loses nothing; the sweep would find it as well.
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 1
# A request never waits for a broker that is away: one try, short timeouts, and the sweep makes up for it.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 0,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "socket_keepalive": True,
    "visibility_timeout": 3600,
}
CELERY_TIMEZONE = "UTC"

CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "beat-schedule")
# They expire before the next one: after a pause of the worker none of them has piled up.
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "playground.sessions.tasks.sweep", "schedule": 5, "options": {"expires": 5}},
    "sample": {"task": "playground.sessions.tasks.sample", "schedule": 2, "options": {"expires": 2}},
    "refill": {"task": "playground.sessions.tasks.refill_all", "schedule": 15, "options": {"expires": 15}},
    "images": {"task": "playground.images.tasks.look_after_images", "schedule": 15, "options": {"expires": 15}},
    "host": {"task": "playground.host.tasks.probe", "schedule": 30, "options": {"expires": 30}},
    "answers": {"task": "playground.api.tasks.forget_kept_answers", "schedule": 900, "options": {"expires": 900}},
    "recordings": {
        "task": "playground.recordings.tasks.prune_recordings",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
    "prune": {"task": "playground.sessions.tasks.prune", "schedule": 3600, "options": {"expires": 3600}},
}
