"""The first words with a new machine: its HELLO, and our START with its deadline."""

from runtime.engines.base import Stream
from runtime.terminal.client import SandboxdClient


async def start(stream: Stream, deadline_seconds: int, ring_bytes: int) -> None:
    """Reads HELLO, sends START, waits for OK; closes the stream. Raises MachineUnreachable, ProtocolViolation."""
    async with SandboxdClient(stream) as client:
        await client.start(deadline_seconds, ring_bytes)
