"""Why a socket is not to be. The codes are those of the terminals' sockets, for the site's other sockets too."""

from runtime.terminal.closing import CloseCode, short

__all__ = ["CloseCode", "Refused", "short"]


class Refused(Exception):
    """This socket is not to be. `str(error)` is the reason that is sent: a sentence of at most 123 bytes."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
