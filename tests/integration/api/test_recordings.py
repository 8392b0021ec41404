"""Recordings, from a real recorder that is killed, of real terminals."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playground.recordings.models import Recording, RecordingState
from playground.sessions.models import Event, Terminal
from runtime.recording.file import lines
from tests.support.asciicast import check_version_3, events_of, text_of
from tests.support.asciinema import asciinema
from tests.support.live_site import LiveSite
from tests.support.people import Person
from tests.support.recordings import WITHIN, completed, download, file_of, has_file, text_so_far, wait_until
from tests.support.sockets import opened

ROUNDS = 5
IN_ROUNDS = (
    "stty -opost; i=0; while [ $i -lt 5 ]; do while [ ! -e go$i ]; do sleep 0.02; done; "
    "seq $((i * 40000 + 1)) $(((i + 1) * 40000)); i=$((i + 1)); done; exec sleep 1000"
)
"""Each time that it is told to, 40000 lines: they are written before, while and after a recorder is killed."""
LAST = 40_000
"""Lines, fewer bytes than a terminal keeps for a recorder."""
NUMBERS = "".join(f"{number}\n" for number in range(1, 200_001))


def test_a_recorder_that_is_killed_again_and_again(
    start_recorded: Callable[..., str], recorder: Callable[[], None], running_site: LiveSite, ann: Person
) -> None:
    session = start_recorded(IN_ROUNDS)
    wait_until(lambda: file_of(running_site, session) is not None, "a file")
    path = file_of(running_site, session)
    assert path is not None
    for number in range(ROUNDS):
        size = path.stat().st_size
        ann.api.post(f"/sessions/{session}/exec", json={"command": f"touch go{number}"}).raise_for_status()
        recorder()
        wait_until(lambda size=size: path.stat().st_size > size, "the next one goes on")  # type: ignore[misc]  # bound now
    wait_until(lambda: b"\n200000\n" in text_of(b"".join(lines(path))).encode(), "the end is recorded")
    recording = Recording.objects.get(session_id=session)
    content = download(ann, recording)
    check_version_3(content)
    assert text_of(content) == NUMBERS
    assert recording.missing_bytes == 0


def test_what_was_written_while_no_recorder_ran(
    start_recorded: Callable[..., str], running_site: LiveSite, ann: Person
) -> None:
    session = start_recorded("stty -opost; seq 1 200000")
    running_site.start("recorder")
    try:
        recording = completed(session)
    finally:
        running_site.kill("recorder")
    content = download(ann, recording)
    check_version_3(content)
    assert text_of(content) == NUMBERS
    assert events_of(content)[1][-1][1:] == ("x", "0")


@pytest.mark.parametrize("how", ["the session ends", "the terminal is closed"])
def test_the_last_words_are_recorded(
    start_recorded: Callable[..., str], recorder: Callable[[], None], running_site: LiveSite, ann: Person, how: str
) -> None:
    session = start_recorded()
    wait_until(lambda: file_of(running_site, session) is not None, "the recorder works")
    # All of the second terminal is still to be recorded when it is about to go.
    running_site.freeze("recorder")
    command = f"stty -opost; seq {LAST}; touch done; exec sleep 1000"
    path = f"/sessions/{session}"
    terminal = ann.api.post(f"{path}/terminals", json={"command": command}).json()["id"]
    wait_until(lambda: has_file(ann, session, "done"), "all is printed")
    with ThreadPoolExecutor(1) as pool:
        gone = pool.submit(ann.api.delete, f"{path}/terminals/{terminal}" if how == "the terminal is closed" else path)
        running_site.send("recorder", signal.SIGCONT)
        assert gone.result(WITHIN).status_code == 204
    wait_until(lambda: _states(terminal) == [RecordingState.COMPLETE], "the recording is complete")
    content = download(ann, Recording.objects.get(terminal_id=terminal))
    check_version_3(content)
    assert text_of(content) == "".join(f"{number}\n" for number in range(1, LAST + 1))


def _states(terminal: str) -> list[str]:
    return list(Recording.objects.filter(terminal_id=terminal).values_list("state", flat=True))


def test_a_flood_ends_at_its_limit(
    start_recorded: Callable[..., str], running_site: LiveSite, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = running_site.environment()
    monkeypatch.setattr(running_site, "environment", lambda: {**environment, "PLAYGROUND_RECORDING_MIB": "1"})
    running_site.start("recorder")
    try:
        session = start_recorded("yes")
        recording = completed(session)
        assert recording.state == RecordingState.FULL
        path = file_of(running_site, session)
        assert path is not None
        assert path.stat().st_size < 4 << 20
        # The program goes on at once, without a recorder.
        assert ann.api.post(f"/sessions/{session}/exec", json={"command": "true"}).json()["exit_code"] == 0
    finally:
        running_site.kill("recorder")
    events = events_of(download(ann, recording))[1]
    assert events[-1][1:] == ("m", "Recording ends here: its limit is reached")
    assert Event.objects.filter(session_id=session, kind="recording_full").exists()


def test_sizes_and_input(
    start_recorded: Callable[..., str], recorder: Callable[[], None], running_site: LiveSite, ann: Person
) -> None:
    session = start_recorded("stty -echo; stty rows 30 cols 100; printf ready; read secret; printf thanks")
    terminal = ann.api.get(f"/sessions/{session}").json()["terminals"][0]["id"]
    # By then it echoes nothing.
    wait_until(lambda: text_so_far(running_site, session) == "ready", "it is recorded")
    with opened(f"{_ws(ann, terminal)}?cols=120&rows=40", {"Authorization": f"Bearer {ann.key}"}) as socket:
        socket.send(b"\x00the secret\n")
        recording = completed(session)
    content = download(ann, recording)
    assert b"the secret" not in content
    assert text_of(content).endswith("readythanks")
    assert ("r", "120x40") in [event[1:] for event in events_of(content)[1]]


def _ws(person: Person, terminal: str) -> str:
    found = Terminal.objects.select_related("machine").get(pk=terminal)
    body = person.api.get(f"/sessions/{found.machine.session_id}").json()
    return str(next(item["websocket_url"] for item in body["terminals"] if item["id"] == terminal))


SHOWN = "h\u00e9llo \x1b[31mw\u00f6rld\x1b[0m \u65e5\u672c\r\n" + "".join(f"{number}\r\n" for number in range(1, 1001))


@pytest.mark.parametrize("command", [("cat",), ("play", "--speed", "1000", "--idle-time-limit", "0.01")])
def test_asciinema_shows_version_2(
    start_recorded: Callable[..., str],
    recorder: Callable[[], None],
    running_site: LiveSite,
    ann: Person,
    tmp_path: Path,
    command: tuple[str, ...],
) -> None:
    words = "h\\303\\251llo \\033[31mw\\303\\266rld\\033[0m \\346\\227\\245\\346\\234\\254\\n"
    session = start_recorded(f"printf '{words}'; seq 1 1000; exec sleep 1000")
    wait_until(lambda: text_so_far(running_site, session) == SHOWN, "all of it")
    recording = Recording.objects.get(session_id=session)
    cast = tmp_path / "two.cast"
    cast.write_bytes(download(ann, recording, "2"))
    assert asciinema(*command, str(cast), home=tmp_path) == SHOWN.encode()
    assert text_of(download(ann, recording)) == SHOWN
