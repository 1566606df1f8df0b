"""Files of rates of exchange: rows of CSV, or the European Central Bank's reference rates.

**Shape**: CSV under the names date, from, to, rate; the bank's XML (``eurofxref``: cubes with a
time, in them cubes with a currency and a rate), and its CSV (Date, and a column for each currency).
The bank's rates say what one euro is. Encodings are read as those of feeds. CSV may be parted by
semicolons or tabs; rates then may have a decimal comma.
"""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from xml.parsers import expat

from handbill.dialects.inbound.encodings import UnknownEncoding, as_utf8

_NAMES: Final = ("date", "from", "to", "rate")
_EURO: Final = "EUR"
_NONE: Final = {"", "N/A"}
_DECIMAL_COMMA: Final = re.compile(r"\A([0-9]+),([0-9]+)\Z", re.ASCII)
Row = dict[str, Any]


class NotRates(ValueError):
    """The file has no known form; the message says why."""


def rates_in(raw: bytes) -> list[Row]:
    """The rates of a file, each in the form of POST /rates. The cells are not checked here.

    **Refuses** a file of neither form (NotRates).
    """
    told: list[str] = []
    try:
        text = b"".join(as_utf8([raw], repaired=told)).decode().lstrip("\ufeff \t\r\n")
        if told:
            raise NotRates("is not UTF-8, nor in the encoding that it declares")
        return _of_xml(text) if text[:1] == "<" else list(_of_csv(text))
    except UnknownEncoding as bad:
        raise NotRates(f"cannot be read: {bad}") from None
    except csv.Error as bad:
        raise NotRates(f"is not CSV: {bad}") from None


def _of_csv(text: str) -> Iterator[Row]:
    lines = [line for line in text.splitlines() if line.strip()]
    mark = next((mark for mark in "\t;" if lines and mark in lines[0]), ",")
    rows = csv.reader(lines, delimiter=mark)
    names = [name.strip() for name in next(rows, [])]
    lower = [name.lower() for name in names]
    is_wide = not set(_NAMES) <= set(lower)
    codes = list(filter(None, names[1:]))
    if is_wide and not (codes and lower[0] == "date" and all(map(str.isupper, codes))):
        raise NotRates("does not begin with the names date,from,to,rate")
    for row in rows:
        cells = [cell.strip() for cell in row]
        if mark != ",":
            cells = [_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in cells]
        if is_wide:
            for name, cell in zip(names[1:], cells[1:], strict=False):
                if name and cell not in _NONE:
                    yield _row(cells[0], _EURO, name, cell)
        else:
            by_name = dict(zip(lower, cells, strict=False))
            yield _row(*(by_name.get(name, "") for name in _NAMES))


def _row(day: str, source: str, target: str, rate: str) -> Row:
    number: Decimal | str = rate
    with suppress(InvalidOperation):
        number = Decimal(rate)
    return {"date": day, "from": source.upper(), "to": target.upper(), "rate": number}


def _of_xml(text: str) -> list[Row]:
    rows: list[Row] = []
    days: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Cube":
            days.append(attributes.get("time", days[-1] if days else ""))
            if "currency" in attributes:
                rate = attributes.get("rate", "")
                rows.append(_row(days[-1], _EURO, attributes["currency"], rate))

    def end(name: str) -> None:
        if name.rpartition(":")[2] == "Cube":
            days.pop()

    def refuse(*_: Any) -> None:
        raise NotRates("has a DOCTYPE, which is not read")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as bad:
        raise NotRates(f"is not XML: line {bad.lineno}: {expat.ErrorString(bad.code)}") from None
    if not rows:
        raise NotRates("has no rates in it")
    return rows
