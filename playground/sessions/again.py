"""What an earlier session was asked to be, to ask for the same once more."""

from playground.sessions.errors import BeyondProfile
from playground.sessions.models import Session
from playground.sessions.names import default_session_name
from playground.sessions.network import check_within, network_of
from playground.sessions.requests import SessionRequest, WantedMachine, WantedNetwork
from playground.sessions.states import RecordingRule
from runtime.engines.base import Egress


def asked_again(session: Session) -> SessionRequest:
    """The request that would create it now, without its variables: their values are not kept.

    What it had as its profile says is left to the profile, and so is what the profile does not allow any more. What was
    the profile's own and is not any more, is taken for a wish.
    """
    profile = session.profile
    named = session.name != default_session_name(session.image_id, session.hostname)
    recorded = (session.is_recorded and not session.is_recording_required) or session.recording_stopped_at is not None
    most = profile.max_lifetime_seconds
    return SessionRequest(
        image=session.image_id,
        name=session.name if named else None,
        profile=session.profile_id,
        command=session.command,
        metadata=session.metadata,
        machines=[WantedMachine(planned.name, planned.image_id) for planned in session.planned.all()],
        network=_network(session),
        record=recorded and profile.recording != RecordingRule.NEVER,
        ttl_seconds=_seconds(session.lifetime_seconds, profile.lifetime_seconds, most),
        idle_timeout_seconds=_seconds(session.idle_seconds, profile.idle_seconds, most),
    )


def _seconds(had: int, default: int, most: int) -> int | None:
    return None if had == min(default, most) else min(had, most)


def _network(session: Session) -> WantedNetwork | None:
    network, offered = network_of(session), network_of(session.profile)
    if network == offered:
        return None
    try:
        check_within(offered, network)
    except BeyondProfile:
        return None
    return WantedNetwork(network.egress, list(network.allowed) if network.egress is Egress.ALLOWLIST else None)
