"""What tests of recordings look at: rows, files, downloads."""

from collections.abc import Callable
from pathlib import Path

from playground.recordings.models import Recording, RecordingState
from runtime.recording.file import lines
from tests.support.asciicast import text_of
from tests.support.live_site import LiveSite
from tests.support.people import Person
from tests.support.waiting import wait

WITHIN = 120.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Fails when it never is so."""
    wait(condition, what, WITHIN)


def file_of(site: LiveSite, session: str) -> Path | None:
    """The file of the session's first recording, once there is one."""
    recording = Recording.objects.filter(session_id=session).first()
    path = site.data / "recordings" / f"{recording.pk.hex}.cast" if recording else None
    return path if path and path.exists() else None


def text_so_far(site: LiveSite, session: str) -> str:
    """What is recorded of the session's first terminal."""
    path = file_of(site, session)
    content = b"".join(lines(path)) if path else b""
    return text_of(content) if content else ""


def completed(session: str) -> Recording:
    """The session's recording, once nothing is added to it any more."""
    wait_until(
        lambda: Recording.objects.filter(session_id=session).exclude(state=RecordingState.RECORDING).exists(),
        "the recording is complete",
    )
    return Recording.objects.get(session_id=session)


def download(person: Person, recording: Recording, version: str = "3") -> bytes:
    """As the API answers it."""
    answer = person.api.get(
        f"/sessions/{recording.session_id}/recordings/{recording.pk}/asciicast", params={"version": version}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-asciicast"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer.content


def has_file(person: Person, session: str, name: str) -> bool:
    """Whether the session's machine has it."""
    answer = person.api.post(f"/sessions/{session}/exec", json={"command": f"test -e {name}"})
    # Who asks again and again may have asked too often; the next minute has an answer.
    return answer.status_code != 429 and bool(answer.json()["exit_code"] == 0)
