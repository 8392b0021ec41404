"""What tests of the core share: people, a profile, an image, and an installation of their own."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from channels.layers import channel_layers
from pytest_django import Settings

from playground.accounts.models import User
from playground.engine import close_engine, make_engine
from playground.images.models import Image
from playground.sessions import leases, making, pausing, provisioning
from playground.sessions.models import Profile
from playground.sessions.profiles import ensure_default_profiles
from playground.settings.environment import EngineChoice
from runtime.engines import process
from tests.integration.core.rows import make_image
from tests.support.hooked_engine import HookedEngine
from tests.support.valkey import Valkey
from tests.support.waiting import WITHIN


@pytest.fixture(autouse=True)
def installation(settings: Settings) -> Iterator[Path]:
    """A data directory and an instance of the test's own: it sees no machine of anybody else."""
    # Not pytest's own directory: paths of Unix sockets have at most 107 bytes.
    data = Path(tempfile.mkdtemp(prefix="pc-"))
    settings.DATA = data
    settings.PLAYGROUND_INSTANCE = data.name.removeprefix("pc-").replace("_", "0").lower()
    settings.PLAYGROUND_ENGINE = EngineChoice.PROCESS
    settings.DEBUG = True
    yield data
    shutil.rmtree(data)


@pytest.fixture
def broker(installation: Path, settings: Settings) -> Iterator[Valkey]:
    """A broker of the test's own, and a channel layer on it."""
    with Valkey(installation / "valkey.sock") as server:
        backend = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [server.url]}}
        settings.CHANNEL_LAYERS = {"default": backend}
        yield server
        channel_layers.backends.clear()


@pytest.fixture
def ann(transactional_db: None) -> User:
    """A person."""
    return User.objects.create_user("ann")


@pytest.fixture
def bob(transactional_db: None) -> User:
    """Somebody else."""
    return User.objects.create_user("bob")


@pytest.fixture
def profile(transactional_db: None) -> Profile:
    """The default one, of those that every site starts with."""
    ensure_default_profiles()
    return Profile.objects.get(is_default=True)


@pytest.fixture
def image(transactional_db: None) -> Image:
    """An image that is ready, without a pool."""
    return make_image()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers is not taken for dead because the machine that tests run on stands still for a moment."""
    for module, names in (
        (making, ("TALK_SECONDS",)),
        (pausing, ("SETTLE_SECONDS", "TELL_SECONDS")),
        (process, ("BOOT_SECONDS",)),
        (provisioning, ("CLAIM_SECONDS",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, WITHIN)


@pytest.fixture
def unrenewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds a lease says nothing more, like the dead: at a `Gate` it lives on, and would renew it now and then."""
    monkeypatch.setattr(leases, "RENEW_SECONDS", 3600.0)


@pytest.fixture
async def engine(installation: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HookedEngine]:
    """The process engine, with hooks. Fails the test that leaves a machine behind, or one that nobody knows."""
    hooked = HookedEngine(make_engine())
    for slug in ("busybox", "other"):
        await hooked.inner.build(slug, f"playground/{slug}:1", lambda share, words: None)
    monkeypatch.setattr("playground.engine.make_engine", lambda: hooked)
    yield hooked
    left = [status.machine_id for status in await hooked.inner.machines()]
    for machine_id in left:
        await hooked.inner.remove(machine_id)
    await close_engine()
    assert left == [], f"the test left machines: {left}"
