"""When a process looks for objects that only hold each other: all else stands still meanwhile."""

import atexit
import gc

_YOUNG = 50_000  # objects


def spare_what_stays() -> None:
    """To be called when a door opens: what lives from here on to the end need not be looked at by
    every collection (it takes a tenth of a second), and one wave of requests is no reason for one.
    At the end of the process it is: what is left then, libraries complain of in the log.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)
    gc.set_threshold(_YOUNG)
