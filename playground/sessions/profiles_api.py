"""`/profiles` of the REST API: the sets of limits that a session can have."""

from ninja import Router
from pydantic import BaseModel, Field

from playground.api.request import ApiRequest
from playground.database import in_database
from playground.host import reports
from playground.sessions.allowlist import entries_of
from playground.sessions.offers import Offer, offers
from playground.sessions.states import RecordingRule
from runtime.engines.base import Egress

router = Router(tags=["profiles"])


class ProfileAnswer(BaseModel):
    """Bytes, cores, seconds; for each machine of a session."""

    id: str
    title: str
    description: str
    is_default: bool
    memory_bytes: int
    cpus: float
    pids: int
    disk_bytes: int
    file_bytes: int
    tmpfs_bytes: int
    shm_bytes: int
    nofile: int
    cpu_baseline: float = Field(description="Cores when the CPU credit is used up; 0: there are no credits.")
    cpu_credit_seconds: int = Field(description="The most credit, in seconds of one core.")
    disk_write_bytes_per_second: int = Field(description="0: no limit.")
    network_bytes: int = Field(description="Of one session, both ways together; 0: no limit.")
    recording: RecordingRule = Field(description="Whether what terminals show is recorded.")
    egress: Egress = Field(description="What machines reach beyond their session.")
    allowed: list[str] = Field(description="With the egress `allowlist`: host names and IPv4 networks.")
    download_bytes_per_second: int = Field(description="From beyond the session into it; 0: no limit.")
    upload_bytes_per_second: int = Field(description="0: no limit.")
    lifetime_seconds: int = Field(description="Of a session that asks for nothing else.")
    max_lifetime_seconds: int
    idle_seconds: int
    requires: list[str] = Field(description="Capabilities without which its sessions are refused; see /capabilities.")
    is_available: bool = Field(description="This host can give all that it asks for.")
    unavailable_reason: str | None = Field(description="Why its sessions are refused now, for a person.")


class ProfileList(BaseModel):
    """All profiles."""

    items: list[ProfileAnswer]
    next_cursor: None = None


_OF_THEIR_OWN = {"id", "allowed", "is_available", "unavailable_reason"}
_SAME_NAME = [name for name in ProfileAnswer.model_fields if name not in _OF_THEIR_OWN]


@router.get("/profiles", response=ProfileList, summary="List the sets of limits")
async def list_profiles(request: ApiRequest) -> dict[str, object]:
    """In the order to show them."""

    def read() -> list[dict[str, object]]:
        return [_public(offer) for offer in offers(reports.report())]

    return {"items": await in_database(read)()}


def _public(offer: Offer) -> dict[str, object]:
    profile = offer.profile
    return {
        "id": profile.slug,
        "allowed": entries_of(profile.allowed),
        "is_available": not offer.reason,
        "unavailable_reason": offer.reason or None,
        **{name: getattr(profile, name) for name in _SAME_NAME},
    }
