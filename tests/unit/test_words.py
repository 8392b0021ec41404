"""Numbers in words; `frontend/tests/words.test.ts` has the same sizes."""

import pytest

from playground.words import size


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1900, "1.9 KiB"),
        (117_000_000, "112 MiB"),
        (2**30 - 1, "1 GiB"),
        (1_610_612_736, "1.5 GiB"),
        (2**31, "2 GiB"),
        (2**52, "4096 TiB"),
    ],
)
def test_sizes(count: int, words: str) -> None:
    assert size(count) == words
