"""Currencies beside the amounts of a body, wherever its fields ask for one or not."""

from collections.abc import Iterator

_SAID = ("currency", "currency_code", "currencyCode")
_PRICED = frozenset(
    (
        "caps", "Caps", "budget", "jobBudget", "jobSetting", "placementSettings", "placements",
        "performanceTargets", "ioDetails", "conditions", "actions",
    )
)  # fmt: skip
"""The fields that hold amounts, or objects with amounts in them."""


def currencies_said(body: object, at: str = "") -> Iterator[tuple[str, str]]:
    """Where a body, or what of it has amounts in it, says a currency: pointer and text."""
    if isinstance(body, list):
        for n, one in enumerate(body):
            yield from currencies_said(one, f"{at}/{n}")
    if isinstance(body, dict):
        for name, value in body.items():
            if name in _SAID and isinstance(value, str) and value.strip():
                yield f"{at}/{name}", value.strip()
            elif name in _PRICED:
                yield from currencies_said(value, f"{at}/{name}")
