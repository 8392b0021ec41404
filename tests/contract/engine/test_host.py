"""What an engine says of itself and of its images."""

import pytest

from runtime.engines.capability_names import NAMES
from runtime.errors import ImageUnavailable
from tests.support.engine import UNKNOWN_IMAGE, Case


def _unseen(share: float | None, words: str) -> None:
    pass


async def test_it_answers(case: Case) -> None:
    await case.engine.ping()


async def test_capabilities_say_what_they_are_and_stay(case: Case) -> None:
    found = await case.engine.capabilities()
    names = [item.name for item in found.items]
    assert len(names) == len(set(names))
    assert {"user_namespace", "seccomp", "memory_limit", "pids_limit", "cpu_limit", "disk_quota", "pause"} <= set(names)
    assert all(item.detail for item in found.items)
    assert found.version
    assert await case.engine.capabilities() == found
    assert not found.has("no_such_thing")


async def test_a_probe_says_what_to_do_about_each_gap(case: Case) -> None:
    found = await case.engine.probe()
    assert {item.name for item in found.items} == NAMES
    assert all(item.detail for item in found.items)
    assert all(item.remedy for item in found.items if not item.available)
    assert await case.engine.incarnation() == await case.engine.incarnation()
    assert await case.engine.machines() == []


async def test_a_known_image_is_described(case: Case) -> None:
    details = await case.engine.image(case.image)
    assert details is not None
    assert details.reference == case.image
    assert details.digest.startswith("sha256:")
    assert len(details.digest) == 71
    assert details.architecture
    assert details.size_bytes == sum(layer.size_bytes for layer in details.layers)


@pytest.mark.parametrize("reference", [UNKNOWN_IMAGE, "NOT a reference", "../../etc", ""])
async def test_an_unknown_image_is_none(case: Case, reference: str) -> None:
    assert await case.engine.image(reference) is None


async def test_an_image_without_a_registry_cannot_be_pulled(case: Case) -> None:
    with pytest.raises(ImageUnavailable):
        await case.engine.pull("127.0.0.1:1/playground-test/nothing:1", _unseen)


async def test_removing_an_unknown_image_is_success(case: Case) -> None:
    await case.engine.remove_image(UNKNOWN_IMAGE)
