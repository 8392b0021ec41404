"""Pages of a person's own account: one-time links and API keys."""

import uuid

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from playground.accounts.forms import KeyForm
from playground.accounts.keys import create_key, revoke_key
from playground.accounts.models import User
from playground.accounts.welcome import is_open, open_link
from playground.errors import SiteError


@never_cache
@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Signs in whoever holds the link, once, and leads to choosing a password when there is none.

    Opening the link only asks: mail and chat programs open links to show what they lead to, which must not use them up.
    """
    if request.method == "GET" and is_open(token):
        return render(request, "accounts/welcome.html")
    user = open_link(token) if request.method == "POST" else None
    if user is None:
        return render(request, "accounts/welcome_gone.html", status=410)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    response = redirect("/" if user.has_usable_password() else "account_set_password")
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@login_required
@sensitive_variables("key")
@require_http_methods(["GET", "POST"])
def api_keys(request: HttpRequest) -> HttpResponse:
    """The person's keys; POST makes one, and its text is in this one answer only.

    Context: `form`; `keys` (ApiKey, those in use); `created` (the text of the new key, or None).
    """
    user = request.user
    assert isinstance(user, User)
    created = None
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _, created = create_key(user, form.cleaned_data["name"])
            form = KeyForm()
        except SiteError as error:
            form.add_error(None, str(error))
    context = {"form": form, "keys": user.api_keys.filter(revoked_at=None), "created": created}
    return render(request, "accounts/api_keys.html", context)


@login_required
@require_POST
def revoke_api_key(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    """Ends one of the person's keys; somebody else's is left alone."""
    user = request.user
    assert isinstance(user, User)
    if revoke_key(user, key_id):
        messages.success(request, "The key was revoked. Programs that use it are signed out.")
    return redirect("api-keys")
