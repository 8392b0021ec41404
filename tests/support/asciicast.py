"""A strict reader of asciicast v3, written from its description alone: what no player has to forgive."""

import json
import re

HEADER = {"version", "term", "timestamp", "idle_time_limit", "command", "title", "env", "tags"}
TERM = {"cols", "rows", "type", "version", "theme"}


def events_of(content: bytes) -> tuple[dict[str, object], list[tuple[float, str, str]]]:
    """The header and the events. Fails for anything that the format does not know."""
    text = content.decode("utf-8")
    assert text.endswith("\n")
    first, *rest = text[:-1].split("\n")
    header = json.loads(first)
    assert header["version"] == 3
    assert set(header) <= HEADER, header
    assert set(header["term"]) <= TERM
    assert all(type(header["term"][side]) is int and header["term"][side] > 0 for side in ("cols", "rows"))
    assert type(header["timestamp"]) is int
    events = []
    for line in rest:
        if line.startswith("#"):
            continue
        event = json.loads(line)
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


def check_version_3(content: bytes) -> None:
    """Fails unless it is one; and unless no input is in it."""
    assert all(code != "i" for _, code, _ in events_of(content)[1])


def text_of(content: bytes) -> str:
    """All output."""
    return "".join(data for _, code, data in events_of(content)[1] if code == "o")
