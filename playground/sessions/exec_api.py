"""`/sessions/{id}/exec` of the REST API: commands without a terminal, answered whole or as they speak."""

import codecs
from collections.abc import AsyncIterator, Mapping
from typing import TypedDict, assert_never
from uuid import UUID

from django.http import StreamingHttpResponse
from ninja import Router

from playground.api import event_stream
from playground.api.problems import problem_of, request_id_of
from playground.api.request import ApiRequest
from playground.database import in_database
from playground.sessions import services
from playground.sessions.commands import argv
from playground.sessions.machines import (
    ExecEnd,
    ExecOutput,
    ExecRequest,
    ExecResult,
    execute,
    execute_stream,
)
from playground.sessions.models import Session
from playground.sessions.schemas import ExecAnswer, ExecCreate

router = Router(tags=["inside a session"])


class Ending(TypedDict):
    """How a command ended; `exit_code` is null when a signal did it."""

    exit_code: int | None
    signal: int | None
    stdout_truncated: bool
    stderr_truncated: bool
    timed_out: bool
    duration_ms: int


_DOCUMENTED = event_stream.documented('event: stdout\ndata: {"text": "hello\\n"}\n\n')


@router.post(
    "/sessions/{uuid:session_id}/exec", response=ExecAnswer, summary="Run a command", openapi_extra=_DOCUMENTED
)
async def exec_command(request: ApiRequest, session_id: UUID, body: ExecCreate) -> ExecAnswer | StreamingHttpResponse:
    """Answers when the command has ended; with `Accept: text/event-stream` its output comes as it is written.

    The stream has events `stdout` and `stderr` with `{"text"}`, then one `exit` like this answer without the output,
    or one `error` like a problem. Leaving early kills the command.
    """
    session = await in_database(services.use)(request.person, session_id)
    wanted = ExecRequest(
        command=argv(body.command),
        machine=body.machine,
        cwd=body.cwd,
        environment=body.env,
        stdin=(body.stdin or "").encode(),
        user=body.user,
        timeout_seconds=body.timeout_seconds,
    )
    if event_stream.is_wanted(request):
        return await _stream(request, session, wanted)
    return _answer(await execute(session, wanted))


def _answer(result: ExecResult) -> ExecAnswer:
    ending = _ending(result)
    return ExecAnswer(
        stdout=result.stdout.decode(errors="replace"), stderr=result.stderr.decode(errors="replace"), **ending
    )


def _ending(end: ExecEnd | ExecResult) -> Ending:
    return {
        "exit_code": None if end.signal else end.exit_code,
        "signal": end.signal or None,
        "stdout_truncated": end.stdout_truncated,
        "stderr_truncated": end.stderr_truncated,
        "timed_out": end.timed_out,
        "duration_ms": end.duration_ms,
    }


async def _stream(request: ApiRequest, session: Session, wanted: ExecRequest) -> StreamingHttpResponse:
    output = execute_stream(session, wanted)
    # The first piece is waited for here: a command that can't be started is a problem with a status, not a stream.
    first = await anext(output, None)
    return event_stream.streamed(_events(request, first, output))


async def _events(
    request: ApiRequest, first: ExecOutput | ExecEnd | None, rest: AsyncIterator[ExecOutput | ExecEnd]
) -> AsyncIterator[str]:
    # A character may arrive in two pieces, so each stream has its own decoder.
    decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}
    try:
        if first is not None:
            yield _event(first, decoders)
        async for piece in rest:
            yield _event(piece, decoders)
    except Exception as error:
        yield event_stream.event(problem_of(error, request_id_of(request)), name="error")


def _event(piece: ExecOutput | ExecEnd, decoders: Mapping[str, codecs.IncrementalDecoder]) -> str:
    match piece:
        case ExecOutput():
            return event_stream.event({"text": decoders[piece.stream].decode(piece.data)}, name=piece.stream)
        case ExecEnd():
            left = "".join(
                event_stream.event({"text": text}, name=name)
                for name, decoder in decoders.items()
                if (text := decoder.decode(b"", True))
            )
            return left + event_stream.event({**_ending(piece)}, name="exit")
        case _:
            assert_never(piece)
