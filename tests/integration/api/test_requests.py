"""What every address of the API does with requests that can't be, and what every answer carries."""

import json
import re
import socket
import uuid

import httpx
import pytest

from playground.api.body_limit import MOST_DRAINED
from playground.images.models import Image
from playground.sessions.models import Profile, Session
from tests.support.hosts import found_on_host
from tests.support.live_site import LiveSite
from tests.support.people import Person, assert_problem
from tests.support.recordings import wait_until
from tests.support.waiting import WITHIN

NOBODYS = uuid.uuid4()


def test_profiles_say_whether_this_host_can_give_them(ann: Person, image: Image, profile: Profile) -> None:
    (item,) = ann.api.get("/profiles").json()["items"]
    assert (item["is_available"], item["unavailable_reason"]) == (True, None)
    found_on_host(gvisor=False)
    Profile.objects.update(requires=["gvisor"])
    (item,) = ann.api.get("/profiles").json()["items"]
    assert not item["is_available"]
    refused = ann.api.post("/sessions", json={"image": "debian"})
    assert (refused.status_code, refused.json()["code"]) == (409, "capability_unavailable")
    assert refused.json()["detail"] == item["unavailable_reason"]


def test_probes_need_no_key(site: LiveSite) -> None:
    assert httpx.get(f"{site.url}/api/v1/healthz", timeout=WITHIN).json() == {"status": "ok"}

    def answers() -> bool:
        answer = httpx.get(f"{site.url}/api/v1/readyz", timeout=WITHIN)
        parts = answer.json()["parts"]
        assert answer.status_code == (200 if answer.json()["ready"] else 503)
        return bool(parts["database"]["ok"] and parts["valkey"]["ok"])

    # A part that takes too long, on a machine that stops, does not answer.
    wait_until(answers, "database and Valkey answer")


def test_without_a_key(site: LiveSite) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}, {"X-API-Key": "pg_x_y"}):
        answer = httpx.get(f"{site.url}/api/v1/me", headers=headers, timeout=WITHIN)
        assert_problem(answer, 401, "not_authenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_key_in_either_header(ann: Person, site: LiveSite) -> None:
    assert ann.api.get("/me").json()["username"] == "ann"
    answer = httpx.get(f"{site.url}/api/v1/me", headers={"X-API-Key": ann.key}, timeout=WITHIN)
    assert answer.json()["username"] == "ann"


def test_a_wrong_key_is_not_made_good_by_a_cookie(site: LiveSite, ann_cookie: str) -> None:
    answer = httpx.get(
        f"{site.url}/api/v1/me",
        headers={"X-API-Key": "nonsense"},
        cookies={site.session_cookie: ann_cookie},
        timeout=WITHIN,
    )
    assert_problem(answer, 401, "not_authenticated")


def test_a_revoked_key_and_a_disabled_person(ann: Person, bob: Person) -> None:
    ann.user.api_keys.all().delete()
    assert_problem(ann.api.get("/me"), 401, "not_authenticated")
    bob.user.is_active = False
    bob.user.save()
    assert_problem(bob.api.get("/me"), 401, "not_authenticated")


def test_the_cookie_needs_csrf_to_change_something(
    site: LiveSite, ann_cookie: str, image: Image, profile: Profile
) -> None:
    session = Session.objects.create(
        owner_id=_owner_of(ann_cookie), name="x", image=image, profile=profile, lifetime_seconds=60, idle_seconds=60
    )
    path = f"/api/v1/sessions/{session.pk}"
    token = "a" * 32
    cookies = {site.session_cookie: ann_cookie, "csrftoken": token}
    with httpx.Client(base_url=site.url, cookies=cookies, timeout=WITHIN) as browser:
        assert browser.get(path).status_code == 200
        assert_problem(browser.patch(path, json={"name": "y"}), 403, "csrf_failed")
        good = {"X-CSRFToken": token, "Origin": site.url}
        foreign = {**good, "Origin": "https://evil.example"}
        assert_problem(browser.patch(path, json={"name": "y"}, headers=foreign), 403, "csrf_failed")
        answer = browser.patch(path, json={"name": "y"}, headers=good)
    assert answer.json()["name"] == "y"


def _owner_of(cookie: str) -> int:
    from django.contrib.sessions.backends.db import SessionStore

    return int(SessionStore(cookie)["_auth_user_id"])


@pytest.mark.parametrize("path", ["/nope", "/sessions/not-an-id", "/sessions/", "", "/sessions/%00"])
def test_unknown_addresses(ann: Person, path: str) -> None:
    assert_problem(ann.api.get(path), 404, "not_found")


def test_outside_of_v1_is_a_problem_too(site: LiveSite) -> None:
    assert_problem(httpx.get(f"{site.url}/api/v2/sessions", timeout=WITHIN), 404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("PUT", "/sessions"), ("POST", "/me"), ("DELETE", "/images")])
