"""Open terminals are told what happens to their session, and programs that listen to events too."""

from datetime import timedelta

import pytest
from django.utils import timezone

from playground.sessions import expiring
from playground.sessions.models import Profile, Session
from tests.support.live_site import LiveSite
from tests.support.notices import greeted, next_notice
from tests.support.people import Person
from tests.support.sockets import next_json, opened, read_to_the_end

MIB = 1 << 20
LOST = 60.0
"""Seconds within which a notice comes that the channel layer has lost."""


@pytest.fixture
def address(ann: Person, session: str) -> str:
    """Of the session's terminal."""
    return str(ann.api.get(f"/sessions/{session}").json()["terminals"][0]["websocket_url"])


def _headers(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.key}"}


def _run(person: Person, session: str, line: str) -> None:
    answer = person.api.post(f"/sessions/{session}/exec", json={"command": line})
    assert answer.json()["exit_code"] == 0, answer.text


def _ends_in(session: str, left: timedelta) -> None:
    now = timezone.now()
    Session.objects.filter(pk=session).update(started_at=now + left - timedelta(hours=1), expires_at=now + left)
    # What the sweep does.
    expiring.warn()


def test_a_lifetime_that_is_nearly_over(ann: Person, session: str, address: str) -> None:
    with opened(address, _headers(ann)) as first, opened(address, _headers(ann)) as second:
        for socket in (first, second):
            greeted(socket)
        _ends_in(session, timedelta(minutes=4))
        for socket in (first, second):
            notice = next_notice(socket, "expiring")
            assert notice["reason"] == "expired"
            assert notice["at"] == ann.api.get(f"/sessions/{session}").json()["expires_at"]
            assert 200 <= notice["seconds"] <= 240
            assert notice["message"].endswith("Extend gives it more time.")
        later = ann.api.post(f"/sessions/{session}/extend", json={"ttl_seconds": 3600}).json()["expires_at"]
        assert next_notice(first, "kept") == {"type": "kept", "reason": "expired", "at": later}


def test_who_comes_late_is_warned_too(ann: Person, session: str, address: str) -> None:
    _ends_in(session, timedelta(seconds=50))
    with opened(address, _headers(ann)) as socket:
        greeted(socket)
        assert next_notice(socket, "expiring")["seconds"] <= 50


def test_an_idle_session_is_kept_by_a_key(ann: Person, session: str, address: str) -> None:
    with opened(address, _headers(ann)) as socket:
        greeted(socket)
        # The notice of what this process does comes by the clock, and until then it must not be idle.
        seen = timezone.now() - timedelta(seconds=1690)
        Session.objects.filter(pk=session).update(last_activity_at=seen, idle_seconds=1800)
        expiring.warn()
        assert next_notice(socket, "expiring")["reason"] == "idle"
        socket.send(b"\x00 ")
        assert next_notice(socket, "kept") == {"type": "kept", "reason": "idle"}


def test_programs_hear_of_it_by_the_events(ann: Person, session: str, address: str, site: LiveSite) -> None:
    """The worker's own sweep warns, and the channel layer carries it to both sockets."""
    now = timezone.now()
    with opened(f"{site.ws_url}/ws/v1/events", _headers(ann)) as events, opened(address, _headers(ann)) as terminal:
        greeted(terminal)
        assert next_json(events)["type"] == "snapshot"
        end = now + timedelta(minutes=4)
        Session.objects.filter(pk=session).update(started_at=end - timedelta(hours=1), expires_at=end)
        site.start("beat")
        try:
            while (event := next_json(events)).get("kind") != "expiring":
                pass
            assert event["data"] == {
                key: value for key, value in next_notice(terminal, "expiring").items() if key != "type"
            }
        finally:
            site.kill("beat")


def test_a_disk_that_fills_up(ann: Person, session: str, address: str, site: LiveSite) -> None:
    """The worker's own samples see it: told, told to who comes late, taken back; then it is paused and ended."""
    Profile.objects.update(disk_bytes=8 * MIB)
    site.start("beat")
    try:
        with opened(address, _headers(ann)) as first:
            greeted(first)
            _run(ann, session, "dd if=/dev/zero of=$HOME/f bs=1048576 count=7")
            notice = next_notice(first, "warning", LOST)
            assert (notice["subject"], notice["machine"], notice["limit_bytes"]) == ("disk", "main", 8 * MIB)
            # It may have been looked at in the middle of that.
            assert 8 * MIB * 8 // 10 <= notice["used_bytes"] < 8 * MIB
            assert notice["message"].startswith("The disk is 8")
            assert "this session ends" in notice["message"]
            with opened(address, _headers(ann)) as late:
                greeted(late)
                assert next_notice(late, "warning") == notice
                _run(ann, session, "rm $HOME/f")
                for socket in (first, late):
                    kept = {"type": "kept", "subject": "disk", "machine": "main"}
                    assert next_notice(socket, "kept", LOST) == kept
            # Typed: who is paused in the middle of it gets no answer.
            first.send(b"\x00dd if=/dev/zero of=$HOME/f bs=1048576 count=9\r")
            assert "allows 8 MiB." in next_notice(first, "paused", LOST)["message"]
            read_to_the_end(first)
            assert first.close_code == 4410
        assert ann.api.get(f"/sessions/{session}").json()["reason"] == "quota_disk"
    finally:
        site.kill("beat")


def test_what_the_channel_layer_loses_comes_all_the_same(
    ann: Person, session: str, address: str, site: LiveSite
) -> None:
    site.kill("valkey")
    try:
        with opened(address, _headers(ann)) as socket:
            greeted(socket)
            _ends_in(session, timedelta(minutes=4))
            assert next_notice(socket, "expiring", LOST)["reason"] == "expired"
    finally:
        site.start("valkey")
