"""Objects of others that we keep and give back without reading them: no amount is among them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from handbill.wire.shapes import Faults, Free, MapOf, Schema, Shape


@dataclass(frozen=True)
class Opaque(Shape):
    """An object that we keep and give back; decimals become plain numbers."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        return _plain(MapOf(Free()).read(value, at, faults))

    def schema(self) -> Schema:
        return MapOf(Free()).schema()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