def test_methods_that_an_address_does_not_know(ann: Person, method: str, path: str) -> None:
    answer = ann.api.request(method, path)
    assert_problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"image": }', b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"])
def test_a_body_that_is_no_json(ann: Person, body: bytes) -> None:
    answer = ann.api.post("/sessions", content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 400, "invalid_json")


@pytest.mark.parametrize("body", [b"null", b"[]", b'"debian"', b"7", b""])
def test_json_that_is_no_object(ann: Person, body: bytes) -> None:
    answer = ann.api.post("/sessions", content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
)
def test_a_body_of_another_type(ann: Person, kind: str) -> None:
    answer = ann.api.post("/sessions", content=b'{"image": "debian"}', headers={"Content-Type": kind})
    assert_problem(answer, 415, "unsupported_media_type")


def test_a_body_that_is_too_large(ann: Person) -> None:
    answer = ann.api.post("/sessions", json={"image": "x" * (1 << 20)})
    assert_problem(answer, 413, "too_large")

    def pieces() -> list[bytes]:
        return [b" " * (1 << 18)] * 5

    answer = ann.api.post("/sessions", content=iter(pieces()), headers={"Content-Type": "application/json"})
    assert_problem(answer, 413, "too_large")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, {"Cookie": "playground=nonsense"}])
