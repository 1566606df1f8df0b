"""Imported first by a process that others are forked from. What is imported later stays for good,
so the garbage collector skips it. Each forked process calls ``forked`` when it starts.
"""

import gc
import signal

from handbill.host.logs import log_json_lines

_ENDS = {signal.SIGTERM, signal.SIGINT}
"""All processes of a service, or of a terminal, may be asked to end at once. This one goes on: it
ends with the last of those for which it forks, who end in order.
"""

gc.disable()
log_json_lines("forks")  # a child logs so too until it has its own name: it may fail before that
signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)


def forked() -> None:
    """Collect garbage from now on, but not what was there before the fork: that stays shared.

    Signals that ask for the end are no longer held back; one that came since the fork acts now.
    """
    gc.freeze()
    gc.enable()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)
