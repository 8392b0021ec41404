"""`/sessions/{id}/stats` of the REST API: used against limit. Answers have the fields of `stats`; a test compares."""

from uuid import UUID

from ninja import Router
from pydantic import BaseModel, Field

from playground.api.request import ApiRequest
from playground.api.schemas import Instant
from playground.database import in_database
from playground.sessions.access import get_session_for
from playground.sessions.stats import SessionStats, stats_of

router = Router(tags=["sessions"])


class CpuAnswer(BaseModel):
    """Cores and seconds of one core."""

    used_cores: float = Field(description="On average between the last two samples.")
    limit_cores: float = Field(description="What it has now.")
    burst_cores: float = Field(description="What it has while there is credit.")
    baseline_cores: float | None = Field(description="What it has when the credit is used up; null: no credits.")
    throttled: bool = Field(description="It has less than `burst_cores`, because its credit is used up.")
    throttled_share: float = Field(description="Of the time between the last two samples, 0 to 1.")
    seconds: float
    throttled_seconds: float


class CreditAnswer(BaseModel):
    """CPU time beyond the baseline, in seconds of one core."""

    left_seconds: float
    limit_seconds: float


class MemoryAnswer(BaseModel):
    """The working set: without page cache that can be dropped."""

    used_bytes: int
    limit_bytes: int
    peak_bytes: int
    oom_kills: int = Field(description="Processes that were killed because the memory was used up.")


class PidsAnswer(BaseModel):
    """Processes and threads."""

    used: int
    limit: int
    peak: int


class DiskAnswer(BaseModel):
    """What was written to the machine's own layer and is still there."""

    used_bytes: int
    limit_bytes: int
    peak_bytes: int
    files: int
    warned: bool = Field(description="Little is left: at the limit the session ends.")
    sampled_at: Instant | None


class IoAnswer(BaseModel):
    """Block devices."""

    read_bytes: int
    written_bytes: int
    read_bytes_per_second: float
    written_bytes_per_second: float
    limit_bytes_per_second: int | None = Field(description="Of writing; null: none.")


class NetworkAnswer(BaseModel):
    """All interfaces but loopback."""

    received_bytes: int
    sent_bytes: int
    received_bytes_per_second: float
    sent_bytes_per_second: float
    used_bytes: int = Field(description="Both ways together: what the limit is about.")
    limit_bytes: int | None


class StatsAnswer(BaseModel):
    """Used and limit of one session, over all its machines."""

    sampled_at: Instant | None = Field(description="Null: not sampled yet, and everything that is used is 0.")
    live: bool = Field(description="False: its machines are gone, and this is what they used in all.")
    cpu: CpuAnswer
    credit: CreditAnswer | None = Field(description="Null: its profile has no CPU credits.")
    memory: MemoryAnswer
    pids: PidsAnswer
    disk: DiskAnswer
    io: IoAnswer
    network: NetworkAnswer


@router.get("/sessions/{uuid:session_id}/stats", response=StatsAnswer, summary="Read what a session uses")
async def get_stats(request: ApiRequest, session_id: UUID) -> SessionStats:
    """Sampled every few seconds; after its end, the totals."""

    def read() -> SessionStats:
        return stats_of(get_session_for(request.person, session_id, terminals=False))

    return await in_database(read)()
