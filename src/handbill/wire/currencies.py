"""Currencies beside the amounts of a body, where its fields do not ask for one."""

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
"""What is asked for in their objects: which currencies may stand there, its room decides."""


def asked_by(body: Any) -> tuple[str, ...]:
    """Which of the names a body's own fields ask for."""
    fields = getattr(getattr(body, "one", body), "model_fields", {})
    return tuple(name for name in _SAID if name in fields)


def currencies_said(
    body: object, asked: Container[str] = (), at: str = ""
) -> Iterator[tuple[str, str]]:
    """Where a body, or what of it has amounts in it, says a currency that nobody asks for: pointer
    and text. ``asked``: what its own fields ask for.
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
