"""An image is prepared at most once at a time, whoever asks, and everybody sees how far it is."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from playground.accounts.models import User
from playground.database import in_database
from playground.images import preparing, services, upkeep
from playground.images.models import Image, ImageState
from playground.sessions.models import Profile, Session
from playground.sessions.states import Reason, SessionState
from runtime.errors import EngineUnavailable, ImageUnavailable
from tests.integration.core.rows import make_image
from tests.integration.core.stories import created, ended, load
from tests.support.asked import Asked
from tests.support.hooked_engine import Gate
from tests.support.image_source import ImageSource
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("profile")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the worker is asked for."""
    return Asked(monkeypatch)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> ImageSource:
    """Where images come from in these tests."""
    source = ImageSource()
    monkeypatch.setattr("playground.engine.make_engine", lambda: source)
    return source


@pytest.fixture
def image(transactional_db: None) -> Image:
    """One that is not here yet, with a registry and a recipe."""
    return make_image(state=ImageState.ABSENT, reference="", digest="", registry_reference="docker.io/busybox:1")


async def now(image: Image) -> Image:
    """The row as it is now."""
    return await Image.objects.aget(pk=image.pk)


async def test_pulled_where_a_registry_answers(source: ImageSource, image: Image, asked: Asked) -> None:
    source.registry.add("docker.io/busybox:1")
    assert await preparing.prepare("busybox")
    row = await now(image)
    assert (row.state, row.source, row.reference) == (ImageState.READY, "registry", "docker.io/busybox:1")
    assert row.digest.startswith("sha256:")
    assert row.size_bytes == 3
    assert row.layers == [{"digest": "sha256:aa", "size_bytes": 3, "created_by": "test"}]
    assert asked.tasks == [("refill", "busybox")]


async def test_built_where_none_does(source: ImageSource, image: Image, asked: Asked) -> None:
    assert await preparing.prepare("busybox")
    row = await now(image)
    assert (row.state, row.source, row.reference) == (ImageState.READY, "recipe", "playground/busybox:1")
    assert not await preparing.prepare("busybox")
    assert source.calls == ["pull docker.io/busybox:1", "build busybox"]


async def test_what_is_on_the_host_is_taken(source: ImageSource, image: Image, asked: Asked) -> None:
    source.host["playground/busybox:1"] = source.details("playground/busybox:1")
    await preparing.prepare("busybox")
    row = await now(image)
    assert (row.state, row.source) == (ImageState.READY, "recipe")
    assert source.calls == []


async def test_two_workers_prepare_it_once(source: ImageSource, image: Image, asked: Asked) -> None:
    gate = source.gate = Gate()
    workers = [asyncio.create_task(preparing.prepare("busybox")) for _ in range(3)]
    await gate.reached.wait()
    assert not await preparing.prepare("busybox")
    gate.opened.set()
    assert sorted(await asyncio.gather(*workers)) == [False, False, True]
    assert source.calls.count("build busybox") == 1


async def test_progress_is_seen_by_all(source: ImageSource, image: Image, ann: User, asked: Asked) -> None:
    gate = source.gate = Gate()
    session_id = await created(ann)
    worker = asyncio.create_task(preparing.prepare("busybox"))
    await gate.reached.wait()

    async def told() -> bool:
        return (await load(session_id)).message == "Preparing the image 40%: Unpacking"

    await until(told, "the session says how far its image is")
    row = await now(image)
    assert (row.state, row.progress, row.message) == (ImageState.PREPARING, 0.4, "Unpacking")
    gate.opened.set()
    await worker
    assert ("provision", session_id.hex) in asked.tasks
    assert (await now(image)).progress is None
    await ended(session_id)


async def test_failure_ends_who_waits_and_rests(source: ImageSource, image: Image, ann: User, asked: Asked) -> None:
    source.build_error = ImageUnavailable("The package busybox-static is not known.")
    session_id = await created(ann)
    await preparing.prepare("busybox")
    row, session = await now(image), await load(session_id)
    assert (row.state, row.message) == (ImageState.FAILED, "The package busybox-static is not known.")
    assert (session.state, session.reason) == (SessionState.STOPPING, Reason.FAILED)
    assert "busybox-static" in session.message
    assert not await preparing.prepare("busybox"), "it was tried again at once"
    await Image.objects.aupdate(state_changed_at=timezone.now() - timedelta(hours=2))
    asked.clear()
    await upkeep.look_after()
    assert asked.tasks == [("prepare_image", "busybox")]
    source.build_error = None
    assert await preparing.prepare("busybox")
    assert (await now(image)).state == ImageState.READY
    await ended(session_id)


