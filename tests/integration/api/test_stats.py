"""What a session uses against what it may, as programs read it."""

from datetime import timedelta

from django.utils import timezone

from playground.sessions import stats, stats_api
from playground.sessions.models import MachineUsage, Profile, Session, Terminal
from playground.sessions.states import MachineState, SessionState
from tests.support.people import Person

SAMPLE = {
    "cpu_seconds": 12.5,
    "throttled_seconds": 2.25,
    "cpu_cores": 0.75,
    "throttled_share": 0.5,
    "oom_kills": 1,
    "memory_bytes": 50 << 20,
    "memory_peak_bytes": 60 << 20,
    "pids": 7,
    "pids_peak": 9,
    "disk_bytes": 4096,
    "disk_peak_bytes": 8192,
    "disk_files": 1,
    "read_bytes": 1,
    "written_bytes": 2,
    "received_bytes": 30,
    "sent_bytes": 40,
    "read_rate": 1.5,
}


def _read(person: Person, terminal: Terminal) -> dict[str, dict[str, object]]:
    return dict(person.api.get(f"/sessions/{terminal.machine.session_id}/stats").raise_for_status().json())


def test_answers_have_the_fields_of_what_is_read() -> None:
    for model, typed in (
        (stats_api.StatsAnswer, stats.SessionStats),
        (stats_api.CpuAnswer, stats.CpuStats),
        (stats_api.CreditAnswer, stats.CreditStats),
        (stats_api.MemoryAnswer, stats.MemoryStats),
        (stats_api.PidsAnswer, stats.PidsStats),
        (stats_api.DiskAnswer, stats.DiskStats),
        (stats_api.IoAnswer, stats.IoStats),
        (stats_api.NetworkAnswer, stats.NetworkStats),
    ):
        assert set(model.model_fields) == set(typed.__annotations__)


def test_before_anybody_looked(anns: Terminal, ann: Person) -> None:
    found = _read(ann, anns)
    assert found["sampled_at"] is None
    assert found["live"] is False
    assert found["memory"] == {"used_bytes": 0, "limit_bytes": 256 << 20, "peak_bytes": 0, "oom_kills": 0}
    assert found["cpu"]["limit_cores"] == 1.0
    assert found["credit"] is None
    assert found["network"]["limit_bytes"] is None


def test_used_and_limit(anns: Terminal, ann: Person) -> None:
    Profile.objects.update(cpu_baseline=0.25, cpu_credit_seconds=100, network_bytes=1000)
    MachineUsage.objects.create(
        machine=anns.machine, sampled_at=timezone.now(), cpu_credit=40.5, cpu_limit=0.25, **SAMPLE
    )
    found = _read(ann, anns)
    assert found["live"] is True
    assert found["cpu"] == {
        "used_cores": 0.75,
        "limit_cores": 0.25,
        "burst_cores": 1.0,
        "baseline_cores": 0.25,
        "throttled": True,
        "throttled_share": 0.5,
        "seconds": 12.5,
        "throttled_seconds": 2.25,
    }
    assert found["credit"] == {"left_seconds": 40.5, "limit_seconds": 100.0}
    assert found["pids"] == {"used": 7, "limit": 128, "peak": 9}
    assert found["memory"]["oom_kills"] == 1
    assert found["disk"]["used_bytes"] == 4096
    assert found["io"]["read_bytes_per_second"] == 1.5
    assert found["network"]["used_bytes"] == 70
    assert found["network"]["limit_bytes"] == 1000


def test_totals_stay_when_it_has_ended(anns: Terminal, ann: Person) -> None:
    MachineUsage.objects.create(machine=anns.machine, sampled_at=timezone.now() - timedelta(hours=1), **SAMPLE)
    type(anns.machine).objects.update(state=MachineState.REMOVED)
    Session.objects.update(state=SessionState.ENDED, ended_at=timezone.now(), reason="user")
    found = _read(ann, anns)
    assert found["live"] is False
    assert found["cpu"]["seconds"] == 12.5
    assert found["cpu"]["used_cores"] == 0
    assert found["memory"]["used_bytes"] == 0
    assert found["memory"]["peak_bytes"] == 60 << 20
    assert found["network"]["used_bytes"] == 70
