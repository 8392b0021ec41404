"""A session of two machines on a real engine, as a program has it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.person import Person
from tests.support.stack import Stack, chosen_engine
from tests.support.waiting import wait

pytestmark = pytest.mark.skipif(chosen_engine() != "docker", reason="the process engine has no networks")
IMAGE = "busybox"
SERVE = "echo served-by-db > /tmp/page; httpd -p 80 -h /tmp"
FETCH = r"printf 'GET /page HTTP/1.0\r\n\r\n' | timeout 2 nc {} 80 | tail -n 1"
"""Debian's static busybox has a wget that crashes."""


@pytest.fixture
def api(stack: Stack, administrator: Person) -> Iterator[httpx.Client]:
    stack.manage("prepare_image", IMAGE)
    key = stack.manage("create_api_key", administrator.name).strip()
    headers = {"Authorization": f"Bearer {key}", "Prefer": "wait=60"}
    with httpx.Client(base_url=f"{stack.url}/api/v1", headers=headers, timeout=90) as client:
        yield client


def started(api: httpx.Client, **fields: object) -> str:
    answer = api.post("/sessions", json={"image": IMAGE, **fields})
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "running", answer.text
    return str(answer.json()["id"])


def run(api: httpx.Client, session: str, command: str, machine: str = "main") -> httpx.Response:
    body = {"command": ["sh", "-c", command], "machine": machine, "timeout_seconds": 10}
    answer = api.post(f"/sessions/{session}/exec", json=body)
    return answer.raise_for_status()


def test_they_reach_each_other_by_name_and_nobody_else_does(api: httpx.Client) -> None:
    ours = started(api, machines=[{"name": "db", "image": IMAGE}])
    strangers = started(api, machines=[{"name": "other", "image": IMAGE}])
    try:
        run(api, ours, SERVE, machine="db")

        def fetched(session: str, host: str) -> str:
            return str(run(api, session, FETCH.format(host)).json()["stdout"])

        wait(lambda: fetched(ours, "db") == "served-by-db\n", "the page of the other machine")
        address = run(api, ours, "ip -4 -o addr show dev eth0", machine="db").json()["stdout"].split()[3].split("/")[0]
        wait(lambda: fetched(ours, address) == "served-by-db\n", "the same by its address")
        assert fetched(strangers, "db") == fetched(strangers, address) == ""
    finally:
        for session in (ours, strangers):
            assert api.delete(f"/sessions/{session}").status_code == 204
