"""Who acts in this thread, where the transaction itself does not say: a command or a task."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from handbill.core.trail import HOUSE, Occasion

_ACTING: ContextVar[Occasion] = ContextVar("acting", default=HOUSE)


def occasion() -> Occasion:
    """Who acts now; by default the house itself."""
    return _ACTING.get()


@contextmanager
def acting(who: Occasion) -> Iterator[None]:
    """Let this one act until the block ends."""
    former = _ACTING.set(who)
    try:
        yield
    finally:
        _ACTING.reset(former)


def user() -> str:
    """The name of the user that this process runs as, or the number of a user without a name."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
