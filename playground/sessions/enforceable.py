"""What a profile asks of the host, and whether the host can do it: what it can't is refused, never left open."""

import asyncio

import structlog

from playground.engine import close_engine, get_engine
from playground.host import reports
from playground.host.models import HostReport
from playground.sessions.errors import BeyondProfile
from playground.sessions.models import Profile, Session
from playground.sessions.network import check_within, network_of
from runtime.engines.base import Egress
from runtime.errors import CapabilityUnavailable, EngineUnavailable, RuntimeFailure

log = structlog.get_logger(__name__)

PROBE_SECONDS = 30
NEEDS = {
    "egress_filter": "This host can't filter what machines reach on the network, so they get none.",
    "bandwidth": "This host can't limit how fast machines are on the network, so they get none.",
}


def check_enforceable(profile: Profile, egress: Egress, found: HostReport | None, *, together: bool = False) -> None:
    """Raises CapabilityUnavailable when the last probe, `found`, says that the host lacks what a session of this
    profile with that egress needs.

    Before the first one nobody can say: then the worker finds out when it makes the machine. `together`: whether a
    session has several machines, which needs a network even without egress.
    """
    if egress is Egress.NONE and not together:
        return
    limited = egress is not Egress.NONE and (profile.download_bytes_per_second or profile.upload_bytes_per_second)
    for name in reports.lacking(["egress_filter", "bandwidth"] if limited else ["egress_filter"], found):
        raise CapabilityUnavailable(f"{NEEDS[name]} Choose a profile without egress, or the network none.")


def check_still(session: Session, *, together: bool = False) -> None:
    """Now that it is to run: the host, or the profile, may be another than when the session was asked for.

    Raises CapabilityUnavailable, and EngineUnavailable while nobody knows what the host can do.
    """
    profile, found = session.profile, reports.report()
    network = network_of(session)
    check_enforceable(profile, network.egress, found, together=together)
    try:
        check_within(network_of(profile), network)
        reports.check(profile.requires, found)
    except BeyondProfile:
        raise CapabilityUnavailable("The profile lets machines reach less than when this was asked for.") from None
    except reports.CapabilityMissing as missing:
        if missing.retry_after is not None:
            raise EngineUnavailable(str(missing)) from None
        raise CapabilityUnavailable(str(missing)) from None


async def enforceable_egress() -> Egress:
    """For the profiles that a new site starts with: asks the engine, and gives its connections back."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            host = await get_engine().capabilities()
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("host_not_probed", error=type(error).__name__)
        return Egress.NONE
    finally:
        await close_engine()
    return Egress.INTERNET if all(host.has(name) for name in NEEDS) else Egress.NONE
