"""Who may come in, and how: allauth, axes, cookies, mail."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from playground.settings.base import PLAYGROUND_INSTANCE, PLAYGROUND_URL
from playground.settings.environment import env


class SignUp(StrEnum):
    CLOSED = "closed"
    OPEN = "open"


def _sign_up() -> SignUp:
    value = env.str("PLAYGROUND_SIGNUP", default="closed")
    try:
        return SignUp(value)
    except ValueError:
        raise ImproperlyConfigured(f"PLAYGROUND_SIGNUP: {value!r} is none of {', '.join(SignUp)}") from None


# Closed, because an account is a shell on this host: whoever runs a class hands out one-time links or accounts, and
# nobody who merely finds the address gets in.
PLAYGROUND_SIGNUP = _sign_up()


def mail_server() -> dict[str, Any]:
    """EMAIL_URL: smtp+tls://USER:PASSWORD@HOST:587, smtp+ssl://…:465, smtp://HOST; empty: no mail is sent."""
    if not env.str("EMAIL_URL", default=""):
        return {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    try:
        return dict(env.email("EMAIL_URL"))
    except Exception as error:
        # It may hold a password, so neither the value nor the parser's words about it are repeated.
        raise ImproperlyConfigured(f"EMAIL_URL: can't be read ({type(error).__name__})") from None


_MAIL = bool(env.str("EMAIL_URL", default=""))
vars().update(mail_server())

ACCOUNT_ADAPTER = "playground.accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*" if _MAIL else "email", "password1*", "password2*"]
# A mail server proves addresses; without one there is nothing to prove them with.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if _MAIL else "none"
ACCOUNT_PRESERVE_USERNAME_CASING = True
ACCOUNT_SESSION_REMEMBER = True
# A whole class signs in from behind one address.
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "login_failed": "100/m/ip,10/5m/key", "signup": "100/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Container Playground"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# One person's failures lock that person from that address, not the class that shares it.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "login"
AXES_SENSITIVE_PARAMETERS = ["login", "username", "password", "email"]
AXES_VERBOSE = False

# Cookies know no ports: copies beside each other on one host must not overwrite each other's.
SESSION_COOKIE_NAME = f"playground_{PLAYGROUND_INSTANCE}"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PLAYGROUND_URL.startswith("https://")
