"""What guests may call themselves."""

import pytest

from playground.sessions.errors import InvalidRequest
from playground.sharing.names import checked_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ann", "Ann"),
        ("  Ann \t Lee\n", "Ann Lee"),
        ("Zoe\u0301", "Zo\u00e9"),
        ("Łukasz Ż.", "Łukasz Ż."),
        ("小林さん", "小林さん"),
        ("สมชาย", "สมชาย"),
        ("<b>Ann</b>", "<b>Ann</b>"),
        ("7", "7"),
        ("a" * 40, "a" * 40),
    ],
)
def test_names(text: str, name: str) -> None:
    assert checked_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "...",
        "\u200b",
        "\u2800",
        "a" * 41,
        "a" * 10_000,
        " " * 10_000,
        "a\u202eb",
        "a\u200bb",
        "a\u2066b",
        "a\x00b",
        "a\x1b[31mb",
        "a\x7fb",
        "a\ud800b",
        "a\ue000b",
        "z" + "\u0300" * 12,
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_name(text)
    assert refused.value.field == "name"
