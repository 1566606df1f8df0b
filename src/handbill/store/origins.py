"""Which segments a process has merged: what it knows of the former ones is true of the new one.

Segments are known by their digests. Whoever merged them elsewhere is not asked: then the new one is
read, like any other.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

_MOST: Final = 256


class Merge(NamedTuple):
    """A segment that has exactly the entries of some former ones."""

    made: bytes
    of: frozenset[bytes]


_merges: deque[Merge] = deque(maxlen=_MOST)


def note(made: bytes, of: Iterable[bytes]) -> None:
    """Remember a merge; of very many, the latest. Threads may share it."""
    _merges.append(Merge(made, frozenset(of)))


def merges() -> tuple[Merge, ...]:
    """Those that are remembered, in their order: a segment may be merged again."""
    return tuple(_merges)