@pytest.mark.parametrize("announced", [True, False])
def test_a_strangers_file_is_not_taken(site: LiveSite, headers: dict[str, str], announced: bool) -> None:
    """Not even to disk, to be refused later: the answer comes before the body was sent."""
    length = "Content-Length: 60000000" if announced else "Transfer-Encoding: chunked"
    lines = [f"PUT /api/v1/sessions/{NOBODYS}/files?path=/a HTTP/1.1", "Host: 127.0.0.1", length]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    piece = b" " * (1 << 20)
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        for _ in range(MOST_DRAINED >> 20):
            client.sendall(piece if announced else b"100000\r\n" + piece + b"\r\n")
        assert client.recv(64).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"image": "debian", "colour": "red"}, "colour", "unknown_field"),
        ({"image": "debian", "name": "n" * 10_000}, "name", "string_too_long"),
        ({"image": "debian", "name": "  "}, "name", "string_too_short"),
        ({"image": "debian", "name": "a\nb"}, "name", "value_error"),
        ({"image": "debian", "name": "a\x00b"}, "name", "value_error"),
        ({"image": "debian", "name": "\ud800"}, "name", None),
        ({"image": "debian", "ttl_seconds": -1}, "ttl_seconds", "greater_than_equal"),
        ({"image": "debian", "ttl_seconds": 0}, "ttl_seconds", "greater_than_equal"),
        ({"image": "debian", "ttl_seconds": 10**12}, "ttl_seconds", "less_than_equal"),
        ({"image": "debian", "ttl_seconds": "60"}, "ttl_seconds", "int_type"),
        ({"image": "debian", "ttl_seconds": True}, "ttl_seconds", "int_type"),
        ({"image": "debian", "idle_timeout_seconds": -1}, "idle_timeout_seconds", "greater_than_equal"),
        ({"image": "debian", "env": {"A=B": "x"}}, "env.A=B.[key]", "string_pattern_mismatch"),
        ({"image": "debian", "env": {"A": "x\x00"}}, "env.A", "string_pattern_mismatch"),
        ({"image": "debian", "env": {f"A{n}": "" for n in range(65)}}, "env", "too_long"),
        ({"image": "debian", "metadata": {"a": 1}}, "metadata.a", "string_type"),
        ({"image": "debian", "metadata": {f"a{n}": "" for n in range(33)}}, "metadata", "too_long"),
        ({"image": "debian", "command": ["a\x00"]}, None, None),
        ({"image": "debian", "command": []}, None, None),
        ({"image": "de/bian"}, "image", "string_pattern_mismatch"),
        ({"image": "debian", "machines": [{"name": "db"}]}, "machines.0.image", "missing"),
        ({"image": "debian", "machines": [{"name": "a_b", "image": "debian"}]}, "machines.0.name", None),
        ({"image": "debian", "machines": [{"name": "main", "image": "debian"}]}, "machines", None),
        ({"image": "debian", "machines": [{"name": "db", "image": "debian"}] * 2}, "machines", None),
        ({"image": "debian", "machines": [{"name": f"m{n}", "image": "debian"} for n in range(5)]}, "machines", None),
        ({}, "image", "missing"),
    ],
)
def test_fields_that_no_session_can_have(
    ann: Person, image: Image, profile: Profile, fields: dict[str, object], field: str | None, code: str | None
) -> None:
    answer = ann.api.post("/sessions", content=json.dumps(fields), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    errors = answer.json()["errors"]
    assert_problem(answer, 422, answer.json()["code"])
    if field is not None:
        assert field in [error["field"] for error in errors]
    if code is not None:
        assert code in [error["code"] for error in errors]
    assert Session.objects.count() == 0


def test_what_this_host_cannot_enforce(ann: Person, image: Image, profile: Profile) -> None:
    found_on_host(egress_filter=False)
    together = {"image": "debian", "machines": [{"name": "db", "image": "debian"}]}
    assert_problem(ann.api.post("/sessions", json=together), 409, "capability_unavailable")
    Profile.objects.filter(pk=profile.pk).update(egress="internet")
    assert_problem(ann.api.post("/sessions", json={"image": "debian"}), 409, "capability_unavailable")
    assert Session.objects.count() == 0


def test_a_network_that_is_less_than_the_profiles(ann: Person, image: Image, profile: Profile) -> None:
    found_on_host(egress_filter=False)
    Profile.objects.filter(pk=profile.pk).update(egress="internet")
    started = ann.api.post("/sessions", json={"image": "debian", "network": "none"}).raise_for_status()
    assert started.json()["network"] == {"egress": "none", "allowed": []}
    assert ann.api.get(started.json()["links"]["self"].removeprefix("/api/v1")).json()["network"]["egress"] == "none"
    found_on_host(egress_filter=True)
    listed = {"egress": "allowlist", "allowed": ["Deb.Debian.org", "198.51.100.0/24"]}
    started = ann.api.post("/sessions", json={"image": "debian", "network": listed}).raise_for_status()
    assert started.json()["network"] == {"egress": "allowlist", "allowed": ["deb.debian.org", "198.51.100.0/24"]}
    Profile.objects.filter(pk=profile.pk).update(egress="allowlist", allowed="198.51.100.0/24")
    inside = {"egress": "allowlist", "allowed": ["198.51.100.7"]}
    assert ann.api.post("/sessions", json={"image": "debian", "network": inside}).status_code == 202
    for more in ("internet", {"egress": "allowlist", "allowed": ["198.51.0.0/16"]}):
        refused = ann.api.post("/sessions", json={"image": "debian", "network": more})
        assert_problem(refused, 409, "beyond_profile")
    assert Session.objects.count() == 3


@pytest.mark.parametrize(
    "network",
    [
        "everything",
        "",
        7,
        [],
        {},
        {"egress": "none", "allowed": ["1.1.1.1"]},
        {"egress": "allowlist"},
        {"egress": "allowlist", "allowed": []},
        {"egress": "allowlist", "allowed": ["10.0.0.1"]},
        {"egress": "allowlist", "allowed": ["a.example.org\u0000"]},
        {"egress": "allowlist", "allowed": ["1.1.1.1"] * 65},
        {"egress": "internet", "more": 1},
    ],
)
def test_a_network_that_is_none(ann: Person, image: Image, profile: Profile, network: object) -> None:
    Profile.objects.filter(pk=profile.pk).update(egress="internet")
    refused = ann.api.post("/sessions", json={"image": "debian", "network": network})
    assert_problem(refused, 422, "invalid_request")
    assert all(error["field"].startswith("network") for error in refused.json()["errors"])


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"image": "nope"}, 404, "image_unknown"),
        ({"image": "debian", "profile": "nope"}, 404, "profile_unknown"),
        ({"image": "debian", "ttl_seconds": 7201}, 409, "beyond_profile"),
    ],
)
def test_what_is_not_there_or_not_allowed(
    ann: Person, image: Image, profile: Profile, fields: dict[str, object], status: int, code: str
) -> None:
    problem = assert_problem(ann.api.post("/sessions", json=fields), status, code)
    assert problem["errors"][0]["field"] == list(fields)[-1]  # type: ignore[index]  # a problem is JSON
    assert Session.objects.count() == 0


