"""Rows that tests of the core begin with."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from playground.accounts.models import User
from playground.images.models import Image, ImageState
from playground.sessions import pools
from playground.sessions.making import insert_machine
from playground.sessions.models import Machine, Profile, Session, Terminal
from playground.sessions.names import random_hostname
from playground.sessions.states import MachineState, SessionState


def make_image(slug: str = "busybox", **changes: Any) -> Image:
    """A catalogue entry that is ready."""
    values = {
        "title": slug.title(),
        "recipe": slug,
        "built_reference": f"playground/{slug}:1",
        "reference": f"playground/{slug}:1",
        "shell": ["/bin/sh"],
        "state": ImageState.READY,
        "digest": "sha256:" + "0" * 64,
        **changes,
    }
    return Image.objects.create(slug=slug, **values)


def make_session(owner: User, image: Image, profile: Profile, state: SessionState, **changes: Any) -> Session:
    """A session in some state, as if it had come there by itself."""
    now = timezone.now()
    values: dict[str, Any] = {"lifetime_seconds": 3600, "idle_seconds": 1800, "hostname": random_hostname()}
    values |= {"egress": profile.egress, "allowed": profile.allowed}
    if state in (SessionState.RUNNING, SessionState.PAUSED):
        values |= {"started_at": now, "expires_at": now + timedelta(hours=1), "last_activity_at": now}
    return Session.objects.create(
        owner=owner, image=image, profile=profile, name=random_hostname(), state=state, **{**values, **changes}
    )


def make_ready_machine(image: Image, profile: Profile, session: Session | None = None) -> Machine:
    """The row of a machine that is ready, with its terminal; nothing on the engine."""
    machine = insert_machine(image, profile, random_hostname(), pools.DEADLINE, session)
    Machine.objects.filter(pk=machine.pk).update(state=MachineState.READY)
    Terminal.objects.create(machine=machine, name="sh", command=["/bin/sh"])
    return Machine.objects.get(pk=machine.pk)
