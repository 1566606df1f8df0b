"""The vocabulary of rules: what goes with what, and over which days."""

from datetime import date, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.contract.rules.models import NewRule
from handbill.contract.rules.telling import rule_told
from handbill.core.rule_conditions import UNITS, Duration, Rule, RuleBody, days_of
from handbill.kit.faults import Fault
from handbill.wire.models import spelled

ADMIN: dict[str, Any] = {
    "name": "r",
    "filterLevel": "campaigns",
    "actionType": "Administration",
    "adminActions": {"type": "enable"},
    "conditions": [
        {"parameter": "CTA", "condition": "Less than", "value": 2, "conditionDuration": "today"}
    ],
}
BID: dict[str, Any] = ADMIN | {
    "actionType": "bidStrategy",
    "adminActions": None,
    "actions": {"action": "decrease", "parameter": "cpc bid", "value": 10, "unit": "%"},
}


def faults_of(body: dict[str, Any]) -> list[str]:
    faults: list[Fault] = []
    NewRule.read(body, "", faults)
    return [fault.field for fault in faults]


def read(body: dict[str, Any]) -> RuleBody:
    faults: list[Fault] = []
    found = NewRule.read(body, "", faults)
    assert faults == []
    read: RuleBody = found.noun()
    return read


def told(body: RuleBody) -> Any:
    """What GET answers, as JSON that can be sent back."""
    rule = Rule(
        no=1, id="x", client_no=1, place=1, status="A", body=body, created_at=0, updated_at=0
    )
    return spelled(rule_told(rule, "c", 1))


def test_both_kinds_are_read() -> None:
    admin = read(ADMIN)
    assert (admin.level, admin.admin, admin.action) == ("campaign", "resume", None)
    assert admin.conditions[0].unit == "%", "a parameter's own unit need not be named"
    bid = read(BID | {"repeatActionDuration": {"clause": "every", "value": 3, "unit": "days"}})
    assert bid.action is not None
    assert not bid.action.increase
    assert bid.repeat_days == 3


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"conditions": []}, "/conditions"),
        ({"conditions": None}, "/conditions"),
        ({"name": " "}, "/name"),
        ({"filterLevel": "groups"}, "/filterLevel"),
        ({"conditionOp": "XOR"}, "/conditionOp"),
        ({"adminActions": None}, "/adminActions"),
        ({"adminActions": {}}, "/adminActions/type"),
        ({"actions": BID["actions"]}, "/actions"),
        ({"repeatActionDuration": {"value": 3}}, "/repeatActionDuration"),
        ({"jobFilterLevel": "clients"}, "/jobFilterLevel"),
        ({"jobFilter": {"filter": {"operator": "AND", "rules": []}}}, "/jobFilter/filter/rules"),
        ({"startDate": "12/02/2026", "endDate": "12/01/2026"}, "/endDate"),
    ],
)
def test_what_is_refused(change: dict[str, Any], fault: str) -> None:
    assert faults_of(ADMIN | change) == [fault]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"unit": "#"}, "/conditions/0/unit"),
        ({"parameter": "clicks", "value": 1, "unit": "$"}, "/conditions/0/unit"),
        ({"parameter": "spent", "unit": "#"}, "/conditions/0/unit"),
        ({"parameter": "cpm"}, "/conditions/0/parameter"),
        ({"value": 1_001}, "/conditions/0/value"),
        ({"value": -1}, "/conditions/0/value"),
        ({"condition": ">"}, "/conditions/0/condition"),
        ({"conditionDuration": "last_8_days"}, "/conditions/0/conditionDuration"),
    ],
)
def test_conditions_that_are_refused(change: dict[str, Any], fault: str) -> None:
    assert faults_of(ADMIN | {"conditions": [ADMIN["conditions"][0] | change]}) == [fault]


def test_all_faults_of_a_condition_are_told_at_once() -> None:
    wrong = {"parameter": "clicks", "value": 1.5, "unit": "$", "condition": ">"}
    told = faults_of(ADMIN | {"conditions": [ADMIN["conditions"][0] | wrong]})
    assert sorted(told) == [f"/conditions/0/{one}" for one in ("condition", "unit", "value")]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"parameter": "budget"}, "/actions/parameter"),
        ({"value": 0}, "/actions/value"),
        ({"value": 101}, "/actions/value"),
        ({"unit": "#"}, "/actions/unit"),
        ({"action": "double"}, "/actions/action"),
    ],
)
def test_actions_that_are_refused(change: dict[str, Any], fault: str) -> None:
    assert faults_of(BID | {"actions": BID["actions"] | change}) == [fault]


def test_bids_go_down_by_money_as_far_as_you_like() -> None:
    assert faults_of(BID | {"actions": BID["actions"] | {"value": 101, "unit": "$"}}) == []
    assert faults_of(BID | {"actions": None}) == ["/actions"]


def test_rules_of_jobs_need_a_filter_of_jobs() -> None:
    jobs = ADMIN | {"filterLevel": "jobs"}
    assert faults_of(jobs) == ["/jobFilterLevel", "/jobFilter"]
    assert faults_of(jobs | {"jobFilter": {}, "jobFilterLevel": "jobs"}) == ["/jobFilterLevel"]
    body = read(jobs | {"jobFilter": {}, "jobFilterLevel": "campaigns"})
    assert told(body)["jobFilter"] == {}


def test_what_is_spelled_is_read_back() -> None:
    group = {"operator": "ANY", "rules": [{"field": "city", "operator": "in", "data": ["a"]}]}
    jobs = {"filterLevel": "jobs", "jobFilter": {"filter": group}, "jobFilterLevel": "clients"}
    filters = [{"id": "x", "placementIds": ["p"], "name": "n", "allPlacements": False}]
    more = {"filters": filters, "conditionOp": "or", "allIds": True, "applyToChildren": False}
    for body in (ADMIN | jobs | more, BID | more | {"repeatActionDuration": {"value": 2}}):
        assert read(told(read(body))) == read(body)


def test_every_parameter_has_a_unit_that_is_meant() -> None:
    for parameter, units in UNITS.items():
        one = ADMIN["conditions"][0] | {"parameter": parameter, "value": 1}
        assert read(ADMIN | {"conditions": [one]}).conditions[0].unit == units[0]
    half = ADMIN["conditions"][0] | {"parameter": "clicks", "value": 2}
    assert faults_of(ADMIN | {"conditions": [half]}) == []


@given(st.dates(date(1971, 1, 1), date(2200, 1, 1)), st.sampled_from(get_args(Duration)))
def test_days(today: date, duration: str) -> None:
    first, last = days_of(duration, today)
    assert first <= last <= today
    if duration.startswith("last_"):
        assert last == today - timedelta(days=1)
        assert (last - first).days + 1 == int(duration.split("_")[1])
    if duration == "this_week":
        assert (first.weekday(), last) == (0, today)
    if duration == "this_month":
        assert (first.day, last) == (1, today)
