"""The vocabulary of rules: what they look at, over which days, and what they may do.

Facts as tables, and the checks across several words; ``core.rules`` runs them.
**Source**: domain 11.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

from handbill.core.nouns import Branch
from handbill.kit.instants import Instant
from handbill.kit.money import MICROS

Parameter = Literal["clicks", "allClicks", "applies", "allApplies", "spent", "cpc", "cpa", "cta"]
Unit = Literal["#", "$", "%"]
UNITS: Final[dict[Parameter, tuple[Unit, ...]]] = {
    "clicks": ("#",),
    "allClicks": ("#",),
    "applies": ("#",),
    "allApplies": ("#",),
    "spent": ("$", "%"),
    "cpc": ("$",),
    "cpa": ("$",),
    "cta": ("%",),
}
"""The units in which each parameter can be compared; the first is the default."""

Comparison = Literal[
    "equals",
    "not equals",
    "greater than",
    "less than",
    "greater than equal to",
    "less than equal to",
]
Duration = Literal[
    "today",
    "yesterday",
    "last_3_days",
    "last_7_days",
    "last_15_days",
    "last_30_days",
    "this_week",
    "this_month",
]
ActionType = Literal["performance", "bidStrategy", "administration"]
ACTION_PARAMETERS: Final = {"performance": ("budget",), "bidStrategy": ("cpc bid", "cpa bid")}
Level = Literal["clients", "campaign", "jobgroups", "jobs"]
JobLevel = Literal["clients", "campaign", "jobgroups"]
MOST_PERCENT: Final = 1_000
_RANGES = {"last_3_days": 3, "last_7_days": 7, "last_15_days": 15, "last_30_days": 30}


class Condition(msgspec.Struct, frozen=True):
    """One comparison. ``value_millionths``: of a count, of a currency's unit or of a percent."""

    parameter: str
    comparison: str
    value_millionths: int
    unit: str
    duration: str


class Action(msgspec.Struct, frozen=True):
    """A change of a budget or a bid."""

    increase: bool
    parameter: str
    value_millionths: int
    unit: str


class RuleFilter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entity that a rule looks at, and the publishers there."""

    id: str
    name: str = ""
    placement_ids: tuple[str, ...] = ()
    all_placements: bool = False


class Guards(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Limits that keep a rule from acting on too little, too often, too much at once, or too far.

    ``least_``: the amounts below which a ratio says nothing. ``maturity_ppm``: the share of applies
    that must have come. ``change_ppm``: the most that an act changes an amount by; ``share_ppm``:
    the most of its entities that a run acts on.
    """

    least_clicks: int = 20
    least_spend_micros: int = MICROS
    maturity_ppm: int = 800_000
    cooldown_hours: int = 6
    acts_a_day: int = 3
    change_ppm: int = 500_000
    share_ppm: int = 200_000
    min_bid_micros: int = 0
    max_bid_micros: int | None = None
    min_budget_micros: int = 0
    max_budget_micros: int | None = None


class RuleBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A rule as it is stored. ``campaign_id``, ``group_id`` empty: not limited to one.

    Exactly one of ``action`` and ``admin`` ("pause" or "resume") is set. ``job_filter`` None: every
    job. ``repeat_days`` 0: acts whenever it holds.
    """

    name: str
    level: str
    conditions: tuple[Condition, ...]
    all_of: bool = True
    action_type: str
    action: Action | None = None
    admin: str = ""
    repeat_days: int = 0
    filters: tuple[RuleFilter, ...] = ()
    job_filter: Branch | None = None
    job_level: str = ""
    campaign_id: str = ""
    group_id: str = ""
    apply_to_children: bool = True
    all_ids: bool = False
    notify: bool = False
    call_back_url: str = ""
    guards: Guards = Guards()
    start_on: str = ""
    end_on: str = ""


class Rule(msgspec.Struct, kw_only=True):
    """``place``: its position among the client's rules; numbers may have gaps."""

    no: int
    id: str
    client_no: int
    place: int
    status: str
    body: RuleBody
    created_at: Instant
    updated_at: Instant


def faults_of_value(unit: str, value_millionths: int) -> str:
    """What is wrong with a value in its unit; empty if nothing is."""
    if unit == "#" and value_millionths % MICROS:
        return "must be a whole number"
    if unit == "%" and value_millionths > MOST_PERCENT * MICROS:
        return f"must be at most {MOST_PERCENT} %"
    return ""


def faults_of_action(action_type: str, action: Action) -> Iterator[tuple[str, str]]:
    """(key, what is wrong) for an action of a type that changes budgets or bids."""
    allowed = ACTION_PARAMETERS.get(action_type, ())
    if action.parameter not in allowed:
        yield "parameter", f"must, for {action_type}, be one of {', '.join(allowed)}"
    if action.value_millionths == 0:
        yield "value", "must be more than 0"
    elif not action.increase and action.unit == "%" and action.value_millionths > 100 * MICROS:
        yield "value", "cannot take away more than 100 %"


def days_of(duration: str, today: date) -> tuple[date, date]:
    """The first and the last day that a condition looks at, in the client's zone. Windows of a
    number of days end yesterday; weeks begin on Monday.
    """
    yesterday = today - timedelta(days=1)
    if duration in _RANGES:
        return today - timedelta(days=_RANGES[duration]), yesterday
    firsts = {
        "today": today,
        "yesterday": yesterday,
        "this_week": today - timedelta(days=today.weekday()),
        "this_month": today.replace(day=1),
    }
    return firsts[duration], yesterday if duration == "yesterday" else today
