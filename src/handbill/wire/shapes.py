"""Shapes: what a body or a query may look like, read with all faults gathered.

One declaration serves three ends: it reads what came (lenient in), names every fault by JSON
pointer, and describes itself as JSON Schema for the OpenAPI document.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from handbill.kit.faults import Fault
from handbill.kit.instants import Instant, instant_of
from handbill.kit.money import NotMoney, micros_of, number_of
from handbill.kit.zones import NotZone, zone_of

Schema = dict[str, Any]
NOT_GIVEN: Any = object()
Faults = list[Fault]
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Shape:
    """One kind of value. ``read`` returns the value in our own form; on a fault the return value
    means nothing, for faults stop the request.
    """

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        raise NotImplementedError

    def read_text(self, text: str, at: str, faults: Faults) -> Any:
        """Read the same from a query string."""
        return self.read(text, at, faults)

    def schema(self) -> Schema:
        raise NotImplementedError


@dataclass(frozen=True)
class Text(Shape):
    least: int = 0
    most: int = 1_000
    pattern: str | None = None
    says: str = ""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, str):
            faults.append(Fault(at, "must be a string"))
        elif not self.least <= len(value.strip()) or len(value) > self.most:
            faults.append(Fault(at, f"must have {self.least} to {self.most} characters"))
        elif "\x00" in value:
            faults.append(Fault(at, "must not contain NUL"))
        elif self.pattern and not re.fullmatch(self.pattern, value):
            faults.append(Fault(at, self.says or f"must match {self.pattern}"))
        return value

    def schema(self) -> Schema:
        found: Schema = {"type": "string", "maxLength": self.most}
        if self.least:
            found["minLength"] = self.least
        if self.pattern:
            found["pattern"] = f"^{self.pattern}$"
        return found


@dataclass(frozen=True)
class TextOrNumber(Shape):
    """Zip codes: a string or an integer, kept as given (contract 3)."""

    most: int = 32

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int):
            faults.append(Fault(at, "must be a string or an integer"))
        elif len(str(value)) > self.most:
            faults.append(Fault(at, f"must have at most {self.most} characters"))
        return value

    def schema(self) -> Schema:
        return {"type": ["string", "integer"], "maxLength": self.most}


@dataclass(frozen=True)
class Integer(Shape):
    least: int = 0
    most: int = 2**53

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, Decimal) and value == int(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            faults.append(Fault(at, "must be an integer"))
        elif not self.least <= value <= self.most:
            faults.append(Fault(at, f"must be between {self.least} and {self.most}"))
        return value

    def read_text(self, text: str, at: str, faults: Faults) -> Any:
        if not _INTEGER.fullmatch(text):
            faults.append(Fault(at, "must be an integer"))
            return None
        return self.read(int(text), at, faults)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Money(Shape):
    """A JSON number of at most 6 decimals, read as micros."""

    least_micros: int = 0

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            faults.append(Fault(at, "must be a number"))
            return 0
        try:
            micros = micros_of(value)
        except NotMoney as bad:
            faults.append(Fault(at, str(bad)))
            return 0
        if micros < self.least_micros:
            faults.append(Fault(at, f"must be at least {number_of(self.least_micros)}"))
        return micros

    def schema(self) -> Schema:
        least = number_of(self.least_micros)
        return {"type": "number", "minimum": least, "maximum": 10**12}


@dataclass(frozen=True)
class Percent(Shape):
    """A percentage of at most 4 decimals, read as parts per million: 80 is 800,000."""

    most: int = 100

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            faults.append(Fault(at, "must be a number"))
            return 0
        if not 0 <= value <= self.most:
            faults.append(Fault(at, f"must be between 0 and {self.most}"))
            return 0
        ppm = Decimal(value) * 10_000
        if ppm != int(ppm):
            faults.append(Fault(at, "must have at most 4 decimals"))
        return int(ppm)

    def schema(self) -> Schema:
        return {"type": "number", "minimum": 0, "maximum": self.most}


@dataclass(frozen=True)
class Flag(Shape):
    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, bool):
            faults.append(Fault(at, "must be true or false"))
        return value

    def read_text(self, text: str, at: str, faults: Faults) -> Any:
        if text.lower() not in {"true", "false"}:
            faults.append(Fault(at, "must be true or false"))
        return text.lower() == "true"

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Choice(Shape):
    """One of a few words, in any case; read in the case that is documented."""

    words: tuple[str, ...]

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, str):
            for word in self.words:
                if word.casefold() == value.casefold():
                    return word
        faults.append(Fault(at, "must be one of " + ", ".join(self.words)))
        return self.words[0]

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.words)}


def read_day(text: str) -> str | None:
    """mm/dd/yyyy, or dd/mm/yyyy where mm/dd is impossible, or ISO; as ISO text, None if neither."""
    found = _SLASHED.fullmatch(text.strip())
    try:
        if found:
            first, second, year = (int(part) for part in found.groups())
            month, day = (second, first) if first > 12 else (first, second)
            return datetime(year, month, day, tzinfo=UTC).date().isoformat()
        head = text.strip()[:10]
        if _ISO_DAY.fullmatch(head):
            datetime.fromisoformat(text.strip())
            return head
    except ValueError:
        return None
    return None


def spell_day(iso: str) -> str:
    """An ISO day as the contract writes it: mm/dd/yyyy; nothing stays nothing."""
    return f"{iso[5:7]}/{iso[8:10]}/{iso[:4]}" if iso else ""


@dataclass(frozen=True)
class Day(Shape):
    """A calendar day, read as ISO text (contract 3, dates)."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        day = read_day(value) if isinstance(value, str) and len(value) <= 40 else None
        if day is None:
            faults.append(Fault(at, "must be a date as mm/dd/yyyy"))
        return day or ""

    def schema(self) -> Schema:
        return {
            "type": "string",
            "maxLength": 40,
            "description": "mm/dd/yyyy; ISO 8601 is read too",
        }