def test_a_quota_is_a_429(ann: Person, image: Image, profile: Profile) -> None:
    ann.user.max_concurrent_sessions = 0
    ann.user.save()
    problem = assert_problem(ann.api.post("/sessions", json={"image": "debian"}), 429, "quota_exceeded")
    assert problem["retryable"] is True


def test_every_answer_has_an_id_and_says_what_is_left(ann: Person) -> None:
    answer = ann.api.get("/me", headers={"X-Request-ID": "from-a-proxy-1"})
    assert answer.headers["x-request-id"] == "from-a-proxy-1"
    assert ann.api.get("/me", headers={"X-Request-ID": "a b\tc"}).headers["x-request-id"] != "a b\tc"
    before, reset = (int(answer.headers[f"ratelimit-{name}"]) for name in ("remaining", "reset"))
    after = ann.api.get("/me").headers
    assert int(after["ratelimit-remaining"]) < before or int(after["ratelimit-reset"]) > reset
    assert after["x-content-type-options"] == "nosniff"


def test_lists_page_by_cursor(ann: Person, image: Image, profile: Profile) -> None:
    made = [
        str(
            Session.objects.create(
                owner=ann.user,
                name=f"s{n}",
                image=image,
                profile=profile,
                lifetime_seconds=60,
                idle_seconds=60,
                metadata={"even": str(n % 2 == 0)},
            ).pk
        )
        for n in range(5)
    ]
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = ann.api.get("/sessions", params=params).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == made[::-1]
    even = ann.api.get("/sessions", params={"metadata.even": "True"}).json()["items"]
    assert [item["name"] for item in even] == ["s4", "s2", "s0"]
    assert ann.api.get("/sessions", params={"state": "ended"}).json()["items"] == []


@pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "MjAyNi0xMS0yM3xub25l", "a" * 300])
def test_cursors_that_no_list_gave_out(ann: Person, cursor: str) -> None:
    assert ann.api.get("/sessions", params={"cursor": cursor}).status_code in (404, 422)


def test_times_are_utc(ann: Person, image: Image, profile: Profile) -> None:
    session = Session.objects.create(
        owner=ann.user, name="x", image=image, profile=profile, lifetime_seconds=60, idle_seconds=60
    )
    created = ann.api.get(f"/sessions/{session.pk}").json()["created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created)


def test_a_preference_that_is_not_known(ann: Person, image: Image, profile: Profile) -> None:
    for value in ("wait=soon", "wait=-1", "wait=9999", "respond-async"):
        answer = ann.api.post("/sessions", json={"image": "debian"}, headers={"Prefer": value})
        assert_problem(answer, 422, "invalid_preference")
    assert Session.objects.count() == 0


def test_another_host_name(site: LiveSite, ann: Person) -> None:
    answer = ann.api.get("/me", headers={"Host": "evil.example"})
    assert_problem(answer, 400, "bad_request")
