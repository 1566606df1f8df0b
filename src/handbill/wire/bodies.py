"""Bodies that are arrays, or may be."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from handbill.kit.faults import Fault
from handbill.wire.models import Model
from handbill.wire.schemas import Plain
from handbill.wire.values import MOST_FAULTS, Faults, Schema
from handbill.wire.wrong import found_in

_M = TypeVar("_M", bound=Model)


class ReadItems(NamedTuple):
    """The contents of one object, or of an array of them. ``many``: it was an array."""

    many: bool
    items: list[Any]


@dataclass(frozen=True)
class OneOrMany:
    """One object, or an array of at least one. A valid body is read at once; an invalid one item by
    item, until there are enough faults.
    """

    one: type[Model]
    most: int = 1_000

    def read(self, value: Any, at: str, faults: Faults) -> ReadItems:
        if not isinstance(value, list):
            return ReadItems(many=False, items=[self.one.read(value, at, faults)])
        if not 1 <= len(value) <= self.most:
            faults.append(Fault(at, f"must have 1 to {self.most} items"))
            return ReadItems(many=True, items=[])
        with suppress(ValidationError):
            return ReadItems(many=True, items=every(self.one).validate_python(value))
        items = []
        for n, item in enumerate(value):
            if len(faults) >= MOST_FAULTS:
                break
            items.append(self.one.read(item, f"{at}/{n}", faults))
        return ReadItems(many=True, items=items)

    def schema(self, of_one: Schema) -> Schema:
        many = {"type": "array", "items": of_one, "minItems": 1, "maxItems": self.most}
        return {"oneOf": [of_one, many]}


class Array:
    """A body that is an array of single values, read as a list of this type."""

    def __init__(self, of: Any) -> None:
        self._list: TypeAdapter[list[Any]] = TypeAdapter(of, config=ConfigDict(strict=True))

    def read(self, value: Any, at: str, faults: Faults) -> list[Any]:
        try:
            return self._list.validate_python(value)
        except ValidationError as failed:
            faults.extend(found_in(failed.errors(include_url=False), at))
            return []

    def schema(self) -> Schema:
        return self._list.json_schema(schema_generator=Plain)


@dataclass(frozen=True)
class ListOf:
    """An answer that is an array of one model."""

    one: type[Model]


@cache
def every(of: type[_M]) -> TypeAdapter[list[_M]]:
    return TypeAdapter(list[of])  # type: ignore[valid-type] # known once it runs
