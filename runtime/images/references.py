"""Image references, as OCI writes them. Pure. A reference becomes part of a URL, so nothing else may pass for one."""

import re

from runtime.errors import ImageUnavailable

LONGEST = 255
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?", re.ASCII
)


def is_reference(text: str) -> bool:
    return len(text) <= LONGEST and _REFERENCE.fullmatch(text) is not None


def checked(reference: str) -> str:
    """The reference itself. Raises ImageUnavailable for what is none."""
    if not is_reference(reference):
        raise ImageUnavailable("That is not the name of an image.")
    return reference


def registry_of(reference: str) -> str:
    """The host that a reference names; a first part without a dot, a port or `localhost` is a name on docker.io."""
    first, slash, _ = reference.partition("/")
    return first if slash and (first == "localhost" or "." in first or ":" in first) else "docker.io"
