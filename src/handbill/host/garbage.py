"""When a process looks for objects that only hold each other: all else stands still meanwhile."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 50_000  # objects


@contextmanager
def undisturbed() -> Iterator[None]:
    """For imports: they make a great many objects that all stay, and looking through them again
    and again takes a seventh of the time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def spare_what_stays() -> None:
    """To be called when a door opens: what lives from here on to the end need not be looked at by
    every collection (it takes a tenth of a second), and one wave of requests is no reason for one.
    At the end of the process it is: what is left then, libraries complain of in the log.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)
    gc.set_threshold(_YOUNG)
