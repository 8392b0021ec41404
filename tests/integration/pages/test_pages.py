"""What the server answers to browsers."""

import base64
import hashlib
import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from playground.accounts.models import User
from playground.images.models import Image
from playground.sessions.models import Profile, Session
from playground.sessions.states import SessionState
from tests.support.hosts import found_on_host

pytestmark = pytest.mark.django_db(transaction=True)


def test_strangers_see_what_this_is_and_nothing_else(debian: Image) -> None:
    page = Client().get("/")
    assert page.status_code == 200
    assert b"Sign in" in page.content
    assert b"Debian 12" not in page.content


@pytest.mark.parametrize("path", ["/images/debian", "/sessions/00000000-0000-4000-8000-000000000000"])
def test_strangers_are_asked_to_sign_in(path: str, debian: Image) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={path}"


def test_the_catalogue_says_how_soon(client: Client, python: Image, profile: Profile) -> None:
    page = client.get("/").content.decode()
    assert "being prepared, 43 %" in page
    assert "unpacking" in page
    assert "Start when ready" in page
    assert "112 MiB" in page
    assert f'<option value="{profile.slug}" data-recording="{profile.recording}" selected>' in page


@pytest.mark.parametrize("path", ["/", "/images/debian"])
def test_profiles_that_this_host_can_not_give_are_disabled(
    client: Client, debian: Image, profile: Profile, path: str
) -> None:
    found_on_host(pause=True, gvisor=False)
    Profile.objects.filter(pk=profile.pk).update(requires=["gvisor"])
    page = client.get(path).content.decode()
    assert re.search(rf'<option value="{profile.slug}" [^>]* disabled title="[^"]*gvisor[^"]*">{profile.title} ', page)
    assert re.findall(r'<option value="(\w+)"[^>]* selected>', page) == ["small"]
    assert f"Not available here: {profile.title}. This host can&#x27;t give" in page
    assert "disabled>Start" not in page
    Profile.objects.update(requires=["gvisor"])
    page = client.get(path).content.decode()
    assert not re.findall(r'<option value="(\w+)"[^>]* selected>', page)
    assert "disabled>Start" in page
    assert page.count("Not available here: Small, Standard, Large.") == 1


@pytest.mark.parametrize("path", ["/", "/images/debian"])
def test_a_page_reads_once_what_the_host_enforces(client: Client, debian: Image, profile: Profile, path: str) -> None:
    found_on_host(pause=True)
    Profile.objects.update(requires=["pause"], egress="internet")
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    assert sum("host_hostreport" in each["sql"] for each in asked) == 1


def test_an_empty_catalogue_says_what_would_be_here(client: Client) -> None:
    assert "There are none in the catalogue yet." in client.get("/").content.decode()


def test_layers_name_the_images_that_share_them(client: Client, python: Image) -> None:
    page = client.get("/images/python").content.decode()
    assert re.search(r"a{12}.*?Debian 12.*?b{12}.*?no other", page, re.DOTALL)


def test_an_unknown_image_is_not_found_in_words(client: Client, profile: Profile) -> None:
    answer = client.get("/images/nothing")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()
    assert client.post("/sessions/start", {"image": "nothing"})["Location"] == "/"
    assert "There is no such image in the catalogue." in client.get("/").content.decode()


def test_the_session_page_holds_its_data_as_data(client: Client, session: Session) -> None:
    page = client.get(f"/sessions/{session.pk}").content.decode()
    assert "<b>mine</b>" not in page
    found = re.search(r'<script id="page-data" type="application/json">(.*?)</script>', page)
    assert found
    data = json.loads(found[1])
    assert data["session"]["name"] == session.name
    assert data["image"]["id"] == "debian"


def test_other_peoples_sessions_are_not_there(session: Session) -> None:
    eve = Client()
    user = User.objects.create_user("eve", is_staff=True, is_superuser=True)
    eve.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for call in (eve.get, eve.head):
        assert call(f"/sessions/{session.pk}").status_code == 404
    for action in ("end", "extend", "again"):
        assert eve.post(f"/sessions/{session.pk}/{action}").status_code == 404
    session.refresh_from_db()
    assert session.state == SessionState.RUNNING


def test_ending_needs_a_form_of_ours(ada: User, session: Session) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    answer = careful.post(f"/sessions/{session.pk}/end")
    assert answer.status_code == 403
    assert "This page was open for too long" in answer.content.decode()
    assert careful.get(f"/sessions/{session.pk}/end").status_code == 405


def test_ending_twice_changes_nothing(client: Client, session: Session) -> None:
    for _ in range(2):
        assert client.post(f"/sessions/{session.pk}/end")["Location"] == f"/sessions/{session.pk}"
    session.refresh_from_db()
    assert (session.state, session.reason) == (SessionState.STOPPING, "user")


def test_extending_what_has_ended_says_so(client: Client, session: Session) -> None:
    Session.objects.update(state=SessionState.ENDED, message="The session's time was up.")
    client.post(f"/sessions/{session.pk}/extend")
    page = client.get(f"/sessions/{session.pk}").content.decode()
    assert "The session is not running." in page
    assert "Start again" in page


def test_starting_again_asks_for_the_same(client: Client, session: Session) -> None:
    again = f"/sessions/{session.pk}/again"
    Session.objects.update(state=SessionState.ENDED, command=["top"], environment_names=["TOKEN"], metadata={"a": "b"})
    page = client.get(f"/sessions/{session.pk}").content.decode()
    assert f'action="{again}"' in page
    assert "Started again it does not have its variables (TOKEN)" in page
    answer = client.post(again)
    second = Session.objects.exclude(pk=session.pk).get()
    assert answer["Location"] == f"/sessions/{second.pk}"
    assert (second.command, second.metadata) == (["top"], {"a": "b"})
    Image.objects.update(enabled=False)
    assert client.post(again)["Location"] == f"/sessions/{session.pk}"
    assert "There is no such image" in client.get(f"/sessions/{session.pk}").content.decode()


@pytest.mark.parametrize(("chosen", "status"), [("dark", 302), ("system", 302), ("<b>", 400), ("", 400)])
def test_only_known_appearances_are_kept(client: Client, chosen: str, status: int) -> None:
    answer = client.post("/appearance", {"theme": chosen}, headers={"Referer": "https://evil.example/"})
    assert answer.status_code == status
    assert answer.headers.get("Location", "/") == "/"
    assert (f'data-theme="{chosen}"' in client.get("/").content.decode()) is (status == 302)


def test_a_forged_appearance_cookie_does_nothing(client: Client) -> None:
    client.cookies["playground_theme"] = '"><script>'
    assert "data-theme" not in client.get("/").content.decode().split("<head>")[0]


def test_every_answer_has_a_content_policy(client: Client, session: Session) -> None:
    for path in ("/", "/nothing", "/accounts/login/", "/accounts/keys/", "/accounts/2fa/"):
        assert "style-src 'self';" in client.get(path)["Content-Security-Policy"]
    terminal = client.get(f"/sessions/{session.pk}")["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in terminal
    scripts = re.search(r"script-src 'self' '(sha256-[^']+)' 'wasm-unsafe-eval';", terminal)
    assert scripts, "pictures are decoded by WebAssembly; there is no eval"
    inline = re.findall(r"<script>(.*?)</script>", client.get("/").content.decode(), re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline]
    assert digests == [scripts[1].removeprefix("sha256-")], "the one that may be inline"
