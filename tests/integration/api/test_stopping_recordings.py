"""Recording is stopped while its session goes on: nothing that comes later is recorded, whoever dies meanwhile."""

import signal
from collections.abc import Callable

import pytest

from playground.recordings.models import Recording, RecordingState
from playground.sessions.models import Event, Session, Terminal
from tests.support.asciicast import check_version_3, events_of, text_of
from tests.support.live_site import LiveSite
from tests.support.notices import greeted, next_notice
from tests.support.people import Person
from tests.support.recordings import completed, download, file_of, has_file, text_so_far, wait_until
from tests.support.sockets import opened

BEFORE = 30_000
"""Lines, far fewer bytes than a terminal keeps for a recorder."""
IN_TWO_PARTS = (
    f"stty -opost; seq {BEFORE}; touch before; while [ ! -e go ]; do sleep 0.02; done; seq -f after-%g 200000; "
    "touch after; exec sleep 1000"
)
"""The second part is more than a terminal keeps: it is written as a whole only when nobody keeps it."""
NUMBERS = "".join(f"{number}\n" for number in range(1, BEFORE + 1))


def _stop(person: Person, session: str) -> dict[str, object]:
    answer = person.api.post(f"/sessions/{session}/recordings/stop")
    assert answer.status_code == 200, answer.text
    stopped: dict[str, object] = answer.json()
    assert stopped["is_recorded"] is False
    assert stopped["recording_stopped_at"] is not None
    return stopped


def _goes_on(person: Person, session: str) -> None:
    person.api.post(f"/sessions/{session}/exec", json={"command": "touch go"}).raise_for_status()
    wait_until(lambda: has_file(person, session, "after"), "the program waits for no recorder")


def _stopped_at(person: Person, session: str, text: str) -> None:
    """Its recording is stopped, holds just that, and can be played."""
    recording = completed(session)
    assert recording.state == RecordingState.STOPPED
    content = download(person, recording)
    check_version_3(content)
    assert text_of(content) == text
    assert events_of(content)[1][-1][1:] == ("m", "Recording was stopped here")
    assert recording.missing_bytes == 0
    assert recording.size_bytes == len(content)


def _nothing_is_kept(session: str) -> bool:
    return not Terminal.objects.filter(machine__session_id=session, is_kept=True).exists()


def test_in_the_middle(
    start_recorded: Callable[..., str], recorder: Callable[[], None], running_site: LiveSite, ann: Person
) -> None:
    session = start_recorded(IN_TWO_PARTS)
    (first,) = ann.api.get(f"/sessions/{session}").json()["terminals"]
    with opened(first["websocket_url"], {"Authorization": f"Bearer {ann.key}"}) as socket:
        greeted(socket)
        wait_until(lambda: has_file(ann, session, "before"), "the first part is printed")
        stopped = _stop(ann, session)
        assert next_notice(socket, "recording_stopped") == {"type": "recording_stopped"}
    assert _stop(ann, session) == stopped, "twice is success"
    _goes_on(ann, session)
    _stopped_at(ann, session, NUMBERS)
    assert Event.objects.filter(session_id=session, kind="recording_stopped").count() == 1

    # What is opened later is not recorded, and does not wait for a recorder.
    later = ann.api.post(f"/sessions/{session}/terminals", json={"command": "seq 200000; touch later"}).json()["id"]
    wait_until(lambda: has_file(ann, session, "later"), "nothing holds it back")
    assert not Recording.objects.filter(terminal_id=later).exists()
    wait_until(lambda: _nothing_is_kept(session), "all terminals are released")
    ann.api.delete(f"/sessions/{session}").raise_for_status()
    assert _stop(ann, session)["recording_stopped_at"] == stopped["recording_stopped_at"], "also after its end"
    assert [item["state"] for item in ann.api.get(f"/sessions/{session}/recordings").json()["items"]] == ["stopped"]


@pytest.mark.parametrize("since", ["before it was seen", "in the middle"])
def test_while_no_recorder_runs(
    start_recorded: Callable[..., str], running_site: LiveSite, ann: Person, since: str
) -> None:
    if since == "in the middle":
        running_site.start("recorder")
    session = start_recorded(IN_TWO_PARTS)
    wait_until(lambda: has_file(ann, session, "before"), "the first part is printed")
    if since == "in the middle":
        wait_until(lambda: file_of(running_site, session) is not None, "the recorder works")
        running_site.kill("recorder")
    _stop(ann, session)
    # This comes into the terminal before the next recorder does.
    ann.api.post(f"/sessions/{session}/exec", json={"command": "touch go"}).raise_for_status()
    running_site.start("recorder")
    try:
        _stopped_at(ann, session, NUMBERS)
        _goes_on(ann, session)
        wait_until(lambda: _nothing_is_kept(session), "all terminals are released")
    finally:
        running_site.kill("recorder")


def test_a_recorder_that_is_killed_on_the_way(
    start_recorded: Callable[..., str], recorder: Callable[[], None], running_site: LiveSite, ann: Person
) -> None:
    session = start_recorded(IN_TWO_PARTS)
    wait_until(lambda: has_file(ann, session, "before"), "the first part is printed")
    running_site.freeze("recorder")
    _stop(ann, session)
    for _ in range(4):
        running_site.send("recorder", signal.SIGCONT)
        recorder()
    _goes_on(ann, session)
    _stopped_at(ann, session, NUMBERS)


def test_what_was_recorded_before_the_recorder_heard_of_it_is_taken_back(
    start_recorded: Callable[..., str], recorder: Callable[[], None], running_site: LiveSite, ann: Person
) -> None:
    session = start_recorded(IN_TWO_PARTS)
    wait_until(lambda: text_so_far(running_site, session) == NUMBERS, "the first part is recorded")
    # As if that had been the moment.
    Recording.objects.filter(session_id=session).update(stop_at=1000)
    Session.objects.filter(pk=session).update(is_recorded=False)
    _stopped_at(ann, session, NUMBERS[:1000])


def test_a_paused_session(
    start_recorded: Callable[..., str], recorder: Callable[[], None], running_site: LiveSite, ann: Person
) -> None:
    session = start_recorded(IN_TWO_PARTS)
    wait_until(lambda: text_so_far(running_site, session) == NUMBERS, "the first part is recorded")
    ann.api.post(f"/sessions/{session}/pause").raise_for_status()
    _stop(ann, session)
    _stopped_at(ann, session, NUMBERS)
    ann.api.post(f"/sessions/{session}/resume").raise_for_status()
    _goes_on(ann, session)
    wait_until(lambda: _nothing_is_kept(session), "all terminals are released")


def test_a_session_that_ends_at_once(
    start_recorded: Callable[..., str], recorder: Callable[[], None], running_site: LiveSite, ann: Person
) -> None:
    session = start_recorded(IN_TWO_PARTS)
    wait_until(lambda: has_file(ann, session, "before"), "the first part is printed")
    wait_until(lambda: file_of(running_site, session) is not None, "the recorder works")
    _stop(ann, session)
    ann.api.delete(f"/sessions/{session}").raise_for_status()
    recording = completed(session)
    # Its terminal may end before the recorder has heard: then that is the whole of it, too.
    assert recording.state in (RecordingState.STOPPED, RecordingState.COMPLETE)
    assert text_of(download(ann, recording)) == NUMBERS
