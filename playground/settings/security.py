"""What browsers are told, and what is believed of a proxy. DEBUG is off wherever people can reach the site."""

from playground.settings.base import PLAYGROUND_URL

SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_HTTPS = PLAYGROUND_URL.startswith("https://")
# Where people come by HTTPS there is a proxy before us, which sets this header and removes what a browser sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0

SILENCED_SYSTEM_CHECKS = [
    # On http://127.0.0.1 there is no HTTPS; elsewhere the proxy redirects.
    "security.W004",
    "security.W008",
    "security.W012",
]
