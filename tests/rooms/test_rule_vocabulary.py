"""Every word that the reference names: a rule that says it runs and sees its figure, or is refused
with a pointer to it.
"""

from itertools import product
from pathlib import Path
from typing import Any, Final, get_args

from handbill.contract.rules.models import NewRule
from handbill.core.rule_conditions import UNITS, Comparison, Condition, Duration, Parameter
from handbill.core.rules.windows import EVERY
from handbill.kit.faults import Fault
from handbill.store.records import Records
from rooms.rule_house import ONE, House

CAME: Final[dict[tuple[str, str], int | None]] = {
    ("clicks", "#"): 3 * ONE,
    ("allClicks", "#"): 3 * ONE,
    ("applies", "#"): ONE,
    ("allApplies", "#"): ONE,
    ("spent", "$"): 3 * ONE,
    ("spent", "%"): 300_000,
    ("cpc", "$"): ONE,
    ("cpa", "$"): 3 * ONE,
    ("cta", "%"): 33_333_333,
}
"""Of three clicks of 1.00 and an apply by one of them, with a budget of 1,000."""
COMPARED: Final = {
    "equals": "=",
    "not equals": "<>",
    "greater than": ">",
    "less than": "<",
    "greater than equal to": ">=",
    "less than equal to": "<=",
}


def nothing(parameter: str) -> int | None:
    """What is seen of days without visitors."""
    return None if parameter in {"cpc", "cpa", "cta"} else 0


def test_every_parameter_unit_and_window_is_seen(sqlite_records: Records, tmp_path: Path) -> None:
    house = House(sqlite_records, tmp_path)
    house.market.converted(house.market.clicked(house.listing), application="a")
    assert {(p, unit) for p, units in UNITS.items() for unit in units} == CAME.keys()
    assert set(get_args(Parameter)) == UNITS.keys()
    for today, windows in ((True, get_args(Duration)), (False, ("yesterday", "last_3_days"))):
        house.market.clock.forward(EVERY if today else 24 * 3_600 * ONE)
        house.judge()
        asked = list(product(CAME, windows))
        said = [Condition(p, "greater than equal to", 0, unit, it) for (p, unit), it in asked]
        rule_id = house.rule(*said, all_of=False)
        house.tick()
        found = {one.id: one.seen for one in house.runs(rule_id)[0].body.findings}
        for ((parameter, unit), window), number in zip(asked, found[house.first.id], strict=True):
            is_past = window == "yesterday" or window.startswith("last_")
            empty = is_past == today
            expected = nothing(parameter) if empty else _with_four(parameter, unit)
            assert number == expected, (parameter, unit, window)


def _with_four(parameter: str, unit: str) -> int | None:
    """The house had three clicks; the one that applies is a fourth."""
    more = {"clicks": 4 * ONE, "allClicks": 4 * ONE, "cpa": 4 * ONE, "cta": 25 * ONE}
    spent = {"$": 4 * ONE, "%": 400_000}
    return spent[unit] if parameter == "spent" else more.get(parameter, CAME[parameter, unit])


def rule_said(**condition: Any) -> dict[str, Any]:
    known = {"parameter": "clicks", "condition": "equals", "value": 1, "conditionDuration": "today"}
    return {
        "name": "r",
        "filterLevel": "jobgroups",
        "actionType": "administration",
        "adminActions": {"type": "pause"},
        "conditions": [known | condition],
    }


def faults_of(body: dict[str, Any]) -> list[str]:
    faults: list[Fault] = []
    NewRule.read(body, "", faults)
    return [fault.field for fault in faults]


def test_every_unit_is_taken_or_refused() -> None:
    for parameter, unit in product(get_args(Parameter), ("#", "$", "%", "h", "")):
        fits = unit in UNITS[parameter]
        found = faults_of(rule_said(parameter=parameter, unit=unit))
        assert found == ([] if fits else ["/conditions/0/unit"]), (parameter, unit)


def test_every_comparison_compares() -> None:
    assert get_args(Comparison) == tuple(COMPARED)
    for comparison, duration in product(COMPARED, get_args(Duration)):
        assert faults_of(rule_said(condition=comparison, conditionDuration=duration)) == []
        assert faults_of(rule_said(condition=comparison.upper())) == []
    every = {"condition": "like", "conditionDuration": "last_2_days", "parameter": "views"}
    assert faults_of(rule_said(**every)) == [
        "/conditions/0/parameter",
        "/conditions/0/condition",
        "/conditions/0/conditionDuration",
    ], "all faults are told at once"


def test_every_action_is_taken_by_its_type_alone() -> None:
    fits = {"performance": ("budget",), "bidStrategy": ("cpc bid", "cpa bid")}
    for kind, what, unit, way in product(
        (*fits, "administration"),
        ("budget", "cpc bid", "cpa bid"),
        ("%", "$"),
        ("increase", "decrease"),
    ):
        action = {"action": way, "parameter": what, "value": 5, "unit": unit}
        body = rule_said() | {"actionType": kind, "actions": action, "adminActions": None}
        found = faults_of(body)
        if kind == "administration":
            assert found == ["/adminActions", "/actions"]
        else:
            assert found == ([] if what in fits[kind] else ["/actions/parameter"])


def test_levels() -> None:
    jobs = {"jobFilter": {}, "jobFilterLevel": "clients"}
    for level in ("clients", "campaign", "campaigns", "jobgroups", "jobs"):
        more = jobs if level == "jobs" else {}
        assert faults_of(rule_said() | {"filterLevel": level} | more) == []
    assert faults_of(rule_said() | {"filterLevel": "publishers"}) == ["/filterLevel"]
