"""`/ws/v1/events`: a snapshot, then changes; also while Valkey is away."""

from itertools import count

from playground.accounts.keys import revoke_key
from playground.images.models import Image
from playground.sessions.models import Session, Terminal
from tests.support.live_site import LiveSite
from tests.support.people import Person
from tests.support.recordings import wait_until
from tests.support.sockets import close_code, next_json, opened, read_to_the_end


def _headers(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.key}"}


def test_a_snapshot_then_changes_of_ones_own(site: LiveSite, ann: Person, bob: Person, anns: Terminal) -> None:
    session_id = str(anns.machine.session_id)
    address = f"{site.ws_url}/ws/v1/events"
    with opened(address, _headers(ann)) as hers, opened(address, _headers(bob)) as his:
        snapshot = next_json(hers)
        assert snapshot["type"] == "snapshot"
        assert [item["id"] for item in snapshot["sessions"]] == [session_id]  # type: ignore[attr-defined]  # JSON
        assert [item["id"] for item in snapshot["images"]] == ["debian"]  # type: ignore[attr-defined]  # JSON
        assert next_json(his)["sessions"] == []
        for number in count():
            ann.api.patch(f"/sessions/{session_id}", json={"name": f"renamed {number}"}).raise_for_status()
            # What the channel layer loses on a machine that stops comes with the next snapshot; that has its own test.
            if (change := next_json(hers))["type"] == "session.changed":
                break
        assert change["session"]["name"] == f"renamed {number}"  # type: ignore[index]  # JSON
        # Nothing of hers reaches him: the next that he hears is the heartbeat.
        assert next_json(his)["type"] == "heartbeat"


def test_rights(site: LiveSite, ann: Person, ann_cookie: str) -> None:
    address = f"{site.ws_url}/ws/v1/events"
    assert close_code(address)[0] == 4401
    cookie = {"Cookie": f"{site.session_cookie}={ann_cookie}"}
    assert close_code(address, cookie, origin="https://evil.example")[0] == 4403
    with opened(address, cookie, origin=site.url) as socket:
        assert next_json(socket)["type"] == "snapshot"


def test_a_revoked_key_closes_the_socket(site: LiveSite, ann: Person) -> None:
    with opened(f"{site.ws_url}/ws/v1/events", _headers(ann)) as socket:
        assert next_json(socket)["type"] == "snapshot"
        assert revoke_key(ann.user, ann.key_row.pk)
    assert close_code(f"{site.ws_url}/ws/v1/events", _headers(ann))[0] == 4401


def test_an_open_socket_ends_with_its_right(site: LiveSite, ann: Person) -> None:
    with opened(f"{site.ws_url}/ws/v1/events", _headers(ann)) as socket:
        assert next_json(socket)["type"] == "snapshot"
        ann.user.is_active = False
        ann.user.save()
        read_to_the_end(socket)
        assert socket.close_code == 4401


def test_while_valkey_is_away(site: LiveSite, ann: Person, anns: Terminal, image: Image) -> None:
    """The snapshot is what counts: it comes, and it comes again when something changed."""
    site.kill("valkey")
    try:
        with opened(f"{site.ws_url}/ws/v1/events", _headers(ann)) as socket:
            assert next_json(socket)["type"] == "snapshot"
            Session.objects.update(name="changed behind its back")
            while (message := next_json(socket))["type"] != "snapshot":
                pass
            assert message["sessions"][0]["name"] == "changed behind its back"  # type: ignore[index]  # JSON
        assert ann.api.get("/me").status_code == 200
        assert ann.api.get("/readyz").json()["parts"]["valkey"]["ok"] is False
        ticket = ann.api.post(f"/sessions/{anns.machine.session_id}/terminals/{anns.pk}/ticket")
        assert (ticket.status_code, ticket.json()["code"]) == (503, "service_unavailable")
        assert ann.api.post("/sessions", json={"image": "debian"}).status_code in (201, 202)
    finally:
        site.start("valkey")
    wait_until(lambda: ann.api.get("/readyz").json()["parts"]["valkey"]["ok"] is True, "Valkey answers again")
