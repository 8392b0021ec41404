"""Paths of files that are refused before a machine is asked."""

import uuid

import pytest

from tests.support.people import Person, assert_problem

CALLS = [("GET", "files"), ("PUT", "files"), ("DELETE", "files"), ("GET", "files/list")]
PATHS = ["", "etc/passwd", "/a/../../etc/passwd", "/..", "/a\x00b", "/" + "a" * 4096, "../x"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("method", "address"), [("GET", "files"), ("PUT", "files"), ("DELETE", "files"), ("GET", "files/list")]
)
def test_paths_that_are_refused(ann: Person, method: str, address: str, path: str) -> None:
    answer = ann.api.request(method, f"/sessions/{uuid.uuid4()}/{address}", params={"path": path})
    problem = assert_problem(answer, 422, "invalid_request")
    assert problem["errors"][0]["field"] == "path"  # type: ignore[index]  # a problem is JSON


def test_a_path_is_needed(ann: Person) -> None:
    answer = ann.api.get(f"/sessions/{uuid.uuid4()}/files")
    assert_problem(answer, 422, "invalid_request")
