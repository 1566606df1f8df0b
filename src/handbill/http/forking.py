"""Imported first by the process that deputies are forked from. What is imported later stays for
good, so the garbage collector skips it. Each deputy enables the collector again when it starts.
"""

import gc

gc.disable()
