"""JSON, strictly in and plainly out.

In: every trap of safety.md section 1 is refused (NotJson), decimals stay decimals.
Out: decimals become numbers; key order is the order of the dict.
"""

import json
from codecs import BOM_UTF8
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

MOST_DEPTH = 32
_MOST_DIGITS = 40


class NotJson(ValueError):
    """The bytes are not JSON that we accept; the message says why, and is fit for an answer."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotJson("has a duplicate key")
    return members


def _integer(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= (number := int(text)) < 2**64:
        raise NotJson("has an integer beyond 64 bits")
    return number


def _decimal(text: str) -> Decimal:
    if len(text) > _MOST_DIGITS:
        raise NotJson("has a number that is too long")
    number = Decimal(text)
    if number.adjusted() > 20 or number.adjusted() < -_MOST_DIGITS:
        raise NotJson("has a number out of range")
    return number


def _constant(text: str) -> NoReturn:
    raise NotJson(f"has {text}, which is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_decimal,
    parse_constant=_constant,
)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _depth_within(value: Any, room: int) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    while level and room:
        room -= 1
        level = [
            item
            for one in level
            for item in (one.values() if isinstance(one, dict) else one)
            if isinstance(item, dict | list)
        ]
    return not level


def decode(raw: bytes) -> Any:
    """Read JSON; numbers with a fraction or exponent become Decimal. A byte order mark before it is
    ignored (RFC 8259, 8.1).

    **Refuses** (NotJson): empty, not UTF-8, NaN, Infinity, 1e999, a lone surrogate, NUL, integers
    beyond 64 bits, nesting over 32, duplicate keys. **Source**: contract 3, bad JSON.
    """
    raw = raw.removeprefix(BOM_UTF8)
    if not raw.strip():
        raise NotJson("is empty")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        raise NotJson("is not UTF-8") from bad
    try:
        value = _DECODER.decode(text)
    except NotJson:
        raise
    except json.JSONDecodeError as bad:
        raise NotJson(f"is not JSON (line {bad.lineno}, column {bad.colno})") from bad
    except RecursionError as bad:
        raise NotJson("is nested too deep") from bad
    if not _depth_within(value, MOST_DEPTH):
        raise NotJson("is nested too deep")
    if "\\u" in text:
        # Only an escape can contain a lone surrogate or a NUL; both break stores later.
        again = json.dumps(value, ensure_ascii=False, default=str)
        if "\\u0000" in again:
            raise NotJson("has a NUL character")
        try:
            again.encode("utf-8")
        except UnicodeEncodeError as bad:
            raise NotJson("has a lone surrogate") from bad
    return value


def encode(value: Any) -> bytes:
    """Write JSON as UTF-8, compact, decimals as numbers."""
    return _ENCODER.encode(value)
