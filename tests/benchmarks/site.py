"""The site under measurement, through its public API alone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.benchmarks.links import PlaygroundLink

Session = dict[str, Any]
START_SECONDS = 300.0
"""For the last of a hundred that are asked for at once."""


class Site:
    """One person's view of a running site."""

    def __init__(self, url: str, key: str) -> None:
        self.headers = {"Authorization": f"Bearer {key}"}
        self.http = httpx.AsyncClient(base_url=f"{url}/api/v1", headers=self.headers, timeout=120)

    async def warm(self) -> None:
        """Opens the connection that the next request uses, as a page that is open has it."""
        (await self.http.get("/me")).raise_for_status()

    async def create(self, image: str, **fields: object) -> Session:
        """A session as the POST answered it."""
        answer = await self.http.post("/sessions", json={"image": image, **fields})
        answer.raise_for_status()
        return dict(answer.json())

    async def created(self, image: str, **fields: object) -> Session:
        """A session that runs: the POST waits as long as it may; who is far behind in the queue asks on."""
        answer = await self.http.post(
            "/sessions", json={"image": image, **fields}, headers={"Prefer": "wait=60"}, timeout=START_SECONDS
        )
        answer.raise_for_status()
        session = dict(answer.json())
        until = time.monotonic() + START_SECONDS
        while session["state"] in {"pending", "starting"} and time.monotonic() < until:
            await asyncio.sleep(0.5)
            session = dict((await self.http.get(f"/sessions/{session['id']}")).raise_for_status().json())
        assert session["state"] == "running", f"{session['state']}: {session['reason']} {session['message']}"
        return session

    async def delete(self, session: Session) -> None:
        (await self.http.delete(f"/sessions/{session['id']}")).raise_for_status()

    async def new_terminal(self, session: Session) -> PlaygroundLink:
        """Opens one more terminal and a socket to it."""
        return await PlaygroundLink.open(await self.new_terminal_url(session), self.headers)

    async def new_terminal_url(self, session: Session) -> str:
        """Opens one more terminal; the address of its socket."""
        answer = await self.http.post(f"/sessions/{session['id']}/terminals", json={})
        answer.raise_for_status()
        return str(answer.json()["websocket_url"])

    async def link(self, terminal: dict[str, Any]) -> PlaygroundLink:
        """A socket to a terminal."""
        return await PlaygroundLink.open(terminal["websocket_url"], self.headers)

    async def execute(self, session: Session, command: list[str]) -> str:
        """Standard output of a command that ends with 0."""
        answer = await self.http.post(f"/sessions/{session['id']}/exec", json={"command": command})
        answer.raise_for_status()
        assert answer.json()["exit_code"] == 0, answer.json()
        return str(answer.json()["stdout"])

    async def put(self, session: Session, path: str, content: bytes) -> None:
        """Writes a file of the machine."""
        where = {"path": path}
        (await self.http.put(f"/sessions/{session['id']}/files", params=where, content=content)).raise_for_status()

    @asynccontextmanager
    async def session(self, image: str) -> AsyncIterator[Session]:
        """A running session, deleted afterwards."""
        session = await self.created(image)
        try:
            yield session
        finally:
            await self.delete(session)

    async def close(self) -> None:
        await self.http.aclose()
