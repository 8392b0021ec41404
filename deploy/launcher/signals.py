"""Signals that ask us to stop, and what those that we start make of them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from deploy.launcher.errors import Interruption
from runtime.parent import end_with_parent

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raises Interruption in the body at the first signal. Later ones are swallowed: the clean-up is under way."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        # A function, not SIG_IGN: what we start to clean up would inherit that.
        for each in before:
            signal.signal(each, lambda *_: None)
        raise Interruption(number)

    # What nohup ignores stays ignored.
    before = {each: signal.getsignal(each) for each in STOPPING if signal.getsignal(each) is not signal.SIG_IGN}
    for each in before:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def end_with_parent_or_interrupt() -> None:
    """As `end_with_parent`, and SIGINT works in it even where a shell's `&` or nohup had it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent()
