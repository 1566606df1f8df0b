"""Limits how many feeds this process fetches at once: of one agency, and from one host."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class FetchTurns:
    """Counts the fetches under way by name. Safe to share between threads."""

    def __init__(self) -> None:
        self._under_way = Counter[str]()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, bounds: Mapping[str, int]) -> Iterator[bool]:
        """Take a place under each name until the block ends; False if one of them has no room."""
        with self._lock:
            has_room = all(self._under_way[name] < most for name, most in bounds.items())
            if has_room:
                self._under_way.update(bounds.keys())
        try:
            yield has_room
        finally:
            if has_room:
                with self._lock:
                    self._under_way.subtract(bounds.keys())
