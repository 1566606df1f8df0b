"""The headers of a request, as the gates and the operations ask for them."""

from collections.abc import Iterable


class HttpHeaders:
    """Header values by name, in small letters; each name may have several."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """``pairs``: of ASGI, whose names are in small letters."""
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str, default: str = "") -> str:
        """The first value of that name."""
        values = self._values.get(name)
        return values[0] if values else default

    def every(self, name: str) -> list[str]:
        """All values of that name."""
        return self._values.get(name, [])
