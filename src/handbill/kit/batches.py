"""Batches of a stated size, so that long input is never processed all at once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def batches(some: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The items in order, so many at a time; the last batch may be shorter, and none is empty."""
    every = iter(some)
    while batch := list(islice(every, size)):
        yield batch
