"""People of a test, and what their programs hold."""

from dataclasses import dataclass

import httpx

from playground.accounts.models import ApiKey, User


@dataclass(frozen=True)
class Person:
    user: User
    key: str
    key_row: ApiKey
    api: httpx.Client
    """Speaks to `/api/v1` with the key."""


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """That the answer is a complete problem of this status and code; the problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json", answer.headers
    problem: dict[str, object] = answer.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert isinstance(problem["retryable"], bool)
    assert problem["title"]
    assert problem["detail"]
    assert "Traceback" not in answer.text
    return problem
