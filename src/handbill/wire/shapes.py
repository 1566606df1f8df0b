"""Shapes: what a body or a query may look like, read with all faults gathered.

One declaration serves three ends: it reads what came (lenient in), names every fault by JSON
pointer, and describes itself as JSON Schema for the OpenAPI document.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from handbill.kit.faults import Fault, pointed
from handbill.wire.values import (
    MOST_FAULTS,
    NOT_GIVEN,
    Choice,
    Day,
    Faults,
    Flag,
    Integer,
    Money,
    Percent,
    Schema,
    Shape,
    Text,
    TextOrNumber,
    Zone,
    read_day,
    spell_day,
)

__all__ = [
    "NOT_GIVEN",
    "Choice",
    "Day",
    "Faults",
    "Field",
    "Flag",
    "Free",
    "Integer",
    "ListOf",
    "MapOf",
    "Money",
    "Nullable",
    "Object",
    "OneOrMany",
    "Percent",
    "Schema",
    "Shape",
    "Text",
    "TextOrNumber",
    "Zone",
    "pointed",
    "read_day",
    "spell_day",
]


@dataclass(frozen=True)
class ListOf(Shape):
    shape: Shape
    least: int = 0
    most: int = 1_000
    unique: bool = False

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, list):
            faults.append(Fault(at, "must be an array"))
            return []
        if not self.least <= len(value) <= self.most:
            faults.append(Fault(at, f"must have {self.least} to {self.most} items"))
            return []
        items = []
        for n, item in enumerate(value):
            if len(faults) >= MOST_FAULTS:
                break
            items.append(self.shape.read(item, f"{at}/{n}", faults))
        if self.unique:
            seen: set[str] = set()
            for n, item in enumerate(items):
                if repr(item) in seen:
                    faults.append(Fault(f"{at}/{n}", "is there twice"))
                seen.add(repr(item))
        return items

    def schema(self) -> Schema:
        found: Schema = {"type": "array", "items": self.shape.schema(), "maxItems": self.most}
        if self.least:
            found["minItems"] = self.least
        if self.unique:
            found["uniqueItems"] = True
        return found


@dataclass(frozen=True)
class MapOf(Shape):
    """An object with free keys."""

    shape: Shape
    most: int = 200
    key: str = r"[^\x00]{1,200}"

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, dict):
            faults.append(Fault(at, "must be an object"))
            return {}
        if len(value) > self.most:
            faults.append(Fault(at, f"must have at most {self.most} keys"))
            return {}
        found = {}
        for name, item in value.items():
            if len(faults) >= MOST_FAULTS:
                break
            here = f"{at}/{pointed(name)}"
            if not re.fullmatch(self.key, name):
                faults.append(Fault(here, "is not a name that can be used here"))
            found[name] = self.shape.read(item, here, faults)
        return found

    def schema(self) -> Schema:
        return {
            "type": "object",
            "additionalProperties": self.shape.schema(),
            "maxProperties": self.most,
        }


@dataclass(frozen=True)
class Free(Shape):
    """Any JSON value that can be kept: opaque to us."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:  # noqa: ARG002
        return value

    def schema(self) -> Schema:
        return {}


@dataclass(frozen=True)
class Nullable(Shape):
    shape: Shape

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        return None if value is None else self.shape.read(value, at, faults)

    def schema(self) -> Schema:
        return {"anyOf": [self.shape.schema(), {"type": "null"}]}


@dataclass(frozen=True)
class OneOrMany(Shape):
    """One object, or an array of them; read as a list."""

    shape: Shape
    most: int = 1_000

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, list):
            return ListOf(self.shape, 1, self.most).read(value, at, faults)
        return [self.shape.read(value, at, faults)]

    def schema(self) -> Schema:
        return {"oneOf": [self.shape.schema(), ListOf(self.shape, 1, self.most).schema()]}


@dataclass(frozen=True)
class Field:
    """A key of an object. ``aliases`` are read too, where the name itself is absent; only the name
    is ever written. A spelling that does not count must be sound all the same.

    ``null`` on an optional key is read as None: it clears (updates) or counts as absent (creates).
    """

    shape: Shape
    about: str = ""
    required: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Object(Shape):
    """Known keys; unknown ones are ignored, never bound. Absent keys stay absent.

    ``check`` adds faults that need more than one key; ``make`` turns the sound result into a noun.
    """

    fields: Mapping[str, Field] = field(default_factory=dict)
    check: Callable[[dict[str, Any], str, Faults], None] | None = None
    make: Callable[[dict[str, Any]], Any] | None = None

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, dict):
            faults.append(Fault(at, "must be an object"))
            return {}
        # Of an object within others, all faults so far are of others.
        since = len(faults) if at else 0
        return self._finished(self._keys(value, at, faults, text=False), at, faults, since)

    def read_query(self, pairs: Sequence[tuple[str, str]], faults: Faults) -> dict[str, Any]:
        """Read a query string's pairs. **Refuses** a known name that comes twice."""
        given: dict[str, str] = {}
        for name, text in pairs:
            if name in given and name in self.fields:
                faults.append(Fault(f"/{name}", "is there twice"))
            given[name] = text
        found: dict[str, Any] = self._finished(
            self._keys(given, "", faults, text=True), "", faults, 0
        )
        return found

    def _keys(
        self, value: Mapping[str, Any], at: str, faults: Faults, *, text: bool
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, known in self.fields.items():
            spellings = [n for n in (name, *known.aliases) if n in value]
            for spelled in reversed(spellings):  # the first one counts
                here = f"{at}/{pointed(spelled)}"
                given = value[spelled]
                if given is None or (given == "" and known.shape.blank_is_null):
                    found[name] = None
                    if known.required:
                        faults.append(Fault(here, "is required"))
                elif text:
                    found[name] = known.shape.read_text(given, here, faults)
                else:
                    found[name] = known.shape.read(given, here, faults)
            if known.required and not spellings:
                faults.append(Fault(f"{at}/{pointed(name)}", "is required"))
        return found

    def _finished(self, found: dict[str, Any], at: str, faults: Faults, since: int) -> Any:
        """``since``: where the faults begin that can be of this object."""
        sound = not any(f.field.startswith(f"{at}/") for f in islice(faults, since, None))
        before = len(faults)
        if self.check is not None and sound:
            self.check(found, at, faults)
        sound = sound and len(faults) == before
        return self.make(found) if self.make is not None and sound else found

    def schema(self) -> Schema:
        properties = {}
        for name, known in self.fields.items():
            described = dict(known.shape.schema())
            if known.about:
                described["description"] = known.about
            if known.aliases:
                also = f" Also read as {', '.join(known.aliases)}."
                described["description"] = described.get("description", "") + also
            properties[name] = described
        found: Schema = {"type": "object", "properties": properties}
        if required := [name for name, known in self.fields.items() if known.required]:
            found["required"] = required
        return found
