"""What a user would otherwise do on the same machine: the docker command line, and terminado in front of it."""

import asyncio
import os
import pty
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Docker:
    """The docker command of one engine."""

    host: str

    def command(self, *arguments: str) -> list[str]:
        return ["docker", "--host", self.host, *arguments]

    def run_to_prompt(self, image: str, shell: Sequence[str]) -> float:
        """Milliseconds from `docker run -it` to the first byte of the shell's prompt."""
        parent, child = pty.openpty()
        start = time.perf_counter()
        process = subprocess.Popen(
            self.command("run", "-it", "--rm", "--network", "none", image, *shell),
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
        )
        os.close(child)
        os.read(parent, 4096)
        elapsed = (time.perf_counter() - start) * 1000
        os.write(parent, b"exit\n")
        process.wait(timeout=30)
        os.close(parent)
        return elapsed

    def exec_true(self, container: str) -> float:
        """Milliseconds that `docker exec CONTAINER true` takes."""
        start = time.perf_counter()
        subprocess.run(self.command("exec", container, "true"), check=True)
        return (time.perf_counter() - start) * 1000

    def container_of(self, machine_id: str) -> str:
        """The engine's id of our machine."""
        command = self.command("ps", "-q", "--no-trunc", "--filter", f"label=playground.machine={UUID(machine_id).hex}")
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    @asynccontextmanager
    async def terminado(self, container: str, shell: Sequence[str]) -> AsyncIterator[str]:
        """The URL of a terminado server whose every socket is a new `docker exec -it` in that container."""
        command = self.command("exec", "-it", container, *shell)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.benchmarks.terminado_server",
            *command,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        try:
            yield f"ws://127.0.0.1:{port}/terminal"
        finally:
            process.terminate()
            await process.wait()
