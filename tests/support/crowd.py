"""People's programs at a site whose processes come and go: they create, type, pause, resume and delete for ever."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import httpx

from runtime.remote import RemoteTerminal, TerminalError
from tests.support.waiting import until

Found = TypeVar("Found")
STEPS = ("create", "run", "pause", "resume", "delete")
WITHIN = 120.0
"""Seconds for one step, while a process is killed every few seconds."""
SHOWN_SECONDS = 20.0
LEAVE_SECONDS = 60.0
LOOK_SECONDS = 0.1
STAY_SECONDS = 0.5
"""The longest that somebody looks at a session before the next step."""
LATER = {408, 409, 425, 429, 500, 502, 503, 504}
"""What is worth another try: the site, or something behind it, was away, or is about it."""


class Ended(Exception):
    """The session ended by itself: its machine went with an engine that died, or could not be made without one."""


class Member:
    """One person's program. What it does next is chance, and it goes on whatever is away."""

    def __init__(self, url: str, key: str, profiles: Sequence[str], chance: random.Random) -> None:
        self.doing = ""
        """One of STEPS; empty between two sessions."""
        self.done: Counter[str] = Counter()
        """Steps that came to their end."""
        self.ends: Counter[str] = Counter()
        """Why sessions ended that nobody had asked to end."""
        self._key = key
        self._profiles = profiles
        self._chance = chance
        self._unanswered: dict[str, Any] | None = None
        """The request for a session of which it has not been told yet, as it was asked."""
        self._http = httpx.AsyncClient(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=20)

    async def live(self) -> None:
        """One session after the other, until cancelled."""
        while True:
            try:
                await self._one_session()
            except Ended as end:
                self.ends[str(end)] += 1
            finally:
                self.doing = ""

    async def leave(self) -> None:
        """Ends all of its sessions, also those of which it was never told, and waits for their end to begin."""
        # What it asked for in its last moment may be made at any time from now on, and no list would show it yet.
        # Asked once more with the same key, it is made before the answer, and never after.
        if self._unanswered is not None:
            await self._ask_for_session(self._unanswered)

        async def none_is_held() -> bool:
            held = [each for each in await self._sessions() if each["state"] not in ("ended", "stopping")]
            for session in held:
                await self._ask("DELETE", f"/sessions/{session['id']}")
            return not held

        await until(none_is_held, "all sessions of somebody end", LEAVE_SECONDS)

    async def held(self) -> int:
        """So many sessions count against its limit, as the site says."""
        return int((await self._ask("GET", "/me")).json()["usage"]["concurrent_sessions"])

    async def close(self) -> None:
        await self._http.aclose()

    async def _one_session(self) -> None:
        session = await self._step("create", self._create())
        await self._step("run", self._type(session))
        if self._chance.random() < 0.7:
            await self._step("pause", self._reach(session, "pause", "paused"))
            await asyncio.sleep(self._chance.random() * STAY_SECONDS)
            await self._step("resume", self._reach(session, "resume", "running"))
            await self._step("run", self._type(session))
        await self._step("delete", self._delete(session))

    async def _step(self, name: str, work: Coroutine[Any, Any, Found]) -> Found:
        self.doing = name
        found = await work
        self.done[name] += 1
        return found

    async def _create(self) -> dict[str, Any]:
        body = {"image": "busybox", "profile": self._chance.choice(self._profiles), "idle_timeout_seconds": 600}
        # Whoever got no answer asks with the same key again, and has one session.
        headers = {"Idempotency-Key": f"{self._chance.getrandbits(128):032x}"}
        session = await self._ask_for_session({"json": body, "headers": headers})
        return await self._becomes(session, "running")

    async def _ask_for_session(self, request: dict[str, Any]) -> dict[str, Any]:
        self._unanswered = request
        session = dict((await self._ask("POST", "/sessions", **request)).json())
        self._unanswered = None
        return session

    async def _type(self, session: dict[str, Any]) -> None:
        """Into its terminal, over any number of connections; what comes back is what was typed."""
        word = f"{self._chance.getrandbits(64):016x}"
        url = session["terminals"][0]["websocket_url"]

        async def shown() -> bool:
            try:
                async with RemoteTerminal(url, key=self._key) as terminal:
                    await terminal.send_line(f"echo {word[:8]}''{word[8:]}")
                    await terminal.expect(word, within=SHOWN_SECONDS)
            except (TerminalError, OSError):
                # The site was away when we came, or the machine has gone: the session says which.
                await self._look(session, "running")
                return False
            return True

        await until(shown, f"what somebody types in {session['id']} is shown", WITHIN)
        await asyncio.sleep(self._chance.random() * STAY_SECONDS)

    async def _reach(self, session: dict[str, Any], verb: str, state: str) -> None:
        await self._ask("POST", f"/sessions/{session['id']}/{verb}", gone=(404, 409))
        await self._becomes(session, state, again=verb)

    async def _delete(self, session: dict[str, Any]) -> None:
        await self._ask("DELETE", f"/sessions/{session['id']}")
        with contextlib.suppress(Ended):
            await self._becomes(session, "ended")

    async def _becomes(self, session: dict[str, Any], state: str, again: str = "") -> dict[str, Any]:
        """The session once it is in that state. `again` is asked for as long as it is not."""
        seen = session

        async def there() -> bool:
            nonlocal seen
            await asyncio.sleep(LOOK_SECONDS)
            seen = await self._look(session, state)
            if again and seen["state"] != state:
                await self._ask("POST", f"/sessions/{session['id']}/{again}", gone=(404, 409))
            return bool(seen["state"] == state)

        try:
            await until(there, f"a session is {state}", WITHIN)
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen}") from None
        return seen

    async def _look(self, session: dict[str, Any], wanted: str) -> dict[str, Any]:
        seen = dict((await self._ask("GET", f"/sessions/{session['id']}")).json())
        if seen["state"] in ("stopping", "ended") and wanted != "ended":
            raise Ended(f"{seen['reason']}: {seen['message']}")
        return seen

    async def _sessions(self) -> list[dict[str, Any]]:
        return list((await self._ask("GET", "/sessions", params={"limit": 100})).json()["items"])

    async def _ask(self, method: str, path: str, gone: Iterable[int] = (), **options: Any) -> httpx.Response:
        """An answer that means something: repeated while the site is away. `gone` are refusals that are no failure."""
        answers: list[httpx.Response] = []

        async def answered() -> bool:
            try:
                answer = await self._http.request(method, path, **options)
            except httpx.TransportError:
                await asyncio.sleep(LOOK_SECONDS)
                return False
            answers.append(answer)
            if answer.is_success or answer.status_code in gone:
                return True
            assert answer.status_code in LATER, f"{method} {path}: {answer.status_code} {answer.text}"
            await asyncio.sleep(5 * LOOK_SECONDS)
            return False

        try:
            await until(answered, f"{method} {path} is answered", WITHIN)
        except AssertionError as error:
            last = answers[-1].text if answers else "nobody answered"
            raise AssertionError(f"{error}: {last}") from None
        return answers[-1]


class Crowd:
    """Several of them. They live during a `busy` block; at its end they vanish in the middle of what they do."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members

    @contextlib.asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """What goes wrong for one of them fails the block."""
        async with asyncio.TaskGroup() as tasks:
            living = [tasks.create_task(member.live()) for member in self.members]
            yield
            for task in living:
                task.cancel()

    def doing(self) -> Counter[str]:
        """How many are at which step."""
        return Counter(member.doing for member in self.members if member.doing)

    def done(self) -> int:
        """Steps that came to their end, of all."""
        return sum(member.done.total() for member in self.members)

    def steps(self) -> Counter[str]:
        """How often each step came to its end."""
        return sum((member.done for member in self.members), Counter())

    def ends(self) -> Counter[str]:
        """Why sessions ended that nobody had asked to end."""
        return sum((member.ends for member in self.members), Counter())

    async def leave(self) -> None:
        """All of them end what they hold."""
        await asyncio.gather(*(member.leave() for member in self.members))

    async def close(self) -> None:
        """Lets go of their connections."""
        for member in self.members:
            await member.close()
