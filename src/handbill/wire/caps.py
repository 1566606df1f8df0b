"""Caps on the wire: both spellings in, the public one out (domain 2.1, 14.1)."""

from typing import Any

from handbill.core.nouns import Cap, Caps
from handbill.kit.faults import Fault
from handbill.kit.money import number_of
from handbill.kit.zones import PERIODS
from handbill.wire.shapes import Choice, Faults, Field, Flag, Integer, Money, Object, Percent

_VALUE = "Most per period, 0 or more: money in the agency's currency, else a whole number."
_LOCKED = (
    "On a placement's budget in a job group: others cannot spend what it has left of it. It needs "
    "the period of the job group's budget. Elsewhere kept; nothing acts on it."
)


def _monthly_pacing(found: dict[str, Any], at: str, faults: Faults) -> None:
    if found.get("pacing") and found.get("cap", "Monthly") != "Monthly":
        faults.append(Fault(f"{at}/pacing", "is only possible with a Monthly cap"))


def _cap(found: dict[str, Any]) -> Cap:
    threshold = found.get("thresholdP")
    return Cap(
        period=found.get("cap") or "Monthly",
        value=found["value"],
        pacing=bool(found.get("pacing")),
        threshold_ppm=800_000 if threshold is None else threshold,
        locked=bool(found.get("locked")),
    )


def cap_shape(*, money: bool, periods: tuple[str, ...] = PERIODS) -> Object:
    """One cap: of money (a budget) or of counts; in the periods that its level allows."""
    return Object(
        {
            "cap": Field(
                Choice(periods), "Period of the cap; Monthly if absent.", aliases=("freq",)
            ),
            "value": Field(Money() if money else Integer(0), _VALUE, required=True),
            "pacing": Field(
                Flag(),
                "Spend evenly over the month; Monthly caps only. Kept; nothing acts on it yet.",
            ),
            "thresholdP": Field(
                Percent(),
                "Percent of the value from which it brakes; 80. Kept; nothing acts on it yet.",
                aliases=("threshold",),
            ),
            "locked": Field(Flag(), _LOCKED),
        },
        check=_monthly_pacing,
        make=_cap,
    )


def _caps(found: dict[str, Any]) -> Caps:
    names = {"jobBudget": "job_budget", "jobClicks": "job_clicks", "jobApplies": "job_applies"}
    return Caps(**{names.get(name, name): cap for name, cap in found.items()})


def caps_shape(*, budget_required: bool, per_job: bool = False) -> Object:
    """The caps of a client or campaign; ``per_job``: of a job group (domain 14.2, 14.7, 14.10)."""
    group_counts = ("Weekly", "Monthly") if per_job else PERIODS
    group_budget = ("Daily", "Weekly", "Monthly") if per_job else PERIODS
    fields = {
        "budget": Field(
            cap_shape(money=True, periods=group_budget),
            "Most to spend per period.",
            required=budget_required,
        ),
        "clicks": Field(
            cap_shape(money=False, periods=group_counts), "Most valid clicks per period."
        ),
        "applies": Field(
            cap_shape(money=False, periods=group_counts), "Most counted applies per period."
        ),
    }
    if per_job:
        each = ("Weekly", "Monthly", "Lifetime")
        fields |= {
            "jobBudget": Field(
                cap_shape(money=True, periods=each), "Most to spend on each of its jobs."
            ),
            "jobClicks": Field(
                cap_shape(money=False, periods=each), "Most valid clicks on each of its jobs."
            ),
            "jobApplies": Field(
                cap_shape(money=False, periods=each), "Most counted applies to each of its jobs."
            ),
        }
    return Object(fields, make=_caps)


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
