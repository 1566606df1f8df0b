"""Caps as they are written (domain 2.1, 14.1)."""

from typing import Any

from handbill.core.nouns import Cap, Caps
from handbill.kit.money import number_of


def spell_cap(cap: Cap, *, money: bool) -> dict[str, Any]:
    """A cap as the contract writes it."""
    return {
        "cap": cap.period,
        "value": number_of(cap.value) if money else cap.value,
        "pacing": cap.pacing,
        "thresholdP": number_of(cap.threshold_ppm * 100),
        "locked": cap.locked,
    }


_SPELLED = (
    ("budget", "budget", True), ("clicks", "clicks", False), ("applies", "applies", False),
    ("jobBudget", "job_budget", True), ("jobClicks", "job_clicks", False),
    ("jobApplies", "job_applies", False),
)  # fmt: skip

_NONE = Caps()


def spell_caps(caps: Caps) -> dict[str, Any]:
    """Only the caps that are set."""
    if caps == _NONE:
        return {}
    return {
        name: spell_cap(cap, money=money)
        for name, key, money in _SPELLED
        if (cap := getattr(caps, key)) is not None
    }
