"""How people come in: keys, one-time links, signing in, and the page of one's keys."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from playground.accounts.keys import MOST_KEYS, TooManyKeys, create_key, find_key, revoke_key
from playground.accounts.models import ApiKey, User, WelcomeLink
from playground.accounts.welcome import administrator, create_link, open_link

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve() -> User:
    return User.objects.create_user("eve", email="eve@example.org", password="correct horse battery")


def test_a_key_is_found_and_nothing_readable_is_kept(eve: User) -> None:
    row, key = create_key(eve, "test")
    assert re.fullmatch(r"pg_[0-9a-f]{12}_[0-9a-f]{64}", key)
    found = find_key(key)
    assert found is not None
    assert found.user == eve
    assert key.rsplit("_", 1)[1] not in repr(ApiKey.objects.filter(pk=row.pk).values())


def test_use_is_noted_once_a_minute(eve: User) -> None:
    row, key = create_key(eve, "test")
    find_key(key)
    row.refresh_from_db()
    first = row.last_used_at
    assert first is not None
    find_key(key)
    row.refresh_from_db()
    assert row.last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    find_key(key)
    row.refresh_from_db()
    assert row.last_used_at is not None
    assert row.last_used_at >= first


@pytest.mark.parametrize("change", ["", "x", "0"])
def test_keys_that_are_none(eve: User, change: str) -> None:
    _, key = create_key(eve, "test")
    flipped = "0" if key[-1] != "0" else "1"
    assert find_key(key[:-1] + flipped) is None
    assert find_key(key + change if change else "") is None
    assert find_key(key.upper()) is None
    assert find_key("pg_é_x") is None


def test_revoked_and_disabled(eve: User) -> None:
    row, key = create_key(eve, "test")
    assert revoke_key(User.objects.create_user("mallory"), row.pk) is False
    assert find_key(key) is not None
    assert revoke_key(eve, row.pk) is True
    assert revoke_key(eve, row.pk) is False
    assert find_key(key) is None
    _, other = create_key(eve, "test")
    eve.is_active = False
    eve.save()
    assert find_key(other) is None


def test_nobody_holds_more_than_so_many(eve: User) -> None:
    for number in range(MOST_KEYS):
        create_key(eve, str(number))
    with pytest.raises(TooManyKeys):
        create_key(eve, "one more")


def test_the_command_prints_a_key_and_nothing_else(eve: User) -> None:
    out = StringIO()
    call_command("create_api_key", "eve", stdout=out)
    key = find_key(out.getvalue().removesuffix("\n"))
    assert key is not None
    assert key.user == eve
    with pytest.raises(CommandError, match="no person with the user name 'nobody'"):
        call_command("create_api_key", "nobody")
    assert not User.objects.filter(username="nobody").exists()


def test_the_administrators_link_works_once(client: Client) -> None:
    out = StringIO()
    call_command("admin_link", stdout=out)
    token = out.getvalue().strip().rsplit("/", 1)[1]
    assert token not in repr(WelcomeLink.objects.values())
    assert client.get(f"/welcome/{token}").status_code == 200
    assert "_auth_user_id" not in client.session
    assert Client(enforce_csrf_checks=True).post(f"/welcome/{token}").status_code == 403
    answer = client.post(f"/welcome/{token}")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/password/set/"
    admin = User.objects.get(username="admin")
    assert int(client.session["_auth_user_id"]) == admin.pk
    assert admin.is_superuser
    assert not admin.has_usable_password()
    assert Client().get(f"/welcome/{token}").status_code == 410
    assert Client().post(f"/welcome/{token}").status_code == 410
    again = StringIO()
    call_command("admin_link", "--first-start", stdout=again)
    assert again.getvalue() == ""


def test_a_new_link_ends_the_one_before_and_links_grow_old() -> None:
    admin = administrator()
    first, second = (create_link(admin).rsplit("/", 1)[1] for _ in range(2))
    assert open_link(first) is None
    WelcomeLink.objects.update(expires_at=timezone.now())
    assert open_link(second) is None
    assert open_link("x\ud800") is None


def test_choosing_a_password_after_the_link(client: Client) -> None:
    client.post(create_link(administrator()).removeprefix("http://127.0.0.1:8000"))
    answer = client.post(
        "/accounts/password/set/", {"password1": "correct horse battery", "password2": "correct horse battery"}
    )
    assert answer.status_code == 302
    assert User.objects.get(username="admin").has_usable_password()


@pytest.mark.parametrize("login", ["eve", "eve@example.org"])
def test_signing_in_by_name_or_address(client: Client, eve: User, login: str) -> None:
    answer = client.post("/accounts/login/", {"login": login, "password": "correct horse battery"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert int(client.session["_auth_user_id"]) == eve.pk


def test_administrators_sign_in_where_everybody_does(client: Client) -> None:
    """Django's own form would let them in without the second factor that they set up."""
    User.objects.create_superuser("root", password="correct horse battery")
    form = {"username": "root", "password": "correct horse battery"}
    answer = client.post("/django-admin/login/", form)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_guessing_is_stopped(client: Client, eve: User) -> None:
    for _ in range(12):
        client.post("/accounts/login/", {"login": "eve", "password": "wrong"})
    client.post("/accounts/login/", {"login": "eve", "password": "correct horse battery"})
    assert "_auth_user_id" not in client.session


def test_sign_up_is_closed_unless_opened(client: Client, settings: object) -> None:
    form = {"username": "new", "password1": "correct horse battery", "password2": "correct horse battery"}
    client.post("/accounts/signup/", form)
    assert not User.objects.filter(username="new").exists()
    settings.PLAYGROUND_SIGNUP = "open"  # type: ignore[attr-defined]  # pytest-django's fixture
    client.post("/accounts/signup/", form)
    assert User.objects.filter(username="new").exists()


def test_the_page_of_ones_keys(client: Client, eve: User) -> None:
    assert client.get("/accounts/keys/").status_code == 302
    client.force_login(eve, backend="django.contrib.auth.backends.ModelBackend")
    page = client.post("/accounts/keys/", {"name": "my program"}).content.decode()
    match = re.search(r"pg_[0-9a-f]{12}_[0-9a-f]{64}", page)
    assert match is not None
    assert find_key(match[0]) is not None
    assert match[0] not in client.get("/accounts/keys/").content.decode()
    row = eve.api_keys.get()
    other = Client()
    other.force_login(User.objects.create_user("mallory"), backend="django.contrib.auth.backends.ModelBackend")
    other.post(f"/accounts/keys/{row.pk}/revoke/")
    assert find_key(match[0]) is not None
    client.post(f"/accounts/keys/{row.pk}/revoke/")
    assert find_key(match[0]) is None
