"""Pausing as programs and open terminals have it."""

from collections.abc import Iterator

import pytest
from websockets.sync.client import ClientConnection

from tests.support.live_site import LiveSite
from tests.support.notices import greeted, next_notice
from tests.support.people import Person, assert_problem
from tests.support.sockets import WITHIN, close_code, opened


@pytest.fixture
def address(ann: Person, session: str) -> str:
    """Of the session's terminal."""
    return str(ann.api.get(f"/sessions/{session}").json()["terminals"][0]["websocket_url"])


@pytest.fixture
def terminal(ann: Person, address: str) -> Iterator[ClientConnection]:
    """It, open, by a client whose input counts once."""
    with opened(f"{address}?client=7", _headers(ann)) as socket:
        greeted(socket)
        yield socket


def _headers(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.key}"}


def _read_until(socket: ClientConnection, wanted: bytes) -> None:
    seen = b""
    while wanted not in seen:
        message = socket.recv(timeout=WITHIN)
        assert isinstance(message, bytes)
        if message[0] == 0x81:
            seen += message[9:]


def test_its_answers(ann: Person, session: str) -> None:
    for _ in range(2):
        answer = ann.api.post(f"/sessions/{session}/pause").raise_for_status()
        assert answer.json()["state"] == "paused"
    assert ann.api.get(f"/sessions/{session}").json()["state"] == "paused"
    assert [item["id"] for item in ann.api.get("/sessions", params={"state": "paused"}).json()["items"]] == [session]
    for path, body in (("exec", {"command": "true"}), ("terminals", {})):
        assert_problem(ann.api.post(f"/sessions/{session}/{path}", json=body), 409, "session_paused")
    assert_problem(ann.api.get(f"/sessions/{session}/files", params={"path": "/etc/passwd"}), 409, "session_paused")
    assert ann.api.post(f"/sessions/{session}/extend", json={"ttl_seconds": 5400}).json()["state"] == "paused"
    for _ in range(2):
        assert ann.api.post(f"/sessions/{session}/resume").raise_for_status().json()["state"] == "running"
    assert ann.api.post(f"/sessions/{session}/exec", json={"command": "echo on"}).json()["stdout"] == "on\n"


def test_a_paused_session_can_be_ended(ann: Person, session: str) -> None:
    ann.api.post(f"/sessions/{session}/pause").raise_for_status()
    assert ann.api.delete(f"/sessions/{session}").status_code == 204
    for act in ("pause", "resume"):
        assert_problem(ann.api.post(f"/sessions/{session}/{act}"), 409, "session_not_running")


def test_what_is_typed_meanwhile_is_not_lost(ann: Person, session: str, terminal: ClientConnection) -> None:
    ann.api.post(f"/sessions/{session}/pause").raise_for_status()
    assert next_notice(terminal, "paused") == {"type": "paused", "message": ""}
    terminal.send(b"\x03" + bytes(8) + b"echo $((6*7))-typed\r")
    ann.api.post(f"/sessions/{session}/resume").raise_for_status()
    _read_until(terminal, b"42-typed")


def test_a_cut_while_it_is_paused(ann: Person, session: str, terminal: ClientConnection, address: str) -> None:
    """Nothing is typed twice and nothing is lost, also by who comes back with the same input."""
    typed = b"\x03" + bytes(8) + b"echo $((6*7))-times >> $HOME/typed\r"
    ann.api.post(f"/sessions/{session}/pause").raise_for_status()
    next_notice(terminal, "paused")
    terminal.send(typed)
    terminal.close()
    code, reason = close_code(address, _headers(ann))
    assert (code, reason) == (4409, "The session is paused. Resume it, and connect again.")
    ann.api.post(f"/sessions/{session}/resume").raise_for_status()
    with opened(f"{address}?client=7", _headers(ann)) as socket:
        accepted = greeted(socket)["input"]
        at = accepted.to_bytes(8, "big")
        if accepted < len(typed) - 9:
            socket.send(b"\x03" + at + typed[9 + accepted :])
        end = (len(typed) - 9).to_bytes(8, "big")
        socket.send(b"\x03" + end + b"echo then; cat $HOME/typed; echo $((1+1))-end\r")
        _read_until(socket, b"2-end")
    kept = ann.api.post(f"/sessions/{session}/exec", json={"command": "cat $HOME/typed"}).json()["stdout"]
    assert kept == "42-times\n"


def test_resumed_is_news_too(ann: Person, session: str, terminal: ClientConnection, site: LiveSite) -> None:
    ann.api.post(f"/sessions/{session}/pause").raise_for_status()
    ann.api.post(f"/sessions/{session}/resume").raise_for_status()
    assert next_notice(terminal, "paused")["type"] == "paused"
    assert next_notice(terminal, "resumed") == {"type": "resumed"}
