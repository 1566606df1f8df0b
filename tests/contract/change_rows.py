"""A change as it is expected, and how it comes about."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import msgspec

from contract.world import World

GONE = ABSENT = msgspec.UNSET
Fields = dict[str, tuple[Any, Any]]


class Row(NamedTuple):
    """An expected change. ``slot``: what names the entity in the world; empty: it is new."""

    kind: str
    slot: str
    act: str = "CHANGE"
    fields: Fields | None = None
    of_client: bool = True


def of_agency(kind: str, slot: str = "", act: str = "CHANGE", fields: Fields | None = None) -> Row:
    """What no one client's is: its agency's alone."""
    return Row(kind, slot, act, fields, of_client=False)


of_provider = partial(of_agency, "SIGN_IN_PROVIDER", "agency_id")
of_question = partial(Row, "REPORT_QUESTION", "question_id")


class Case(NamedTuple):
    rows: list[Row]
    body: Callable[[World], Any] | None = None
    first: Callable[[World], Any] | None = None
    query: str = ""