async def test_an_administrator_need_not_wait(source: ImageSource, image: Image, asked: Asked) -> None:
    source.build_error = ImageUnavailable("No.")
    await preparing.prepare("busybox")
    source.build_error = None
    await in_database(services.retry)(await now(image))
    assert ("prepare_image", "busybox") in asked.tasks
    assert await preparing.prepare("busybox")
    assert (await now(image)).state == ImageState.READY


async def test_engine_away_is_no_failure(source: ImageSource, image: Image, ann: User, asked: Asked) -> None:
    source.build_error = EngineUnavailable("The engine does not answer.")
    session_id = await created(ann)
    await preparing.prepare("busybox")
    assert (await now(image)).state == ImageState.ABSENT
    assert (await load(session_id)).state == SessionState.PENDING
    await ended(session_id)


async def test_a_worker_that_dies_is_replaced(source: ImageSource, image: Image, asked: Asked, unrenewed: None) -> None:
    gate = source.gate = Gate()
    dead = asyncio.create_task(preparing.prepare("busybox"))
    await gate.reached.wait()
    await upkeep.look_after()
    assert asked.tasks == [], "the worker that prepares it lives"
    await Image.objects.aupdate(heartbeat_at=timezone.now() - services.HEARTBEAT_LOST - timedelta(seconds=1))
    await upkeep.look_after()
    assert asked.tasks == [("prepare_image", "busybox")]
    source.gate = None
    assert await preparing.prepare("busybox")
    ready = await now(image)
    assert ready.state == ImageState.READY
    gate.opened.set()
    await dead
    assert (await now(image)).state_changed_at == ready.state_changed_at, "the late worker wrote"


async def test_a_lost_image_is_noticed(source: ImageSource, image: Image, asked: Asked) -> None:
    await preparing.prepare("busybox")
    source.host.clear()
    asked.clear()
    await upkeep.look_after()
    assert (await now(image)).state == ImageState.ABSENT
    assert asked.tasks[0] == ("prepare_image", "busybox")


def test_in_the_foreground(source: ImageSource, image: Image, asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prepare_image", "busybox")
    output = capsys.readouterr().out
    assert " 40% Unpacking" in output
    assert "busybox: ready, 3 bytes, from the recipe" in output
    call_command("prepare_image", "busybox")
    assert source.calls.count("build busybox") == 1


def test_in_the_foreground_failing(source: ImageSource, image: Image, asked: Asked) -> None:
    source.build_error = ImageUnavailable("The package busybox-static is not known.")
    for _ in range(2):
        with pytest.raises(CommandError, match="busybox-static is not known"):
            call_command("prepare_image", "busybox")
    with pytest.raises(CommandError, match="no image 'nothing'"):
        call_command("prepare_image", "nothing")


async def test_an_image_of_nobody_is_not_prepared(source: ImageSource, image: Image, asked: Asked) -> None:
    changes: dict[str, Any] = {"enabled": False}
    await Image.objects.aupdate(**changes)
    assert not await preparing.prepare("busybox")
    await upkeep.look_after()
    assert asked.tasks == []
    assert not await Session.objects.aexists()
    assert await Profile.objects.aexists()


async def test_nobody_prepares_what_nobody_may_start(source: ImageSource, image: Image, asked: Asked) -> None:
    """It was switched off while it was prepared, and then its worker died."""
    lately, long_ago = timezone.now(), timezone.now() - services.HEARTBEAT_LOST - timedelta(seconds=1)
    await Image.objects.aupdate(state=ImageState.PREPARING, enabled=False, heartbeat_at=lately)
    await upkeep.look_after()
    assert (await Image.objects.aget()).state == ImageState.PREPARING, "its worker lives"
    await Image.objects.aupdate(heartbeat_at=long_ago)
    await upkeep.look_after()
    assert (await Image.objects.aget()).state == ImageState.ABSENT
    assert asked.tasks == []
