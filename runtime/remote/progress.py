"""Where a client stands, however its connections come and go: every byte once, in order, both ways. Without any I/O."""

from runtime.errors import ProtocolViolation
from runtime.terminal.frames import MAX_DATA

INPUT_WINDOW = 128 << 10
"""Bytes of input that may be on their way: Ctrl-C behind a paste waits for no more than this."""
ACKNOWLEDGE_EVERY = 64 << 10


class OutputProgress:
    """`received` came, `processed` was used; the site hears of the second."""

    def __init__(self, offset: int | None = None) -> None:
        self.received = offset
        """Offset of the next byte; None: wherever the site begins."""
        self.processed = offset or 0
        self._acknowledged = 0

    def begin(self, offset: int) -> None:
        """A connection was greeted, on which output goes on at `offset`, perhaps after a gap."""
        if self.received is None:
            self.received = self.processed = offset
        self._acknowledged = self.processed

    def take(self, offset: int, size: int) -> None:
        """Raises ProtocolViolation unless it follows."""
        if offset != self.received:
            raise ProtocolViolation(f"output at {offset} where {self.received} follows")
        self.received = offset + size

    def skip(self, begin: int, end: int) -> None:
        """A gap."""
        if begin != self.received or end <= begin:
            raise ProtocolViolation(f"a gap at {begin} where {self.received} follows")
        self.received = end

    def forget(self) -> None:
        """What came and was not used will come again."""
        self.received = self.processed

    def process(self, offset: int) -> int | None:
        """Everything before `offset` was used. What to acknowledge now, if anything."""
        self.processed = max(self.processed, offset)
        owed = self.processed - self._acknowledged
        if owed <= 0 or (self.processed != self.received and owed < ACKNOWLEDGE_EVERY):
            return None
        self._acknowledged = self.processed
        return self.processed


class InputProgress:
    """What was typed, kept until the site has accepted it."""

    def __init__(self) -> None:
        self.accepted = 0
        """So many bytes have arrived in the machine."""
        self.sent = 0
        self.repeated = 0
        """Bytes that were sent again after a cut."""
        self._kept = bytearray()

    @property
    def typed(self) -> int:
        """Bytes, from the first one on."""
        return self.accepted + len(self._kept)

    def type(self, data: bytes) -> None:
        self._kept += data

    def next(self) -> tuple[int, bytes] | None:
        """The next piece to send with its offset; None while there is none, or no room on the way."""
        end = min(self.typed, self.sent + MAX_DATA, self.accepted + INPUT_WINDOW)
        if end <= self.sent:
            return None
        offset, self.sent = self.sent, end
        return offset, bytes(self._kept[offset - self.accepted : end - self.accepted])

    def accept(self, offset: int) -> None:
        """The site has everything before `offset`. Raises ProtocolViolation when that can't be."""
        if not self.accepted <= offset <= self.sent:
            raise ProtocolViolation(f"{offset} bytes of input accepted, of {self.accepted} to {self.sent}")
        del self._kept[: offset - self.accepted]
        self.accepted = offset

    def rewind(self, offset: int) -> None:
        """A new connection, on which the site has everything before `offset`: the rest goes out again."""
        self.accept(offset)
        self.repeated += self.sent - offset
        self.sent = offset
