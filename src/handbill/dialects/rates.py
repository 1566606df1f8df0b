"""Files of rates of exchange: rows of CSV, or the European Central Bank's reference rates.

**Shape**: CSV under the names date, from, to, rate; the bank's XML (``eurofxref``: cubes with a
time, in them cubes with a currency and a rate), and its CSV (Date, and a column for each currency).
The bank's rates say what one euro is.
"""

import csv
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from xml.parsers import expat

_NAMES: Final = ("date", "from", "to", "rate")
_EURO: Final = "EUR"
_NONE: Final = {"", "N/A"}
Row = dict[str, Any]


class NotRates(ValueError):
    """The file has no known form; the message says why."""


def rates_in(raw: bytes) -> list[Row]:
    """The rates of a file, each in the form of POST /rates. The cells are not checked here.

    **Refuses** a file of neither form (NotRates).
    """
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return _of_xml(raw)
    try:
        return list(_of_csv(raw))
    except csv.Error as bad:
        raise NotRates(f"is not CSV: {bad}") from None


def _of_csv(raw: bytes) -> Iterator[Row]:
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise NotRates("is not UTF-8") from None
    rows = csv.reader(line for line in lines if line.strip())
    names = [name.strip() for name in next(rows, [])]
    lower = [name.lower() for name in names]
    is_wide = not set(_NAMES) <= set(lower)
    codes = list(filter(None, names[1:]))
    if is_wide and not (codes and lower[0] == "date" and all(map(str.isupper, codes))):
        raise NotRates("does not begin with the names date,from,to,rate")
    for row in rows:
        cells = [cell.strip() for cell in row]
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
    return {"date": day, "from": source, "to": target, "rate": number}


def _of_xml(raw: bytes) -> list[Row]:
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

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as bad:
        raise NotRates(f"is not XML: line {bad.lineno}: {expat.ErrorString(bad.code)}") from None
    if not rows:
        raise NotRates("has no rates in it")
    return rows