@dataclass(frozen=True)
class Moment(Shape):
    """An ISO-8601 instant (a day alone is its first moment in UTC), read as micros."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        try:
            if not isinstance(value, str) or len(value) > 40:
                raise ValueError
            moment = datetime.fromisoformat(value.strip())
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return self._kept(instant_of(moment))
        except (ValueError, OverflowError):
            faults.append(Fault(at, "must be an ISO-8601 date and time"))
            return 0

    @staticmethod
    def _kept(at: Instant) -> Instant:
        return at // 1000 * 1000

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": 40}


@dataclass(frozen=True)
class Zone(Shape):
    def read(self, value: Any, at: str, faults: Faults) -> Any:
        try:
            if not isinstance(value, str):
                raise NotZone("must be a string")
            zone_of(value)
        except NotZone as bad:
            faults.append(Fault(at, str(bad)))
        return value

    def schema(self) -> Schema:
        return {"type": "string", "description": "UTC±H:mm, UTC±HH:mm or an IANA name"}


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
        items = [self.shape.read(item, f"{at}/{n}", faults) for n, item in enumerate(value)]
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
    """A key of an object. ``aliases`` are read too; only the first name is ever written.

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
        return self._finished(self._keys(value, at, faults, text=False), at, faults)

    def read_query(self, pairs: Sequence[tuple[str, str]], faults: Faults) -> dict[str, Any]:
        """Read a query string's pairs. **Refuses** a known name that comes twice."""
        given: dict[str, str] = {}
        for name, text in pairs:
            if name in given and name in self.fields:
                faults.append(Fault(f"/{name}", "is there twice"))
            given[name] = text
        found: dict[str, Any] = self._finished(self._keys(given, "", faults, text=True), "", faults)
        return found

    def _keys(
        self, value: Mapping[str, Any], at: str, faults: Faults, *, text: bool
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, known in self.fields.items():
            spelled = next((n for n in (name, *known.aliases) if n in value), None)
            given = None if spelled is None else value[spelled]
            here = f"{at}/{pointed(spelled or name)}"
            if given is None:
                if known.required:
                    faults.append(Fault(here, "is required"))
                elif spelled is not None:
                    found[name] = None
            elif text:
                found[name] = known.shape.read_text(given, here, faults)
            else:
                found[name] = known.shape.read(given, here, faults)
        return found

    def _finished(self, found: dict[str, Any], at: str, faults: Faults) -> Any:
        before = len(faults)
        if self.check is not None and not any(f.field.startswith(f"{at}/") for f in faults):
            self.check(found, at, faults)
        sound = len(faults) == before and not any(f.field.startswith(f"{at}/") for f in faults)
        return self.make(found) if self.make is not None and sound else found

    def schema(self) -> Schema:
        properties = {}
        for name, known in self.fields.items():
            described = dict(known.shape.schema())
            if known.about:
                described["description"] = known.about
            properties[name] = described
        found: Schema = {"type": "object", "properties": properties}
        required = [name for name, known in self.fields.items() if known.required]
        if required:
            found["required"] = required
        return found


def pointed(name: str) -> str:
    """A key as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
