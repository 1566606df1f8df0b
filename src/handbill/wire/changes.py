"""From what a body gave to what the noun is now: absent stays, null goes back to the default."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from handbill.core.nouns import Cap, Caps
from handbill.kit.faults import Fault, pointed
from handbill.wire.caps import cap_shape, caps_shape
from handbill.wire.shapes import Faults, Field, Integer, Object, Percent, Schema, Shape

_S = TypeVar("_S", bound=msgspec.Struct)
_CAPS = {
    "budget": "budget", "clicks": "clicks", "applies": "applies", "jobBudget": "job_budget",
    "jobClicks": "job_clicks", "jobApplies": "job_applies",
}  # fmt: skip


def settled(noun: _S, found: Mapping[str, Any], names: Mapping[str, str], faults: Faults) -> _S:
    """The noun with what was found, by the contract's name → the noun's name.

    Names that are not listed are left to the caller. **Refuses** (as faults) a null where the noun
    has no default.
    """
    changes: dict[str, Any] = {}
    for key, value in found.items():
        if key not in names:
            continue
        if value is None:
            value = _default(type(noun), names[key])  # noqa: PLW2901
            if value is msgspec.NODEFAULT:
                faults.append(Fault(f"/{pointed(key)}", "cannot be cleared"))
                continue
        changes[names[key]] = value
    return msgspec.structs.replace(noun, **changes)


def _default(of: type[msgspec.Struct], name: str) -> Any:
    known = next(field for field in msgspec.structs.fields(of) if field.name == name)
    if known.default_factory is not msgspec.NODEFAULT:
        return known.default_factory()
    return known.default


def caps_change_shape(*, per_job: bool = False) -> Object:
    """Caps in an update: each that is given replaces its like, null clears it."""
    return Object(caps_shape(budget_required=False, per_job=per_job).fields)


def merged_caps(
    caps: Caps, change: Mapping[str, Any] | None, at: str, faults: Faults, *, budget_required: bool
) -> Caps:
    """The caps after a change as ``caps_change_shape`` read it; None clears them all."""
    if change is None:
        change = dict.fromkeys(_CAPS)
    if budget_required and "budget" in change and change["budget"] is None:
        faults.append(Fault(f"{at}/budget", "cannot be cleared"))
        return caps
    return msgspec.structs.replace(
        caps, **{_CAPS[key]: cap for key, cap in change.items() if key in _CAPS}
    )


OVERRIDE = Object(
    {
        "markdown": Field(Percent(), "Percent taken off the bid that the publisher sees."),
        "markup": Field(Percent(1_000), "Percent put on what the customer pays."),
        "applyConvWindow": Field(Integer(1, 90), "Days within which an apply counts."),
    }
)
_OVERRIDE_NAMES = {
    "markdown": "markdown_ppm", "markup": "markup_ppm", "applyConvWindow": "apply_window_days",
}  # fmt: skip


def merged_override(noun: _S, change: Mapping[str, Any] | None) -> _S:
    """The override after a change as ``OVERRIDE`` read it; None clears it all."""
    return settled(noun, dict.fromkeys(_OVERRIDE_NAMES) if change is None else change,
                   _OVERRIDE_NAMES, [])  # fmt: skip


class _NeverHeld(Shape):
    """A cap that no rule holds at this level: refused, so that nobody relies on it."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if value is not None:
            faults.append(Fault(at, "is not possible here: only a budget is"))
        return None

    def schema(self) -> Schema:
        return {"type": "null"}


def _only_budget(found: dict[str, Any]) -> Cap | None:
    budget: Cap | None = found.get("budget")
    return budget


PLACEMENT_CAPS = Object(
    {
        "budget": Field(
            cap_shape(money=True, periods=("Weekly", "Monthly", "Lifetime")),
            "Most to spend over this publisher.",
        ),
        "clicks": Field(_NeverHeld(), "Refused: a publisher's clicks cannot be capped."),
        "applies": Field(_NeverHeld(), "Refused: a publisher's applies cannot be capped."),
    },
    make=_only_budget,
)
"""The caps of a placement: a budget, not daily (domain 2.2); read as a Cap or None."""
