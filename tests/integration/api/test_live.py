"""A session from its beginning to its end, as a program has it: real worker, real sandboxd, real sockets."""

import json

from websockets.sync.client import ClientConnection

from playground.accounts.keys import revoke_key
from tests.support.live_site import LiveSite
from tests.support.people import Person, assert_problem
from tests.support.sockets import WITHIN, close_code, opened, read_to_the_end


def test_commands(ann: Person, session: str) -> None:
    path = f"/sessions/{session}/exec"
    answer = ann.api.post(path, json={"command": "echo out; echo err >&2; echo $SEEN; exit 3"}).json()
    assert (answer["exit_code"], answer["stdout"], answer["stderr"]) == (3, "out\nyes\n", "err\n")
    assert answer["signal"] is None
    assert ann.api.post(path, json={"command": ["cat"], "stdin": "é\n"}).json()["stdout"] == "é\n"
    slow = ann.api.post(path, json={"command": "sleep 60", "timeout_seconds": 1}).json()
    assert slow["timed_out"] is True
    assert_problem(ann.api.post(path, json={"command": ["/no/such"]}), 409, "command_not_found")
    assert_problem(ann.api.post(path, json={"command": [""]}), 409, "command_not_found")
    assert_problem(ann.api.post(path, json={"command": "true", "cwd": "/no/such"}), 409, "bad_directory")
    assert_problem(ann.api.post(path, json={"command": "true", "machine": "other"}), 404, "machine_unknown")


def test_a_stream_of_output(ann: Person, session: str) -> None:
    body = {"command": "echo one; echo two >&2; exit 4"}
    with ann.api.stream(
        "POST", f"/sessions/{session}/exec", json=body, headers={"Accept": "text/event-stream"}
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [block.split("\n") for block in "".join(answer.iter_text()).strip().split("\n\n")]
    named = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]
    assert ("stdout", {"text": "one\n"}) in named
    assert ("stderr", {"text": "two\n"}) in named
    assert named[-1][0] == "exit"
    assert named[-1][1]["exit_code"] == 4
    refused = ann.api.post(
        f"/sessions/{session}/exec", json={"command": ["/no/such"]}, headers={"Accept": "text/event-stream"}
    )
    assert_problem(refused, 409, "command_not_found")


def test_an_exec_runs_once_for_one_key(ann: Person, session: str) -> None:
    home = ann.api.post(f"/sessions/{session}/exec", json={"command": "pwd"}).json()["stdout"].strip()
    body = {"command": f"echo x >> {home}/count; wc -l < {home}/count"}
    answers = [
        ann.api.post(f"/sessions/{session}/exec", json=body, headers={"Idempotency-Key": "count"}) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1].json()["stdout"] == "1\n"
    assert answers[1].headers["idempotency-replayed"] == "true"


def test_files(ann: Person, session: str) -> None:
    home = ann.api.post(f"/sessions/{session}/exec", json={"command": "pwd"}).json()["stdout"].strip()
    content = bytes(range(256)) * 6000
    files, path = f"/sessions/{session}/files", {"path": f"{home}/a dir/ü.bin"}
    assert ann.api.put(files, params=path, content=content).status_code == 204
    answer = ann.api.get(files, params=path)
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    listed = ann.api.get(f"{files}/list", params={"path": f"{home}/a dir"}).json()["items"]
    assert [(item["name"], item["type"], item["size_bytes"]) for item in listed] == [("ü.bin", "file", len(content))]
    assert ann.api.delete(files, params=path).status_code == 204
    assert_problem(ann.api.get(files, params=path), 404, "file_not_found")
    assert_problem(ann.api.get(f"{files}/list", params=path), 404, "file_not_found")
    assert_problem(ann.api.get(files, params={"path": home}), 409, "not_a_file")


def _read_until(socket: ClientConnection, wanted: bytes) -> bytes:
    """Output of the terminal until it holds `wanted`."""
    seen = b""
    while wanted not in seen:
        message = socket.recv(timeout=WITHIN)
        assert isinstance(message, bytes)
        if message[0] == 0x81:
            seen += message[9:]
    return seen


