"""The management commands, and what is done once an hour."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from playground.accounts.models import User
from playground.images.catalogue import sync_catalogue
from playground.images.models import Image, ImageState
from playground.sessions import tasks
from playground.sessions.models import Event, Machine, Profile, Session
from playground.sessions.states import MachineState, SessionState
from runtime.engines.base import Belonging
from runtime.images.catalogue import CATALOGUE
from tests.integration.core.rows import make_ready_machine, make_session
from tests.support.hooked_engine import HookedEngine


def test_prepare_can_be_repeated(transactional_db: None) -> None:
    call_command("prepare", verbosity=0)
    call_command("prepare", verbosity=0)
    assert {image.slug for image in Image.objects.all()} == {entry.slug for entry in CATALOGUE}
    assert {image.state for image in Image.objects.all()} == {ImageState.ABSENT}
    assert Profile.objects.filter(is_default=True).count() == 1
    assert Profile.objects.count() == 3


def test_the_catalogue_leaves_the_administrators_choices(transactional_db: None) -> None:
    sync_catalogue()
    Image.objects.filter(slug="debian").update(pool_size=9, enabled=False, title="changed", state=ImageState.READY)
    Image.objects.create(slug="own", title="Own")
    sync_catalogue()
    debian = Image.objects.get(slug="debian")
    assert (debian.pool_size, debian.enabled, debian.state) == (9, False, ImageState.READY)
    assert debian.title != "changed"
    assert Image.objects.filter(slug="own").exists()
    Image.objects.filter(slug="debian").update(built_reference="playground/debian:11")
    sync_catalogue()
    assert Image.objects.get(slug="debian").state == ImageState.ABSENT, "made in another way now"


def test_profiles_stay_as_the_administrator_has_them(transactional_db: None) -> None:
    call_command("prepare", verbosity=0)
    Profile.objects.filter(slug="small").update(pids=7)
    call_command("prepare", verbosity=0)
    assert Profile.objects.get(slug="small").pids == 7


def test_end_all_and_leftovers(engine: HookedEngine, profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("leftovers")
    call_command("end_all")
    assert capsys.readouterr().out == "0 sessions ended, 0 machines removed\n"
    engine.down = True
    for command in ("leftovers", "end_all"):
        with pytest.raises(CommandError, match="engine does not answer"):
            call_command(command)


def test_leftovers_are_told_line_by_line(
    engine: HookedEngine, profile: Profile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def belongings() -> list[Belonging]:
        return [Belonging("volume", "two"), Belonging("network", "one"), Belonging("volume", "kept", of_site=True)]

    monkeypatch.setattr(engine.inner, "belongings", belongings)
    with pytest.raises(SystemExit, match="1"):
        call_command("leftovers")
    assert capsys.readouterr().out == "network one\nvolume two\n"


def test_prune(ann: User, image: Image, profile: Profile) -> None:
    now = timezone.now()
    old, recent = now - tasks.RETENTION - timedelta(days=1), now - timedelta(days=29)
    forgotten = make_session(ann, image, profile, SessionState.ENDED, ended_at=old)
    Event.objects.create(session=forgotten, kind="ended")
    kept = [
        make_session(ann, image, profile, SessionState.ENDED, ended_at=recent),
        make_session(ann, image, profile, SessionState.RUNNING),
        make_session(ann, image, profile, SessionState.ENDED, ended_at=old),
    ]
    unremoved = make_ready_machine(image, profile, kept[2])
    gone, young, pool = (make_ready_machine(image, profile) for _ in range(3))
    Machine.objects.filter(pk__in=[gone.pk, young.pk]).update(state=MachineState.REMOVED)
    Machine.objects.filter(pk=gone.pk).update(state_changed_at=now - timedelta(days=2))
    tasks.prune()
    assert set(Session.objects.values_list("pk", flat=True)) == {session.pk for session in kept}
    assert set(Machine.objects.values_list("pk", flat=True)) == {unremoved.pk, young.pk, pool.pk}
    assert not Event.objects.filter(kind="ended").exists()
