"""Types of rows: each reads input, writes output, and describes both (contract 3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticKnownError
from pydantic_core.core_schema import (
    CoreSchema,
    chain_schema,
    int_schema,
    no_info_plain_validator_function,
    none_schema,
    str_schema,
    union_schema,
)

from handbill.kit.faults import Fault
from handbill.kit.instants import iso_of
from handbill.kit.money import micros_of, number_of
from handbill.kit.urls import MOST_URL, canonical_url
from handbill.kit.zones import NotZone, zone_of
from handbill.wire.models import Model, Nullable
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.values import Schema, read_day, spell_day
from handbill.wire.wrong import SAID, WrongBeside

_T = TypeVar("_T")
_MOST_ITEMS = 1_000


def whole_in(value: Any) -> Any:
    """JSON has no integers: 2.0 is one."""
    return int(value) if isinstance(value, Decimal) and value == int(value) else value


def number_in(value: Any) -> int | Decimal:
    """A JSON number. **Refuses** anything else (ValueError)."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - a fault of the caller's
    return value


def _in_capitals(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) and value.isascii() else value


InCapitals = BeforeValidator(_in_capitals)
"""A code, such as a currency's, is read in any case, and kept in capitals."""


def _day(value: Any) -> str:
    day = read_day(value) if isinstance(value, str) and len(value) <= 40 else None
    if day is None and value != "":
        raise ValueError("must be a date as mm/dd/yyyy")
    return day or ""


@dataclass(frozen=True, eq=False)
class Matching:
    """Text of a certain form; ``says`` is the fault if it has another."""

    pattern: str
    says: str
    least: int = 1
    most: int = 200
    also: Mapping[str, Any] = field(default_factory=dict)
    """More keywords of its schema."""

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> Any:
        within = StringConstraints(min_length=self.least, max_length=self.most)
        schema: Schema = {"type": "string", "minLength": self.least, "maxLength": self.most}
        schema |= {"pattern": f"^(?:{self.pattern})$", **self.also}
        return handler.generate_schema(
            Annotated[
                of,
                within,
                AfterValidator(self._matching),
                WithJsonSchema(schema, "validation"),
                WithJsonSchema({"type": "string"}, "serialization"),
            ]
        )

    def _matching(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(self.says)
        if self.least and not text.strip():
            raise ValueError("must not be blank")
        return text


_NO_PLACE = re.compile(r"localtime|posixrules|Factory|(?:posix|right)/.*")
"""What systems keep beside the zones: the machine's own zone, and zones with leap seconds."""


def _zone(name: str) -> str:
    zone_of(name)
    if _NO_PLACE.fullmatch(name):
        raise NotZone("must be UTC±H:mm or an IANA name")
    return name


Text = Annotated[str, StringConstraints(max_length=1_000)]
Name = Annotated[str, StringConstraints(max_length=200)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NOT_BLANK)]
"""Text that is not blank."""


def digits_in(value: Any) -> Any:
    """A whole number as its digits; anything else as it is."""
    whole = whole_in(value)
    return str(whole) if type(whole) is int else value


DIGITS = BeforeValidator(digits_in)
"""Before a type of text: a whole number is read as its digits."""

Reference = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1_000, pattern=NOT_BLANK),
    DIGITS,
    WithJsonSchema(
        {"type": ["string", "integer"], "minLength": 1, "maxLength": 1_000, "pattern": NOT_BLANK}
    ),
]
"""A job's reference number; an integer is read as its digits."""

