from runtime.engines.docker.progress import PullProgress


def test_nothing_is_known_before_the_first_layer() -> None:
    assert PullProgress().step({"status": "Pulling from library/debian", "id": "12"}) == (None, "Asking the registry")


def test_layers_are_summed() -> None:
    progress = PullProgress()
    progress.step({"id": "a", "status": "Pulling fs layer"})
    progress.step({"id": "b", "status": "Already exists"})
    detail = {"current": 5 << 20, "total": 10 << 20}
    share, words = progress.step({"id": "a", "status": "Downloading", "progressDetail": detail})
    assert share is not None
    assert abs(share - (1 + 0.35) / 2) < 1e-9
    assert words == "Fetched 1 of 2 layers, 10 MiB to download"


def test_it_ends_at_one_and_never_beyond() -> None:
    progress = PullProgress()
    progress.step({"id": "a", "status": "Extracting", "progressDetail": {"current": 12, "total": 10}})
    share, _ = progress.step({"id": "a", "status": "Pull complete"})
    assert share == 1.0
    assert progress.step({"status": "Status: Downloaded"})[0] == 1.0
