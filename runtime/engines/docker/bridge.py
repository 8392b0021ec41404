"""A stream to sandboxd through the engine's API: `sandboxd bridge`, run by exec, its standard streams hijacked."""

import asyncio
import contextlib

import aiohttp
from aiodocker.containers import DockerContainer
from aiodocker.stream import Stream as HijackedStream

from runtime.engines.docker.client import classified
from runtime.errors import MachineUnreachable

STDOUT = 1


class BridgeStream:
    """A `Stream` on an exec without a TTY: the engine frames its output, and stdout is ours, stderr is not.

    When the machine ends between the making of the exec and its start, the engine says so in words, on stdout. No
    frame begins like that: the first byte of a length is always 0 (PROTOCOL.md). Words are the end of the stream.
    """

    def __init__(self, hijacked: HijackedStream) -> None:
        self._hijacked = hijacked
        self._rest = b""
        self._begun = False

    async def read(self, most: int) -> bytes:
        while not self._rest:
            try:
                message = await self._hijacked.read_out()
            except (OSError, aiohttp.ClientError):
                return b""
            if message is None:
                return b""
            if message.stream == STDOUT:
                self._rest = message.data
                if not self._begun and not self._rest.startswith(b"\0"):
                    self._rest = b""
                    return b""
                self._begun = True
        data, self._rest = self._rest[:most], self._rest[most:]
        return data

    async def write(self, data: bytes) -> None:
        try:
            await self._hijacked.write_in(data)
        except (OSError, aiohttp.ClientError, RuntimeError, AssertionError) as error:
            raise MachineUnreachable("The machine closed the connection.") from error

    async def close(self) -> None:
        # aiodocker asserts that the engine has not closed its end yet.
        with contextlib.suppress(AssertionError, OSError):
            await self._hijacked.close()
        await asyncio.sleep(0)  # the transport closes in the loop's next turn


async def bridge(container: DockerContainer, command: list[str]) -> BridgeStream:
    """Starts the command. Raises EngineRefused when the machine does not run, MachineGone, EngineUnavailable."""
    async with classified():
        execution = await container.exec(command, stdin=True, stdout=True, stderr=True, tty=False)
        hijacked = execution.start(detach=False)
        await hijacked.__aenter__()
    return BridgeStream(hijacked)
