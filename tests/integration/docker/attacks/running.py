"""`attack.c` compiled, put into a machine, and run there."""

import subprocess
from pathlib import Path

from runtime.engines.docker.engine import DockerEngine
from runtime.terminal import execution
from runtime.terminal.client import SandboxdClient
from tests.support.docker import put_program

SOURCE = Path(__file__).with_name("attack.c")
PLACE = "/attack"


def compile_attack(directory: Path) -> Path:
    """The program in that directory; static, so that it runs in every image."""
    program = directory / "attack"
    subprocess.run(["cc", "-static", "-O1", "-D_GNU_SOURCE", "-Wall", str(SOURCE), "-o", str(program)], check=True)
    return program


async def results(engine: DockerEngine, machine_id: str, user: str) -> dict[str, str]:
    """What each attempt ended with, as that user of the machine."""
    said = b""
    async with SandboxdClient(await engine.dial(machine_id)) as client:
        await client.execute([PLACE], user=user, timeout_ms=60_000)
        async for piece in execution.run(client):
            if isinstance(piece, execution.Chunk):
                said += piece.data
            else:
                assert (piece.exit_code, piece.signal) == (0, 0), f"the attack itself ended with {piece}: {said!r}"
    return dict(line.split(" ") for line in said.decode().splitlines())


async def put_attack(engine: DockerEngine, machine_id: str, program: Path) -> None:
    await put_program(engine, machine_id, PLACE, program.read_bytes())
