import pytest

from runtime.engines.docker.engine import DockerEngine
from runtime.errors import EngineRefused, ImageUnavailable
from runtime.images.recipes import SUITE
from tests.support.docker import derived_image, ensure_image, machine_spec, output_of


async def test_a_built_image_says_what_it_is(local_engine: DockerEngine) -> None:
    seen: list[tuple[float | None, str]] = []
    built = await local_engine.build("busybox", "playground/busybox:build-test", lambda *step: seen.append(step))
    try:
        assert built == await local_engine.image("playground/busybox:build-test")
        assert built.digest.startswith("sha256:")
        assert built.command == ["sh"]
        assert sum(layer.size_bytes for layer in built.layers) == built.size_bytes > 500_000
        shares = [share for share, _ in seen if share is not None]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert all(words for _, words in seen)
    finally:
        await local_engine.remove_image("playground/busybox:build-test")
    assert await local_engine.image("playground/busybox:build-test") is None
    await local_engine.remove_image("playground/busybox:build-test")


async def test_the_same_recipe_twice_is_the_same_layer(local_engine: DockerEngine) -> None:
    names = ["playground/busybox:once", "playground/busybox:twice"]
    try:
        once, twice = [await local_engine.build("busybox", name, lambda *_: None) for name in names]
        assert [layer.digest for layer in once.layers] == [layer.digest for layer in twice.layers]
    finally:
        for name in names:
            await local_engine.remove_image(name)


async def test_layers_are_shared_and_nothing_of_this_host_is_inside(local_engine: DockerEngine) -> None:
    below = await local_engine.image(await ensure_image(local_engine, "debian"))
    above = await local_engine.image(await ensure_image(local_engine, "python"))
    assert below is not None
    assert above is not None
    assert above.layers[0] == below.layers[0]
    assert len(above.layers) == 2
    assert above.layers[1].size_bytes < below.layers[0].size_bytes
    spec = machine_spec(below.reference)
    await local_engine.create(spec)
    sources = await output_of(local_engine, spec.machine_id, "cat", "/etc/apt/sources.list")
    left = "ls /usr/local/share/ca-certificates /var/lib/apt/lists /var/cache/apt/archives /etc/apt/sources.list.d"
    found = await output_of(local_engine, spec.machine_id, "sh", "-c", f"{left}; cat /etc/apt/apt.conf.d/*")
    await local_engine.remove(spec.machine_id)
    assert {line.split()[2] for line in sources.splitlines()} == {SUITE, f"{SUITE}-updates", f"{SUITE}-security"}
    assert not any(word in found.lower() for word in (".crt", ".deb", "proxy", "_packages"))


async def test_no_registry_answers(local_engine: DockerEngine) -> None:
    for _ in range(2):
        with pytest.raises(ImageUnavailable, match="does not answer"):
            await local_engine.pull("localhost:1/nothing:1", lambda *_: None)


@pytest.mark.parametrize("text", ["../containers/json", "x y", "", "A//b"])
async def test_what_is_no_reference(local_engine: DockerEngine, text: str) -> None:
    assert await local_engine.image(text) is None
    with pytest.raises(ImageUnavailable):
        await local_engine.pull(text, lambda *_: None)
    with pytest.raises(ImageUnavailable):
        await local_engine.build("busybox", text, lambda *_: None)
    await local_engine.remove_image(text)


async def test_an_unknown_recipe(local_engine: DockerEngine) -> None:
    with pytest.raises(ImageUnavailable):
        await local_engine.build("windows", "playground/windows:1", lambda *_: None)


async def test_an_image_of_another_user_and_not_removed_under_its_machine(local_engine: DockerEngine) -> None:
    async with derived_image("USER 1000:1000", "WORKDIR /tmp", "ENV GIVEN=by-image") as name:
        spec = machine_spec(name)
        await local_engine.create(spec)
        with pytest.raises(EngineRefused):
            await local_engine.remove_image(name)
        said = await output_of(
            local_engine, spec.machine_id, "sh", "-c", "id -u; pwd; echo $GIVEN; grep CapBnd /proc/1/status"
        )
        assert said.split() == ["1000", "/tmp", "by-image", "CapBnd:", "0000000000000000"]
        await local_engine.remove(spec.machine_id)
