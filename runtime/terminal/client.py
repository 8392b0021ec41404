"""Requests to the sandboxd of one machine. What it answers is not trusted, and never waited for without an end."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from runtime.engines.base import Stream
from runtime.errors import MachineUnreachable
from runtime.terminal import answers, pacing, requests
from runtime.terminal.frames import FrameType
from runtime.terminal.reader import FrameReader
from runtime.terminal.requests import AttachFlag, ExecFlag, OpenFlag

ANSWER_SECONDS = 10.0
"""How long one answer may take."""
WINDOW = pacing.LARGEST
"""Bytes of output that may be on their way to one client."""


@dataclass(frozen=True, slots=True)
class Promised:
    """What the machine was asked to keep to while it runs a command; 0 and None: nothing."""

    timeout_ms: int = 0
    limit_bytes: int | None = None


class SandboxdClient:
    """One connection, one request at a time. Use as an async context manager: it reads HELLO, and closes the stream.

    Every method raises MachineUnreachable, ProtocolViolation, and what its docstring says.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.reader = FrameReader(stream)
        self.hello: answers.Hello | None = None
        self.promised = Promised()

    async def __aenter__(self) -> Self:
        try:
            self.hello = answers.decode_hello(await self._answer(FrameType.HELLO))
        except BaseException:
            await self.stream.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stream.close()

    async def start(self, seconds: int, ring_bytes: int | None = None) -> None:
        """START: the machine ends by itself `seconds` from now."""
        answers.decode_done(await self._ask(requests.start(seconds, ring_bytes)))

    async def open(
        self,
        terminal_id: str,
        command: Sequence[str],
        *,
        cols: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
        directory: str | None = None,
        main: bool = False,
        keep: bool = False,
    ) -> int:
        """OPEN: the process id inside. Raises CommandFailed, Busy. With `main` the machine ends with this process.

        With `keep` the program waits for whoever attaches as a keeper, rather than that output is lost.
        """
        request = requests.open_terminal(
            terminal_id,
            command,
            cols=cols,
            rows=rows,
            environment=_variables(environment),
            directory=directory,
            flags=(OpenFlag.MAIN if main else OpenFlag.NONE) | (OpenFlag.KEEP if keep else OpenFlag.NONE),
        )
        return answers.decode_pid(await self._ask(request))

    async def terminals(self) -> list[answers.TerminalStatus]:
        """LIST."""
        return answers.decode_terminals(await self._ask(requests.list_terminals()))

    async def close_terminal(self, terminal_id: str) -> None:
        """CLOSE. Raises TerminalUnknown."""
        answers.decode_done(await self._ask(requests.close_terminal(terminal_id)))

    async def deadline(self, seconds: int) -> None:
        """DEADLINE: the machine ends by itself `seconds` from now."""
        answers.decode_done(await self._ask(requests.deadline(seconds)))

    async def signal(self, terminal_id: str, signal: int) -> None:
        """SIGNAL to what runs in the terminal's foreground. Raises TerminalUnknown."""
        answers.decode_done(await self._ask(requests.signal_terminal(terminal_id, signal)))

    async def attach(
        self,
        terminal_id: str,
        *,
        offset: int | None = None,
        client: int = 0,
        size: tuple[int, int] | None = None,
        observe: bool = False,
        keeping: AttachFlag = AttachFlag.NONE,
        patience_ms: int = 0,
        window: int = WINDOW,
    ) -> answers.Attached:
        """ATTACH: from now on the stream carries this terminal. `keeping` is KEEP or RELEASE.

        `patience_ms`: how long the program waits for a keeper that is not there; 0: a minute.

        Raises TerminalUnknown, Busy.
        """
        request = requests.attach(
            terminal_id,
            window=window,
            offset=offset,
            client=client,
            size=size,
            patience_ms=patience_ms,
            flags=(AttachFlag.OBSERVE if observe else AttachFlag.NONE) | keeping,
        )
        return answers.decode_attached(await self._ask(request))

    async def execute(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        directory: str | None = None,
        user: str | None = None,
        timeout_ms: int = 0,
        limit_bytes: int | None = None,
        own: bool = False,
    ) -> int:
        """EXEC: from now on the stream carries this command. Raises CommandFailed, Busy. `own`: it is sandboxd's."""
        request = requests.execute(
            command,
            environment=_variables(environment),
            directory=directory,
            user=user,
            timeout_ms=timeout_ms,
            limit_bytes=limit_bytes,
            flags=ExecFlag.SELF if own else ExecFlag.NONE,
        )
        self.promised = Promised(timeout_ms, limit_bytes)
        return answers.decode_pid(await self._ask(request))

    async def _ask(self, request: bytes) -> bytes:
        return await self._answer(FrameType.OK, request)

    async def _answer(self, expected: FrameType, request: bytes = b"") -> bytes:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if request:
                    await self.stream.write(request)
                return await self.reader.answer(expected)
        except TimeoutError as error:
            raise MachineUnreachable("The machine does not answer.") from error


def _variables(environment: Mapping[str, str] | None) -> list[str]:
    return [f"{name}={value}" for name, value in (environment or {}).items()]
