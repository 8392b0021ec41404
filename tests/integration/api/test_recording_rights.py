"""Recordings that no machine adds to: who may see, delete and stop them, and how long they stay."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from playground.images.models import Image
from playground.recordings import services
from playground.recordings.models import Recording, RecordingState
from playground.sessions.models import Event, Machine, Profile, Session, Terminal
from playground.sessions.states import SessionState
from tests.support.live_site import LiveSite
from tests.support.people import Person, assert_problem
from tests.support.recordings import completed, download

ONE = "/sessions/{s}/recordings/{r}"


@pytest.mark.parametrize(("method", "path"), [("GET", ONE), ("GET", f"{ONE}/asciicast"), ("DELETE", ONE)])
def test_somebody_elses(recorded: Recording, bob: Person, method: str, path: str) -> None:
    answer = bob.api.request(method, path.format(s=recorded.session_id, r=recorded.pk))
    theirs = assert_problem(answer, 404, answer.json()["code"])
    absent = "00000000-0000-4000-8000-000000000000"
    nothing = bob.api.request(method, path.format(s=absent, r=absent)).json()
    for problem in (theirs, nothing):
        problem.pop("request_id")
    assert theirs == nothing
    assert Recording.objects.filter(pk=recorded.pk).exists()
    assert_problem(bob.api.get(f"/sessions/{recorded.session_id}/recordings"), 404, "session_unknown")


def test_an_administrator_leaves_a_trace(recorded: Recording, ann: Person, bob: Person) -> None:
    download(ann, recorded)
    assert not Event.objects.filter(kind="recording_opened").exists()
    bob.user.is_staff = True
    bob.user.save()
    for _ in range(3):
        download(bob, recorded)
    event = Event.objects.get(session_id=recorded.session_id, kind="recording_opened")
    assert event.data == {"recording": str(recorded.pk), "by": "bob"}


def test_lists_and_deletion(recorded: Recording, ann: Person, site: LiveSite) -> None:
    base = f"/sessions/{recorded.session_id}/recordings"
    (item,) = ann.api.get(base).json()["items"]
    assert (item["id"], item["state"], item["missing_bytes"]) == (str(recorded.pk), "complete", 0)
    assert ann.api.get(f"{base}/{recorded.pk}").json() == item
    Recording.objects.update(state=RecordingState.RECORDING)
    assert_problem(ann.api.delete(f"{base}/{recorded.pk}"), 409, "recording_running")
    Recording.objects.update(state=RecordingState.COMPLETE)
    for _ in range(2):
        assert ann.api.delete(f"{base}/{recorded.pk}").status_code == 204
    assert not (site.data / "recordings" / f"{recorded.pk.hex}.cast").exists()
    assert_problem(ann.api.get(f"{base}/{recorded.pk}/asciicast"), 404, "recording_unknown")


def test_pruning(recorded: Recording, site: LiveSite, settings: object) -> None:
    settings.DATA = site.data  # type: ignore[attr-defined]  # pytest-django's
    path = site.data / "recordings" / f"{recorded.pk.hex}.cast"
    services.prune()
    assert path.exists()
    Recording.objects.update(ended_at=timezone.now() - timedelta(days=31))
    services.prune()
    assert not path.exists()
    assert not Recording.objects.exists()


def test_files_go_with_their_session(recorded: Recording, site: LiveSite, settings: object) -> None:
    settings.DATA = site.data  # type: ignore[attr-defined]  # pytest-django's
    Session.objects.filter(pk=recorded.session_id).delete()
    services.prune()
    assert not (site.data / "recordings" / f"{recorded.pk.hex}.cast").exists()


def test_profiles_decide(ann: Person, image: Image, profile: Profile) -> None:
    Profile.objects.update(recording="never")
    refused = assert_problem(ann.api.post("/sessions", json={"image": "debian", "record": True}), 409, "beyond_profile")
    assert json.dumps(refused)
    Profile.objects.update(recording="always")
    answer = ann.api.post("/sessions", json={"image": "debian"})
    assert answer.json()["is_recorded"] is True


def test_what_a_profile_demands_is_not_stopped(ann: Person, anns: Terminal) -> None:
    session = str(anns.machine.session_id)
    Session.objects.update(is_recorded=True, is_recording_required=True)
    assert_problem(ann.api.post(f"/sessions/{session}/recordings/stop"), 409, "recording_required")
    assert ann.api.get(f"/sessions/{session}").json()["is_recorded"] is True
    assert not Event.objects.filter(kind="recording_stopped").exists()


def test_profiles_that_demand_it_say_so(ann: Person, image: object, profile: Profile) -> None:
    Profile.objects.update(recording="always")
    asked = ann.api.post("/sessions", json={"image": "debian", "record": True}).json()
    assert (asked["is_recorded"], asked["is_recording_required"]) == (True, True)
    Profile.objects.update(recording="on_request")
    # As it was settled when the session was created.
    assert_problem(ann.api.post(f"/sessions/{asked['id']}/recordings/stop"), 409, "recording_required")


@pytest.mark.parametrize("state", [SessionState.PENDING, SessionState.STOPPING, SessionState.ENDED])
def test_is_stopped_only_while_it_runs(ann: Person, anns: Terminal, state: SessionState) -> None:
    path = f"/sessions/{anns.machine.session_id}/recordings/stop"
    Session.objects.update(is_recorded=True, state=state)
    assert_problem(ann.api.post(path), 409, "session_not_running")
    Session.objects.update(is_recorded=False)
    assert ann.api.post(path).status_code == 200, "there is nothing to stop"


def test_a_machine_that_does_not_answer(ann: Person, anns: Terminal, site: LiveSite) -> None:
    """What can't be asked how far it is is recorded no further than it was."""
    Session.objects.update(is_recorded=True)
    recording = Recording.objects.create(
        session=anns.machine.session, machine=anns.machine, terminal_id=anns.pk, name="shell"
    )
    answer = ann.api.post(f"/sessions/{anns.machine.session_id}/recordings/stop")
    assert answer.status_code == 200, answer.text
    recording.refresh_from_db()
    assert (recording.state, recording.stop_at) == (RecordingState.RECORDING, None)
    site.start("recorder")
    try:
        assert completed(str(anns.machine.session_id)).state == RecordingState.STOPPED
    finally:
        site.kill("recorder")
        (site.data / "recordings" / f"{recording.pk.hex}.cast").unlink(missing_ok=True)


def test_somebody_elses_is_not_stopped(ann: Person, bob: Person, anns: Terminal) -> None:
    Session.objects.update(is_recorded=True)
    path = f"/sessions/{anns.machine.session_id}/recordings/stop"
    assert_problem(bob.api.post(path), 404, "session_unknown")
    bob.user.is_staff = True
    bob.user.save()
    assert_problem(bob.api.post(path), 404, "session_unknown")
    assert Machine.objects.get(pk=anns.machine_id).session.is_recorded  # type: ignore[union-attr]
