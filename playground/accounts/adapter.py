"""What allauth asks the site."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-up is open or closed by PLAYGROUND_SIGNUP; a new password leads to the catalogue."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """PLAYGROUND_SIGNUP."""
        return bool(settings.PLAYGROUND_SIGNUP == "open")

    def get_password_change_redirect_url(self, _request: HttpRequest) -> str:
        """Where a person goes after choosing a password."""
        return "/"
