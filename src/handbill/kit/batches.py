"""Much at a time, but never all: what is long is gone through in batches of a stated size."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def batches(some: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The same in order, so many at a time; the last batch may be shorter, and none is empty."""
    every = iter(some)
    while batch := list(islice(every, size)):
        yield batch
