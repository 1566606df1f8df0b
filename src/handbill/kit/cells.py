"""Cells of CSV that mean the same to every reader: none starts a formula, wherever it is parted."""

import re
from decimal import Decimal
from typing import Any

# The signs also in their full width, and after characters that spreadsheets do not show.
_FORMULA = re.compile(
    r"[\s\x00-\x20\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠﹢﹣﹦﹫\u2212]|[\t\r\n]"
)
_QUOTED = re.compile(r"[\",;\t\r\n|]")


def neutral(text: str) -> str:
    """Text that no spreadsheet takes for a formula (safety.md, report files)."""
    return f"'{text}" if _FORMULA.match(text) else text


def csv_cell(value: Any) -> str:
    """A cell of CSV (RFC 4180), also quoted if it contains a separator of other readers."""
    if isinstance(value, str):
        text = neutral(value)
        return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
