"""Inputs of twice the size must cost no more than 2.3 times the CPU, however they are made.

What is compared is CPU of this process, not time on a clock, so that a busy machine does not
matter; and the least of several turns, so that what else may happen in one turn does not either:
on a machine that shares its caches the least shows only after many. Below the floor nothing
has grown.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable

MOST_GROWTH = 2.3
_FLOOR = 0.02
_TURNS = 120

Work = Callable[[], object]


def cpu_of(work: Work) -> float:
    gc.disable()
    try:
        began = time.process_time()
        work()
        return time.process_time() - began
    finally:
        gc.enable()


def grows_by_its_size(work_of: Callable[[int], Work], size: int) -> None:
    """Fails where ``work_of(2 * size)`` costs more than 2.3 times what ``work_of(size)`` does."""
    once = twice = float("inf")
    for _ in range(_TURNS):
        twice = min(twice, cpu_of(work_of(2 * size)))
        if twice <= _FLOOR * MOST_GROWTH:
            return
        once = min(once, cpu_of(work_of(size)))
        if twice <= max(once, _FLOOR) * MOST_GROWTH:
            return
    raise AssertionError(f"CPU {once * 1000:,.1f} ms → {twice * 1000:,.1f} ms")


def most_held(work: Work) -> int:
    """The most bytes that were held at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
