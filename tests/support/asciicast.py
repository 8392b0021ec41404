"""A strict reader of asciicast v3, written from its description alone: what no player has to forgive."""

import json
import re
from typing import Any

HEADER = {"version", "term", "timestamp", "idle_time_limit", "command", "title", "env", "tags"}
TERM = {"cols", "rows", "type", "version", "theme"}


def events_of(content: bytes) -> tuple[dict[str, object], list[tuple[float, str, str]]]:
    """The header and the events. Fails for anything that the format does not know."""
    text = content.decode("utf-8")
    assert text.endswith("\n")
    assert "\r" not in text, "lines end with a newline alone"
    first, *rest = text[:-1].split("\n")
    header = _json(first)
    _check_header(header)
    events = []
    for line in rest:
        if line.startswith("#"):
            continue
        event = _json(line)
        assert isinstance(event, list), line
        assert len(event) == 3, line
        interval, code, data = event
        assert type(interval) in (int, float), line
        assert interval >= 0, line
        assert code in ("o", "i", "m", "r", "x"), line
        assert isinstance(data, str), line
        assert code != "r" or re.fullmatch(r"[1-9]\d*x[1-9]\d*", data), line
        assert code != "x" or re.fullmatch(r"\d+", data), line
        events.append((float(interval), code, data))
    codes = [code for _, code, _ in events]
    assert "x" not in codes[:-1], "the end is the last event"
    return header, events


def _check_header(header: dict[str, Any]) -> None:
    assert type(header["version"]) is int
    assert header["version"] == 3
    assert set(header) <= HEADER, header
    assert set(header["term"]) <= TERM
    assert all(type(header["term"][side]) is int and header["term"][side] > 0 for side in ("cols", "rows"))
    assert isinstance(header["term"].get("type", ""), str)
    assert type(header.get("timestamp", 0)) is int
    assert type(header.get("idle_time_limit", 1)) in (int, float)
    assert header.get("idle_time_limit", 1) > 0
    assert all(isinstance(header.get(name, ""), str) for name in ("command", "title"))


def _json(line: str) -> Any:
    """Raises for what Python's reader forgives: NaN, and a name that comes twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs), line
        return dict(pairs)

    def never(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(line, object_pairs_hook=once, parse_constant=never)


def check_version_3(content: bytes) -> None:
    """Fails unless it is one; and unless no input is in it."""
    assert all(code != "i" for _, code, _ in events_of(content)[1])


def text_of(content: bytes) -> str:
    """All output."""
    return "".join(data for _, code, data in events_of(content)[1] if code == "o")
