"""When a process collects garbage (cycles of objects): everything else stands still meanwhile."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 50_000  # objects


@contextmanager
def undisturbed() -> Iterator[None]:
    """For imports and batches: they create very many objects that all stay, or that all go without
    being collected. Checking them again and again takes a tenth of the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def spare_what_stays() -> None:
    """Call it when a door opens: the objects that exist now stay, and need not be checked by every
    collection (it takes a tenth of a second), nor should one wave of requests cause one. At the end
    of the process they are checked: libraries log what is left then.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)
    gc.set_threshold(_YOUNG)
