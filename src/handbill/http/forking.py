"""Imported first by the process that deputies are forked from: what is imported after it stays for
good, so nobody looks through it for what may go. Each deputy looks again from its beginning on.
"""

import gc

gc.disable()
