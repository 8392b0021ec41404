"""Types of the fields that requests carry, with their limits. The services check again what matters to them."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from playground.sessions.requests import MAX_ARGUMENTS, MAX_LABEL, MAX_LABELS, MAX_NAME, MAX_VARIABLES, NAME

LONGEST_SECONDS = 31 * 24 * 3600
MAX_PATH = 4096

_NO_OTHER_KEYS: dict[str, JsonValue] = {"additionalProperties": False}
_NO_NUL = r"^[^\x00]*$"
# No segment is `..`: inside the machine `a/..` may lead elsewhere than it looks, when `a` is a symbolic link.
_SEGMENT = r"([^/.\x00][^/\x00]*|\.|\.[^/.\x00][^/\x00]*|\.\.[^/\x00]+)?"


def _whole(value: object) -> object:
    # In JSON 60.0 is as much an integer as 60.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _one_line(value: str) -> str:
    if not re.fullmatch(NAME, value):
        raise ValueError("holds characters that can't be in a name")
    return value


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(_one_line),
    Field(json_schema_extra={"pattern": NAME}),
]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Argument = Annotated[str, StringConstraints(max_length=16384, pattern=_NO_NUL)]
Program = Annotated[str, StringConstraints(min_length=1, max_length=16384, pattern=_NO_NUL)]
Arguments = Annotated[list[Argument], Field(min_length=1, max_length=MAX_ARGUMENTS)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Environment = Annotated[dict[Variable, Argument], Field(max_length=MAX_VARIABLES, json_schema_extra=_NO_OTHER_KEYS)]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$")]
LabelValue = Annotated[str, StringConstraints(max_length=MAX_LABEL, pattern=_NO_NUL)]
Metadata = Annotated[dict[Label, LabelValue], Field(max_length=MAX_LABELS, json_schema_extra=_NO_OTHER_KEYS)]
WHOLE = BeforeValidator(_whole)
Seconds = Annotated[int, Field(ge=1, le=LONGEST_SECONDS), WHOLE]
Size = Annotated[int, Field(ge=1, le=1000), WHOLE]
AbsolutePath = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PATH, pattern=rf"^(/{_SEGMENT})+$")]


class RequestBody(BaseModel):
    """A body: unknown fields are refused, and a number is no text."""

    model_config = ConfigDict(extra="forbid", strict=True)
