"""Results kept by their texts, where the same texts come again and again."""

from collections.abc import Callable
from typing import Any

_MOST_REMEMBERED = 20_000


class Remembered(dict[Any, Any]):
    """Cached results for texts: feeds repeat their dates and bids."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: Any) -> Any:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        value = self[text] = self._read(text)
        return value
