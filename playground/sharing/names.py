"""What guests say that they are called. It is shown to the owner, who must not be misled by how it looks."""

import unicodedata

from playground.sessions.errors import InvalidRequest
from playground.sharing.limits import LONGEST_NAME

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, what turns the direction of text or is not seen at all, and what is no character."""
_MARKS_IN_A_ROW = 3


def checked_name(text: str) -> str:
    """The name with its spaces tidied. Raises InvalidRequest for what can't be read, or is too long."""
    if len(text) > 10 * LONGEST_NAME:
        raise InvalidRequest(f"A name has at most {LONGEST_NAME} characters.", field="name")
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not any(unicodedata.category(character)[0] in "LN" for character in name):
        raise InvalidRequest("Say what you are called, in letters.", field="name")
    if len(name) > LONGEST_NAME:
        raise InvalidRequest(f"A name has at most {LONGEST_NAME} characters.", field="name")
    if any(unicodedata.category(character) in _UNSEEN for character in name) or _is_towering(name):
        raise InvalidRequest("This name holds characters that can't be in a name.", field="name")
    return name


def _is_towering(name: str) -> bool:
    """Whether marks are piled up on a letter until they cover the lines around."""
    row = 0
    for character in name:
        row = row + 1 if unicodedata.category(character)[0] == "M" else 0
        if row > _MARKS_IN_A_ROW:
            return True
    return False
