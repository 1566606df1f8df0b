"""Cells of CSV that mean the same to every reader: none starts a formula, wherever it is parted."""

import re
from decimal import Decimal
from typing import Any

# Controls, blanks, and what Unicode says is shown as nothing (Default_Ignorable_Code_Point).
_UNSEEN = (
    r"\s\x00-\x20\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
# The signs in all widths and heights that a spreadsheet, or what feeds it, may make plain ones.
_SIGNS = r"=+\-@＝＋－＠﹢﹣﹦﹫\u2212⁺⁻⁼₊₋₌"
_FORMULA = re.compile(rf"[{_UNSEEN}]*[{_SIGNS}]|[\t\r\n]")
_QUOTED = re.compile(r"[\",;\t\r\n|\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def neutral(text: str) -> str:
    """Text that no spreadsheet takes for a formula (safety.md, report files)."""
    return f"'{text}" if _FORMULA.match(text) else text


def csv_cell(value: Any) -> str:
    """A cell of CSV (RFC 4180), also quoted if it contains a separator of other readers."""
    if isinstance(value, str):
        text = neutral(value)
        return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
