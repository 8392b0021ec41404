"""What an earlier session was asked to be, to ask for the same once more."""

from playground.sessions.models import Session
from playground.sessions.names import default_session_name
from playground.sessions.network import network_of
from playground.sessions.requests import SessionRequest, WantedMachine, WantedNetwork, checked_seconds
from runtime.engines.base import Egress


def asked_again(session: Session) -> SessionRequest:
    """The request that would create it now, as far as it is known: the values of its environment went with its end.

    What it had as its profile says is left to the profile, which may have changed meanwhile.
    """
    profile = session.profile
    named = session.name != default_session_name(session.image_id, session.hostname)
    usual = checked_seconds(None, profile.lifetime_seconds, profile.max_lifetime_seconds, "ttl_seconds")
    idle = checked_seconds(None, profile.idle_seconds, profile.max_lifetime_seconds, "idle_timeout_seconds")
    return SessionRequest(
        image=session.image_id,
        name=session.name if named else None,
        profile=session.profile_id,
        command=session.command,
        environment=session.environment,
        metadata=session.metadata,
        machines=[WantedMachine(planned.name, planned.image_id) for planned in session.planned.all()],
        network=_network(session),
        record=session.is_recorded or session.recording_stopped_at is not None,
        ttl_seconds=None if session.lifetime_seconds == usual else session.lifetime_seconds,
        idle_timeout_seconds=None if session.idle_seconds == idle else session.idle_seconds,
    )


def _network(session: Session) -> WantedNetwork | None:
    network = network_of(session)
    if network == network_of(session.profile):
        return None
    return WantedNetwork(network.egress, list(network.allowed) if network.egress is Egress.ALLOWLIST else None)
