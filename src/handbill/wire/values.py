"""Single values of a body or a query: each reads itself, names its faults, describes itself."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from handbill.kit.faults import Fault
from handbill.kit.money import NotMoney, micros_of, number_of
from handbill.kit.zones import NotZone, zone_of

Schema = dict[str, Any]
NOT_GIVEN: Any = object()
Faults = list[Fault]
MOST_FAULTS = 1_000
"""So many are told; with as many in sight nothing more is read of a list."""
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Shape:
    """One kind of value. ``read`` returns the value in our own form; on a fault the return value
    means nothing, for faults stop the request.
    """

    blank_is_null: ClassVar[bool] = False
    """Whether empty text says what null says, on an optional key."""

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
            return date(year, month, day).isoformat()
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

    blank_is_null: ClassVar[bool] = True  # so is a day written that is none: it can be sent back

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
