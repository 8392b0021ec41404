"""The installation under measurement: started for it alone, with people enough to stay below their limits."""

import itertools
import sqlite3
import time
from pathlib import Path

from runtime.engines.base import Egress
from tests.benchmarks.peers import Docker
from tests.benchmarks.site import Site
from tests.support.stack import Stack, chosen_engine

PEOPLE = 12
POOL_SECONDS = 240
_MAKE_PEOPLE = (
    "from playground.accounts.models import User; "
    f"[User.objects.create_user(f'bench{{n}}', max_concurrent_sessions=100, max_sessions_per_day=10000)"
    f" for n in range({PEOPLE})]"
)


class Installation:
    """A running site on Docker, its people's keys, and the docker command of the same engine."""

    def __init__(self, image: str) -> None:
        if chosen_engine() != "docker":
            raise SystemExit("benchmarks need a Docker engine: set DOCKER_HOST")
        self.image = image
        self.shell = ["bash"]
        # Idle machines use a hundredth of their limit: what is measured is not how many a host may have.
        self.stack = Stack("docker", environment={"PLAYGROUND_MEMORY_MIB": str(1 << 20)})
        try:
            self.stack.start()
            self.stack.manage("prepare_image", image)
            self.stack.manage("shell", "--verbosity", "0", "-c", _MAKE_PEOPLE)
            keys = [self.stack.manage("create_api_key", f"bench{number}").strip() for number in range(PEOPLE)]
        except BaseException:
            self.stack.stop()
            raise
        self._sites = itertools.cycle([Site(self.stack.url, key) for key in keys])

    @property
    def docker(self) -> Docker:
        return Docker(self.stack.environment().get("DOCKER_HOST", "unix:///var/run/docker.sock"))

    def site(self) -> Site:
        """Another person's view at each call."""
        return next(self._sites)

    def reference(self) -> str:
        """The image as the engine knows it."""
        return str(self._row("select reference from images_image where slug = ?", self.image))

    def resize_pool(self, size: int) -> None:
        """Another size, and waits until it has that; a smaller one is waited for too."""
        change = (
            "from playground.images.models import Image; from playground.sessions import queue; import time; "
            f"Image.objects.filter(slug={self.image!r}).update(pool_size={size}); queue.refill({self.image!r}); "
            "time.sleep(1)"
        )
        self.stack.manage("shell", "--verbosity", "0", "-c", change)
        self.wait_for_pool()

    def wait_for_nothing(self) -> None:
        """Until no session is alive and the engine has none of our machines but the pool's."""
        until = time.monotonic() + POOL_SECONDS
        while time.monotonic() < until:
            busy = self._row(
                "select (select count(*) from playground_sessions_session where state <> 'ended')"
                " + (select count(*) from playground_sessions_machine where state <> 'removed' and image_id = ?"
                " and session_id is not null)",
                self.image,
            )
            if int(str(busy)) == 0:
                return
            time.sleep(0.02)
        raise AssertionError("sessions were left")

    def wait_for_pool(self) -> None:
        """Until the pool is full again."""
        until = time.monotonic() + POOL_SECONDS
        size = int(str(self._row("select pool_size from images_image where slug = ?", self.image)))
        while time.monotonic() < until:
            ready = self._row(
                "select count(*) from playground_sessions_machine"
                " where session_id is null and state = 'ready' and image_id = ?",
                self.image,
            )
            if int(str(ready)) == size:
                return
            time.sleep(0.1)
        raise AssertionError("the pool was not filled in time")

    def egress(self) -> Egress:
        """What the machines of the default profile reach."""
        return Egress(str(self._row("select egress from playground_sessions_profile where is_default = ?", "1")))

    def _row(self, query: str, argument: str) -> object:
        database = sqlite3.connect(f"file:{Path(self.stack.data) / 'playground.sqlite3'}?mode=ro", uri=True)
        try:
            return database.execute(query, (argument,)).fetchone()[0]
        finally:
            database.close()

    def stop(self) -> list[str]:
        """What was left behind, in words."""
        return self.stack.stop()
