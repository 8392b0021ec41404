"""Answers that are not of one noun alone."""

from typing import Annotated

from pydantic import BaseModel, Field

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-23T09:30:00.000Z"])]
"""RFC 3339 in UTC."""


class FieldProblem(BaseModel):
    """One thing that is wrong with the input."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """Any refusal or failure (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such session."])
    code: str = Field(description="Stable; the guide lists them all.", examples=["session_unknown"])
    request_id: str = Field(description="As in X-Request-ID: it finds the request in the log.")
    retryable: bool = Field(description="The same request may succeed later with nobody changing anything.")
    errors: list[FieldProblem] = Field(default=[], description="Every field that is wrong.")
