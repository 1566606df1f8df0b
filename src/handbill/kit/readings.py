"""Results of reading texts, kept where the same texts come again and again."""

from collections.abc import Callable
from typing import Any

_MOST = 20_000


class Readings(dict[Any, Any]):
    """Results by text, read at their first use; when there are too many, it begins anew."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: Any) -> Any:
        if len(self) >= _MOST:
            self.clear()
        value = self[text] = self._read(text)
        return value
