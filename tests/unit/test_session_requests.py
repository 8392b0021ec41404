"""What a session may be asked to be."""

import pytest

from playground.sessions.errors import BeyondProfile, InvalidRequest
from playground.sessions.requests import (
    MAX_PROCESS_BYTES,
    SessionRequest,
    WantedNetwork,
    check_place,
    check_request,
    checked_seconds,
)
from runtime.engines.base import Egress


@pytest.mark.parametrize(
    "request_",
    [
        SessionRequest("busybox"),
        SessionRequest("busybox", name="x" * 100, command=["a"] * 64, metadata={"course.name": "Ω" * 512}),
        SessionRequest("busybox", environment={"_A9": "", "B": "line\nline"}),
        SessionRequest("busybox", network=WantedNetwork(Egress.NONE)),
        SessionRequest("busybox", network=WantedNetwork(Egress.ALLOWLIST)),
        SessionRequest("busybox", network=WantedNetwork(Egress.ALLOWLIST, ["Deb.Debian.org", "198.51.100.0/24"])),
    ],
)
def test_good_requests(request_: SessionRequest) -> None:
    check_request(request_)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SessionRequest("busybox", name=""), "name"),
        (SessionRequest("busybox", network=WantedNetwork(Egress.INTERNET, ["deb.debian.org"])), "network.allowed"),
        (SessionRequest("busybox", network=WantedNetwork(Egress.ALLOWLIST, [])), "network.allowed"),
        (SessionRequest("busybox", network=WantedNetwork(Egress.ALLOWLIST, [" "])), "network.allowed"),
        (SessionRequest("busybox", network=WantedNetwork(Egress.ALLOWLIST, ["localhost"])), "network.allowed"),
        (SessionRequest("busybox", network=WantedNetwork(Egress.ALLOWLIST, ["10.0.0.1"])), "network.allowed"),
        (SessionRequest("busybox", network=WantedNetwork(Egress.ALLOWLIST, ["::/0"])), "network.allowed"),
        (SessionRequest("busybox", network=WantedNetwork(Egress.ALLOWLIST, ["0.0.0.0/0"])), "network.allowed"),
        (
            SessionRequest("busybox", network=WantedNetwork(Egress.ALLOWLIST, [f"{n}.example.org" for n in range(9)])),
            "network.allowed",
        ),
        (SessionRequest("busybox", name="  "), "name"),
        (SessionRequest("busybox", name="x" * 10_000), "name"),
        (SessionRequest("busybox", name="a\x1b[31m"), "name"),
        (SessionRequest("busybox", name="a\0"), "name"),
        (SessionRequest("busybox", command=[""]), "command"),
        (SessionRequest("busybox", command=["a\0b"]), "command"),
        (SessionRequest("busybox", command=["a"] * 65), "command"),
        (SessionRequest("busybox", command=["a" * MAX_PROCESS_BYTES]), "command"),
        (SessionRequest("busybox", command=["\ud800"]), "command"),
        (SessionRequest("busybox", environment={"A=B": "x"}), "env"),
        (SessionRequest("busybox", environment={"": "x"}), "env"),
        (SessionRequest("busybox", environment={"1A": "x"}), "env"),
        (SessionRequest("busybox", environment={"A": "x\0"}), "env"),
        (SessionRequest("busybox", environment={f"A{i}": "" for i in range(65)}), "env"),
        (SessionRequest("busybox", metadata={"a b": "x"}), "metadata"),
        (SessionRequest("busybox", metadata={"a": "x" * 513}), "metadata"),
        (SessionRequest("busybox", metadata={f"a{i}": "" for i in range(33)}), "metadata"),
    ],
)
def test_bad_requests(request_: SessionRequest, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_request(request_)
    assert caught.value.field == field


@pytest.mark.parametrize("place", [("relative", None), ("/a\0", None), ("/" * 5000, None), (None, ""), (None, "a\0")])
def test_bad_places(place: tuple[str | None, str | None]) -> None:
    with pytest.raises(InvalidRequest):
        check_place(*place)


@pytest.mark.parametrize("value", [-1, 0, 3601, 10**12])
def test_seconds_out_of_range(value: int) -> None:
    with pytest.raises((InvalidRequest, BeyondProfile)):
        checked_seconds(value, 60, 3600, "ttl_seconds")


def test_seconds() -> None:
    assert checked_seconds(None, 60, 3600, "ttl_seconds") == 60
    assert checked_seconds(None, 7200, 3600, "ttl_seconds") == 3600
    assert checked_seconds(1, 60, 3600, "ttl_seconds") == 1
    assert checked_seconds(3600, 60, 3600, "ttl_seconds") == 3600
