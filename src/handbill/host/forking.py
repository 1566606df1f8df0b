"""Imported first by a process that others are forked from. What is imported later stays for good,
so the garbage collector skips it. Each forked process calls ``forked`` when it starts.
"""

import gc

gc.disable()


def forked() -> None:
    """Collect garbage from now on, but not what was there before the fork: that stays shared."""
    gc.freeze()
    gc.enable()
