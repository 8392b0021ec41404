"""Generated host names."""

import re

from playground.sessions.names import default_session_name, longer_hostname, random_hostname

LABEL = re.compile(r"[a-z]+-[a-z]+")


def test_host_names_are_valid_and_vary() -> None:
    names = {random_hostname() for _ in range(500)}
    assert all(LABEL.fullmatch(name) and len(name) <= 40 for name in names)
    assert len(names) > 400


def test_a_taken_name_gets_longer() -> None:
    name = longer_hostname("quiet-otter")
    assert re.fullmatch(r"quiet-otter-[0-9a-f]{4}", name)
    assert default_session_name("debian", "quiet-otter") == "debian-quiet-otter"
