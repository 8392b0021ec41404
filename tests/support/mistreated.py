"""A whole site whose processes are killed, as one person's programs see it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiodocker
import httpx

from runtime.engines.docker.spec import INSTANCE_LABEL, MACHINE_LABEL
from tests.support.docker import docker_host
from tests.support.stack import Stack, chosen_engine
from tests.support.waiting import until

IMAGE = "busybox"
_MAKE_PERSON = (
    "from playground.accounts.models import User; "
    "User.objects.create_user('typist', max_concurrent_sessions=100, max_sessions_per_day=10000)"
)
_ONE_IMAGE = (
    "from playground.images.models import Image; Image.objects.update(pool_size=0); "
    f"Image.objects.exclude(slug='{IMAGE}').update(enabled=False)"
)
"""Its worker would build the whole catalogue meanwhile: minutes of all that a small host has."""
WITHIN = 90.0
"""Seconds for a session to recover: a lease of a dead worker lapses first, then a sweep finds the session."""
LOOK_SECONDS = 0.1
"""Between two looks at a session: a person has 1200 requests a minute, and then none for the rest of it."""


async def has_rested(answer: httpx.Response) -> bool:
    """Whether the site had too many requests of this person; then it has rested as long as it was told to."""
    if answer.is_success or answer.json().get("code") != "rate_limited":
        return False
    await asyncio.sleep(float(answer.headers["Retry-After"]))
    return True


class Mistreated:
    """One person's view of a site of which any process may be dead."""

    def __init__(self, stack: Stack, key: str) -> None:
        self.stack = stack
        self.key = key
        self.headers = {"Authorization": f"Bearer {key}"}

    async def kill(self, *names: str) -> None:
        """kill -9 of all of them."""
        for name in names:
            await asyncio.to_thread(self.stack.kill, name)

    async def run(self, *names: str) -> None:
        """Starts them again and waits until they can be used."""
        for name in names:
            await asyncio.to_thread(self.stack.run, name)

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request that is repeated until a web process lives to answer it, and answers. For what may be repeated."""
        answers: list[httpx.Response] = []

        async def answered() -> bool:
            try:
                async with httpx.AsyncClient(base_url=f"{self.stack.url}/api/v1", headers=self.headers) as client:
                    answers.append(await client.request(method, path, timeout=60, **options))
            except httpx.TransportError:
                return False
            return not await has_rested(answers[-1])

        await until(answered, f"{method} {path} is answered", WITHIN)
        return answers[-1].raise_for_status()

    async def create(self, **fields: object) -> dict[str, Any]:
        """A new session as the POST answered it; no pool has its machine."""
        answer = await self.ask("POST", "/sessions", json={"image": IMAGE, "env": {"ASKED": "for"}, **fields})
        return dict(answer.json())

    async def session(self, session: dict[str, Any]) -> dict[str, Any]:
        """As it is now."""
        return dict((await self.ask("GET", f"/sessions/{session['id']}")).json())

    async def reaches(self, session: dict[str, Any], *states: str) -> dict[str, Any]:
        """Waits until it is in one of these states; the session as it is then."""
        seen = session

        async def there() -> bool:
            nonlocal seen
            seen = await self.session(session)
            return seen["state"] in states

        try:
            await until(there, f"the session is {' or '.join(states)}", WITHIN, LOOK_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen}\n{self.stack.log('worker')[-4000:]}") from None
        return seen

    async def machines(self) -> list[str]:
        """Ids of all machines of this site on the engine, also of stopped ones, sorted."""
        if self.stack.engine == "process":
            directory = self.stack.data / "machines"
            return sorted(entry.name for entry in directory.iterdir() if not entry.name.startswith("."))
        instance = (self.stack.data / "instance").read_text().strip()
        async with aiodocker.Docker(self.stack.docker_host or docker_host()) as docker:
            label = {"label": [f"{INSTANCE_LABEL}={instance}", MACHINE_LABEL]}
            containers = await docker.containers.list(all=True, filters=label)
            return sorted(container["Labels"][MACHINE_LABEL] for container in containers)

    async def end(self, *sessions: dict[str, Any]) -> None:
        """Deletes them and waits until they have ended."""
        for session in sessions:
            await self.ask("DELETE", f"/sessions/{session['id']}")
        for session in sessions:
            await self.reaches(session, "ended")

    async def execute(self, session: dict[str, Any], line: str) -> str:
        """What that line of `sh` prints in the machine; fails unless it ends with 0."""
        answer = await self.ask("POST", f"/sessions/{session['id']}/exec", json={"command": line})
        done = answer.json()
        assert done["exit_code"] == 0, done
        return str(done["stdout"])

    async def file(self, session: dict[str, Any], path: str) -> bytes:
        """What is in a file of the machine."""
        return (await self.ask("GET", f"/sessions/{session['id']}/files", params={"path": path})).content

    async def new_terminal(self, session: dict[str, Any], *command: str) -> str:
        """The socket's address of one more terminal, in which that command runs."""
        answer = await self.ask("POST", f"/sessions/{session['id']}/terminals", json={"command": list(command)})
        return str(answer.json()["websocket_url"])


@contextmanager
def mistreated_site(engine_at: str | None = None) -> Iterator[Mistreated]:
    """One with an image that is ready, and no pools. Fails when anything of it is left behind."""
    stack = Stack("docker", engine_at) if engine_at else Stack(chosen_engine())
    try:
        stack.prepare()
        stack.manage("shell", "--verbosity", "0", "-c", f"{_MAKE_PERSON}; {_ONE_IMAGE}")
        stack.run_all()
        stack.manage("prepare_image", IMAGE)
        yield Mistreated(stack, stack.manage("create_api_key", "typist").strip())
    except BaseException:
        stack.stop()
        raise
    left = stack.stop()
    assert not left, left
