"""What the API finds wrong with a form, in the words of its page."""

import re
from typing import Final

from handbill.pages.filters import OPERATORS

NUMBER: Final = "must be a number such as 1500 or 0.85, with a point before its decimals"
_DAY: Final = "must be a day, as yyyy-mm-dd or mm/dd/yyyy"
_IN_A_FORM: Final = {
    "must be a number": NUMBER,
    "must be a number of at most 6 decimals, as text": NUMBER,
    "must be an integer": "must be a whole number",
    "must be a date as mm/dd/yyyy": _DAY,
    "must be a date MM/dd/yyyy": _DAY,
    "must be whole seconds since 1970, or an ISO-8601 date and time; at most of 9999": _DAY,
    "must be a list of two, the lower one first": (
        "must be two values with a comma between them, the lower one first"
    ),
    "must name at least one client for an EMPLOYER": "choose the clients that the employer may see",
    "only an EMPLOYER has named clients": "only an employer has clients of its own",
}
"""Of faults that speak of JSON, or by codes. All others are told as they are."""
_OPERATORS: Final = re.compile(r"must, for a (text|number|date), be one of ([A-Z_, ]+)")


def in_a_form(message: str) -> str:
    """A fault as its field tells it."""
    found = _OPERATORS.fullmatch(message)
    if found is None:
        return _IN_A_FORM.get(message, message)
    offered = {*found[2].split(", ")}
    names = ", ".join(f"“{name}”" for code, name in OPERATORS.items() if code in offered)
    return f"a {found[1]} is compared by {names}"
