"""Imported first by a process that others are forked from. What is imported later stays for good,
so the garbage collector skips it. Each forked process calls ``forked`` when it starts.
"""

import gc
import signal

_ENDS = {signal.SIGTERM}
"""Asked to end, as all processes of a service may be at once, it goes on: it ends with the last of
those for which it forks, who end in order.
"""

gc.disable()
signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)


def forked() -> None:
    """Collect garbage from now on, but not what was there before the fork: that stays shared. Be
    asked to end, from now on or since the fork.
    """
    gc.freeze()
    gc.enable()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)
