"""A relay under uvicorn, and a machine of the process engine behind it."""

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from runtime.terminal.client import SandboxdClient
from tests.support.engine import Case, Kind, running
from tests.support.relay_server import RelayServer, relay_server


@dataclass(frozen=True, slots=True)
class Place:
    """One machine, and a server through which its terminals are reached."""

    case: Case
    machine_id: str
    server: RelayServer

    async def open(self, terminal_id: str, *command: str) -> str:
        """Opens a terminal; the address of its socket."""
        async with SandboxdClient(await self.case.engine.dial(self.machine_id)) as client:
            await client.open(terminal_id, command or ("/bin/sh",))
        return self.url(terminal_id)

    async def kill_machine(self) -> None:
        """As an engine ends it: there is no time for a last word."""
        async with SandboxdClient(await self.case.engine.dial(self.machine_id)) as client:
            assert client.hello is not None
            os.kill(client.hello.pid, signal.SIGKILL)

    def url(self, terminal_id: str) -> str:
        return f"{self.server.url}/{self.machine_id}/{terminal_id}"


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with (
        running(Kind.PROCESS) as case,
        case.machine() as machine_id,
        relay_server(case.engine.dial) as server,
    ):
        yield Place(case, machine_id, server)
