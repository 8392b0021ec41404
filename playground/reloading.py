"""A page whose script or style sheet did not come loads once more, by itself.

Browsers give up what they are loading when the network of their host changes, and it does whenever a machine gets a
bridge: everybody who runs the site on their own computer would meet pages that stay at "Opening the session…".
The script is inline, since a file could fail to come as well; the content policy allows exactly this one.
"""

import base64
import hashlib

from django.http import HttpRequest
from django.utils.safestring import SafeString

SCRIPT = SafeString(
    """(() => {
  const KEY = "reloads", MOST = 3, FORGET_MS = 60000, FIRST_MS = 500;
  addEventListener("error", ({target}) => {
    const counts = target instanceof HTMLScriptElement
      || (target instanceof HTMLLinkElement && target.rel === "stylesheet");
    if (!counts || document.readyState === "complete") return;
    try {
      const past = JSON.parse(sessionStorage.getItem(KEY) || "[]").filter((at) => Date.now() - at < FORGET_MS);
      if (past.length >= MOST) return;
      sessionStorage.setItem(KEY, JSON.stringify([...past, Date.now()]));
      setTimeout(() => location.reload(), FIRST_MS * 2 ** past.length);
    } catch {
      // Without a memory it could go on for ever.
    }
  }, true);
})();"""
)
"""At most three times within a minute, at growing distances, and never a page that is there: it may hold a terminal."""

HASH = "'sha256-" + base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode() + "'"
"""As a source of `script-src`."""


def reloading(_request: HttpRequest) -> dict[str, object]:
    """Context processor: `reload_script`, for the head of each page, before anything that may fail to come."""
    return {"reload_script": SCRIPT}
