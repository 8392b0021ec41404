"""The labels by which what is on the engine's host tells whose it is."""

from django.utils.crypto import salted_hmac

from playground.sessions.models import Session
from runtime.engines.base import OWNER_LABEL, SESSION_LABEL

POOL = "pool"
"""The owner of a machine that was made ahead of time. Engines can't label it anew when somebody claims it."""


def labels_of(session: Session | None) -> dict[str, str]:
    """For everything that is made for the session; None: for the pool."""
    if session is None:
        return {OWNER_LABEL: POOL}
    return {OWNER_LABEL: owner_label(session.owner_id), SESSION_LABEL: session.pk.hex}


def owner_label(owner_id: int) -> str:
    """The same for all that one person has here, and of no use to whoever reads it on the host."""
    return salted_hmac("playground.owner", str(owner_id), algorithm="sha256").hexdigest()[:16]
