"""What a hostile program tries: `attacks/attack.c` runs in a machine, and each of its attempts is a test here."""

import asyncio
import platform
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.docker.attacks.running import compile_attack, put_attack, results
from tests.integration.docker.attacks.table import ATTEMPTS, Attempt
from tests.support.docker import ensure_image, machine_spec, running_engine

USERS = {"root": "0", "nobody-special": "1000"}
NOT_OF_X86 = platform.machine() != "x86_64"


@pytest.fixture(scope="module")
def outcome(sandboxd: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, str]]:
    """Of each attempt, by who made it; all in one machine."""
    program = compile_attack(tmp_path_factory.mktemp("attack"))

    async def attack() -> dict[str, dict[str, str]]:
        async with running_engine(sandboxd) as engine:
            spec = machine_spec(await ensure_image(engine, "busybox"))
            await engine.create(spec)
            try:
                await put_attack(engine, spec.machine_id, program)
                return {name: await results(engine, spec.machine_id, user) for name, user in USERS.items()}
            finally:
                await engine.remove(spec.machine_id)

    return asyncio.run(attack())


@pytest.mark.parametrize("who", USERS)
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: f"{attempt.row} - {attempt.name}")
def test_refused(outcome: Mapping[str, Mapping[str, str]], attempt: Attempt, who: str) -> None:
    if NOT_OF_X86 and attempt.row == "seccomp: x86":
        pytest.skip("entries of another architecture")
    # Who may not even open a file learns less than root does.
    refusals = attempt.refusals if who == "root" else attempt.refusals | {"EACCES"}
    assert outcome[who][attempt.name] in refusals


def test_every_attempt_is_in_the_table(outcome: Mapping[str, Mapping[str, str]]) -> None:
    assert set(outcome["root"]) == {attempt.name for attempt in ATTEMPTS}
