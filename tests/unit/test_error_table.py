"""The tables in docs/api.md are the codes that there are."""

import importlib
import re
from pathlib import Path

from playground.api.errors import status_of
from playground.errors import SiteError
from runtime.errors import RuntimeFailure
from runtime.terminal.closing import CloseCode

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()


def _all(root: type) -> set[type]:
    return {root} | {kind for child in root.__subclasses__() for kind in _all(child)}


def _documented(heading: str) -> set[tuple[str, int]]:
    table = GUIDE.split(heading, 1)[1]
    return {(code, int(status)) for code, status in re.findall(r"^\| `(\w+)` \| (\d{3}) \|", table, re.MULTILINE)}


def _raised() -> set[tuple[str, int]]:
    importlib.import_module("playground.api.site")
    ours = {(kind.code, kind.status) for kind in _all(SiteError) if "code" in vars(kind)}
    below = {(kind.code, status_of(kind("x"))) for kind in _all(RuntimeFailure) if kind is not RuntimeFailure}
    # What only says which fields are wrong has no class of its own in the API.
    return (ours | below | {("invalid_request", 422)}) - {(SiteError.code, SiteError.status)}


def test_every_code_is_in_the_table() -> None:
    assert _documented("## Errors") == _raised()


def test_every_close_code_is_in_the_table() -> None:
    table = {int(code) for code in re.findall(r"^\| (\d{4}) \|", GUIDE, re.MULTILINE)}
    assert table == {int(code) for code in CloseCode}
