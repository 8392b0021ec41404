import aiohttp
import pytest
from aiodocker.exceptions import DockerError

from runtime.engines.docker.client import choose_api, classify
from runtime.errors import (
    CapacityExceeded,
    EngineRefused,
    EngineUnavailable,
    ImageUnavailable,
    MachineGone,
    RuntimeFailure,
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DockerError(900, "Cannot connect"), EngineUnavailable),
        (DockerError(503, "starting"), EngineUnavailable),
        (aiohttp.ClientPayloadError("cut"), EngineUnavailable),
        (TimeoutError(), EngineUnavailable),
        (ConnectionResetError(), EngineUnavailable),
        (DockerError(404, "No such image: x:1"), ImageUnavailable),
        (DockerError(404, "No such container: y"), MachineGone),
        (DockerError(409, "Conflict. The container name is in use"), EngineRefused),
        (DockerError(500, "write /var/lib/x: no space left on device"), CapacityExceeded),
        (DockerError(500, "could not find an available, non-overlapping IPv4 address pool"), CapacityExceeded),
        (DockerError(500, ""), EngineRefused),
    ],
)
def test_every_foreign_error_has_a_class(error: Exception, kind: type[RuntimeFailure]) -> None:
    assert type(classify(error)) is kind


def test_no_path_of_the_host_gets_out() -> None:
    said = str(classify(DockerError(400, "stat /srv/play/var/engine/data/x: permission denied")))
    assert "/srv" not in said
    assert "permission denied" in said


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [
        ("1.41", "1.12", "1.41"),
        ("1.52", "1.44", "1.44"),
        ("1.43", "1.24", "1.41"),
        ("1.40", "1.12", "1.40"),
        ("", "", "1.41"),
    ],
)
def test_the_version_that_both_know(newest: str, oldest: str, spoken: str) -> None:
    assert choose_api(newest, oldest) == spoken