def test_a_terminal(ann: Person, session: str, site: LiveSite) -> None:
    opened_terminal = ann.api.post(f"/sessions/{session}/terminals", json={"cols": 100, "rows": 30, "name": "second"})
    assert opened_terminal.status_code == 201, opened_terminal.text
    terminal = opened_terminal.json()
    assert terminal in ann.api.get(f"/sessions/{session}/terminals").json()["items"]
    headers = {"Authorization": f"Bearer {ann.key}"}
    with opened(terminal["websocket_url"], headers) as socket:
        hello = socket.recv(timeout=WITHIN)
        assert isinstance(hello, bytes)
        assert hello[0] == 0x80
        assert json.loads(hello[1:])["cols"] == 100
        socket.send(b"\x00echo $((40+2))-done\r")
        _read_until(socket, b"42-done")
    ticket = ann.api.post(f"/sessions/{session}/terminals/{terminal['id']}/ticket").json()["url"]
    with opened(ticket) as socket:
        _read_until(socket, b"42-done")
    for body in (b"\x7f", b"\x01\x00\x00\x00\x00", b"\x00" + b"x" * 65537, b""):
        with opened(terminal["websocket_url"], headers) as socket:
            socket.send(body)
            read_to_the_end(socket)
            assert socket.close_code == 4400
    for _ in range(2):
        assert ann.api.delete(f"/sessions/{session}/terminals/{terminal['id']}").status_code == 204
    assert close_code(terminal["websocket_url"], headers)[0] == 4404


def test_a_terminal_can_be_renamed(ann: Person, session: str) -> None:
    terminal = ann.api.post(f"/sessions/{session}/terminals", json={}).json()
    path = f"/sessions/{session}/terminals/{terminal['id']}"
    assert terminal["is_named"] is False
    renamed = ann.api.patch(path, json={"name": "  build é "})
    assert (renamed.status_code, renamed.json()["name"], renamed.json()["is_named"]) == (200, "build é", True)
    assert ann.api.patch(path, json={}).json() == renamed.json() == ann.api.get(path).json()
    for name in ("", "   ", "x" * 101, "two\nlines", "\u202egnp", None, 7):
        answer = ann.api.patch(path, json={"name": name})
        if name is None:
            assert answer.json()["name"] == "build é"
        else:
            assert_problem(answer, 422, "invalid_request")
    assert ann.api.delete(path).status_code == 204
    assert_problem(ann.api.patch(path, json={"name": "late"}), 404, "terminal_unknown")


def test_what_runs_in_a_terminal(ann: Person, session: str) -> None:
    terminal = ann.api.post(f"/sessions/{session}/terminals", json={"cwd": "/usr"}).json()
    path = f"/sessions/{session}/terminals/{terminal['id']}/process"
    with opened(terminal["websocket_url"], {"Authorization": f"Bearer {ann.key}"}) as socket:
        socket.send(b"\x00echo $((1+1))-ready $COLORTERM\r")
        _read_until(socket, b"2-ready truecolor")
        assert ann.api.get(path).json() == {"command": None, "directory": "/usr"}
        socket.send(b"\x00cd /usr/share; sh -c 'echo $((1+2))-busy; read line; echo $((2+2))-over'\r")
        _read_until(socket, b"3-busy")
        assert ann.api.get(path).json() == {"command": "sh", "directory": "/usr/share"}
        socket.send(b"\x00\r")
        _read_until(socket, b"4-over")
        socket.send(b"\x00exit\r")
        read_to_the_end(socket)
    assert ann.api.get(path).json() == {"command": None, "directory": None}


def test_the_end_closes_the_socket(ann: Person, session: str) -> None:
    terminal = ann.api.get(f"/sessions/{session}").json()["terminals"][0]
    with opened(terminal["websocket_url"], {"Authorization": f"Bearer {ann.key}"}) as socket:
        assert ann.api.delete(f"/sessions/{session}").status_code == 204
        read_to_the_end(socket)
        assert socket.close_code == 4410
        assert socket.close_reason == "You ended this session."
    assert_problem(ann.api.post(f"/sessions/{session}/exec", json={"command": "true"}), 409, "session_not_running")


def test_a_revoked_key_closes_the_socket(ann: Person, session: str) -> None:
    terminal = ann.api.get(f"/sessions/{session}").json()["terminals"][0]
    with opened(terminal["websocket_url"], {"Authorization": f"Bearer {ann.key}"}) as socket:
        assert revoke_key(ann.user, ann.key_row.pk)
        read_to_the_end(socket)
        assert socket.close_code == 4401


def test_extending(ann: Person, session: str) -> None:
    before = ann.api.get(f"/sessions/{session}").json()["expires_at"]
    assert ann.api.post(f"/sessions/{session}/extend", json={"ttl_seconds": 1}).json()["expires_at"] == before
    later = ann.api.post(f"/sessions/{session}/extend", json={"ttl_seconds": 5400}).json()["expires_at"]
    assert later > before
    assert_problem(ann.api.post(f"/sessions/{session}/extend", json={"ttl_seconds": 7201}), 409, "beyond_profile")
