"""`/me` of the REST API: who is asking, what they may do, and what they use."""

from ninja import Router
from pydantic import BaseModel, Field

from playground.accounts.models import User
from playground.api.rate_limits import PERSON_LIMIT
from playground.api.request import ApiRequest
from playground.database import in_database
from playground.sessions.budgets import used_by
from playground.sessions.quotas import limits_of, usage_of

router = Router(tags=["you"])


class LimitsAnswer(BaseModel):
    """What one person may do."""

    concurrent_sessions: int
    sessions_per_day: int
    sessions_per_minute: int
    cpu_seconds_per_day: int = Field(description="Seconds of one core, over all sessions.")
    egress_bytes_per_day: int
    requests_per_minute: int


class UsageAnswer(BaseModel):
    """What that person did so far."""

    concurrent_sessions: int
    sessions_last_day: int
    sessions_last_minute: int
    cpu_seconds_last_day: float
    egress_bytes_last_day: int


class MeAnswer(BaseModel):
    """The caller."""

    username: str
    is_administrator: bool
    limits: LimitsAnswer
    usage: UsageAnswer = Field(description="Counted over the last 24 hours and the last 60 seconds.")


@router.get("/me", response=MeAnswer, summary="Read who you are, and your limits")
async def read_me(request: ApiRequest) -> MeAnswer:
    """Limits and what is used of them."""
    return await in_database(_me)(request.person)


def _me(person: User) -> MeAnswer:
    limits, usage, budget = limits_of(person), usage_of(person), used_by(person.pk)
    return MeAnswer(
        username=person.username,
        is_administrator=person.is_staff,
        limits=LimitsAnswer(
            concurrent_sessions=limits.concurrent_sessions,
            sessions_per_day=limits.sessions_per_day,
            sessions_per_minute=limits.sessions_per_minute,
            cpu_seconds_per_day=limits.cpu_seconds_per_day,
            egress_bytes_per_day=limits.egress_bytes_per_day,
            requests_per_minute=PERSON_LIMIT,
        ),
        usage=UsageAnswer(
            concurrent_sessions=usage.concurrent_sessions,
            sessions_last_day=usage.sessions_last_day,
            sessions_last_minute=usage.sessions_last_minute,
            cpu_seconds_last_day=round(budget.cpu_seconds, 1),
            egress_bytes_last_day=budget.egress_bytes,
        ),
    )
