"""Currencies that are stated beside the amounts of a body, where no field of it is a currency."""

from collections.abc import Container, Iterator
from typing import Any

_SAID = ("currency", "currency_code", "currencyCode")
_PRICED = frozenset(
    (
        "caps",
        "Caps",
        "budget",
        "jobBudget",
        "jobSetting",
        "placementSettings",
        "placements",
        "performanceTargets",
        "ioDetails",
        "conditions",
        "guards",
        "actions",
    )
)
"""The fields that hold amounts, or objects with amounts in them."""
_ASKED = {"placements": ("currency",), "placementSettings": ("currency",)}
"""Fields whose objects have a currency; the room decides which currencies are allowed there."""


def asked_by(body: Any) -> tuple[str, ...]:
    """Which of these names are fields of a body."""
    fields = getattr(getattr(body, "one", body), "model_fields", {})
    return tuple(name for name in _SAID if name in fields)


def currencies_said(
    body: object, asked: Container[str] = (), at: str = ""
) -> Iterator[tuple[str, str]]:
    """The currencies in a body, or in its parts with amounts, that are no field of it: pointer and
    text. ``asked``: the names that are its own fields.
    """
    if isinstance(body, list):
        for n, one in enumerate(body):
            yield from currencies_said(one, asked, f"{at}/{n}")
    if isinstance(body, dict):
        for name, value in body.items():
            if name in _SAID and isinstance(value, str) and value.strip():
                if name not in asked:
                    yield f"{at}/{name}", value.strip()
            elif name in _PRICED:
                yield from currencies_said(value, _ASKED.get(name, ()), f"{at}/{name}")