Zone = Annotated[
    str,
    AfterValidator(_zone),
    WithJsonSchema({"type": "string", "description": "UTC±H:mm, UTC±HH:mm or an IANA name"}),
]
"""A time zone, by its name."""

Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A free key of an object."""

Url = Annotated[
    str,
    AfterValidator(canonical_url),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MOST_URL}),
]
"""An http or https address; stored in its canonical spelling."""

Money = Annotated[
    int,
    PlainValidator(lambda value: micros_of(number_in(value))),
    PlainSerializer(number_of),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 10**12}),
]
"""A JSON number of at most 6 decimals, as micros."""

Day = Annotated[
    str,
    PlainValidator(_day),
    PlainSerializer(spell_day),
    WithJsonSchema(
        {"type": "string", "maxLength": 40, "description": "mm/dd/yyyy; ISO 8601 is read too"},
        "validation",
    ),
    WithJsonSchema({"type": "string", "pattern": r"^(\d\d/\d\d/\d{4})?$"}, "serialization"),
]
"""A calendar day, as ISO text; empty: none."""


def _said(day: str) -> str:
    if not day:
        raise ValueError("is required")
    return day


SaidDay = Annotated[Day, AfterValidator(_said)]
"""A calendar day that may not be empty."""

Instant = Annotated[
    int,
    PlainSerializer(iso_of),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}),
]
"""In answers only: micros since 1970, as ISO 8601 in UTC."""


@dataclass(frozen=True)
class TextOrDigits(Nullable):
    """Text, or a whole number that is read as its digits; null is empty."""

    most: int

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        plain = no_info_plain_validator_function
        digits = chain_schema([plain(whole_in), int_schema(strict=True), plain(str)])
        empty = chain_schema([none_schema(), plain(lambda _: "")])
        read = union_schema(
            [str_schema(strict=True), digits, empty],
            mode="left_to_right",
            custom_error_type=SAID,
            custom_error_message="must be a string or an integer",
        )
        return chain_schema([read, str_schema(max_length=self.most)])

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> Schema:
        return {"type": ["string", "integer"], "maxLength": self.most}


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds."""

    least: int = 0
    most: int = 2**53

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> Any:
        within = Field(ge=self.least, le=self.most)
        return handler.generate_schema(Annotated[of, within, BeforeValidator(whole_in)])


@dataclass(frozen=True)
class Filled:
    """Text that is not blank."""

    most: int = 200

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> Any:
        within = StringConstraints(min_length=1, max_length=self.most, pattern=NOT_BLANK)
        return handler.generate_schema(Annotated[of, within])


@dataclass(frozen=True)
class Percent:
    """A percentage of at most 4 decimals, as parts per million: 80 is 800,000."""

    most: int = 100

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> Any:
        return handler.generate_schema(
            Annotated[
                int,
                PlainValidator(self._ppm),
                PlainSerializer(_number_of_ppm),
                WithJsonSchema({"type": "number", "minimum": 0, "maximum": self.most}),
            ]
        )

    def _ppm(self, value: Any) -> int:
        number = number_in(value)
        if not 0 <= number <= self.most:
            raise ValueError(f"must be between 0 and {self.most}")
        ppm = Decimal(number) * 10_000
        if ppm != int(ppm):
            raise ValueError("must have at most 4 decimals")
        return int(ppm)


def _number_of_ppm(ppm: int) -> Decimal | int:
    return number_of(ppm * 100)


def _distinct(items: list[_T]) -> list[_T]:
    seen: set[str] = set()
    faults = []
    for n, item in enumerate(items):
        text = repr(vars(item) if isinstance(item, Model) else item)
        if text in seen:
            faults.append(Fault(f"/{n}", "is given twice"))
        seen.add(text)
    if faults:
        raise WrongBeside(*faults)
    return items


def _few(items: Any) -> Any:
    """Of an array of more than 1,000 items only that is told. A field's own limit, where it is
    smaller, is told when no item has a fault.
    """
    if isinstance(items, list) and len(items) > _MOST_ITEMS:
        context = {"field_type": "List", "max_length": _MOST_ITEMS, "actual_length": len(items)}
        raise PydanticKnownError("too_long", context)
    return items


Distinct = Annotated[
    list[_T],
    BeforeValidator(_few),
    AfterValidator(_distinct),
    Field(json_schema_extra={"uniqueItems": True}),
]
"""An array of at most 1,000 items in which nothing is given twice."""
