"""Effective states, and which job groups may match."""

from datetime import date, timedelta
from typing import Any

import pytest

from handbill.contract.filters import read_filter
from handbill.core.nouns import Campaign, CampaignBody, Client, ClientBody, Group, GroupBody
from handbill.core.states import (
    ACTIVE,
    State,
    campaign_state,
    client_state,
    group_state,
    in_force,
    may_match,
)

MONDAY = date(2026, 11, 23)
LEAF = {"field": "city", "operator": "EQUAL", "data": "x"}
FILTER = read_filter({"operator": "AND", "rules": [LEAF]})


def client(status: str = "A", **said: Any) -> Client:
    return Client(
        no=1,
        id="c",
        agency_no=1,
        status=status,
        zone="UTC",
        pixel_id="p",
        body=ClientBody(company_name="C", exported_name="C", **said),
        created_at=0,
        updated_at=0,
    )


def campaign(status: str = "A", **said: Any) -> Campaign:
    return Campaign(
        no=1,
        id="k",
        client_no=1,
        status=status,
        is_default=False,
        body=CampaignBody("K", **said),
        created_at=0,
        updated_at=0,
    )


def group(status: str = "A", *, is_default: bool = False, **said: Any) -> Group:
    return Group(
        no=1,
        id="g",
        client_no=1,
        campaign_no=1,
        status=status,
        is_default=is_default,
        priority=1,
        body=GroupBody("G", **({"filters": FILTER} | said)),
        created_at=0,
        updated_at=0,
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (client(), "ACTIVE"),
        (client("P"), "PAUSED"),
        (client(start_on="2026-11-24"), "NOT_STARTED"),
        (client(start_on="2026-11-23", end_on="2026-11-23"), "ACTIVE"),
        (client(end_on="2026-11-22"), "EXPIRED"),
        (client("P", end_on="2026-11-22"), "PAUSED"),
    ],
)
def test_switch_then_dates(one: Client, expected: str) -> None:
    assert client_state(one, MONDAY).status == expected


def test_caps_are_handed_in() -> None:
    assert client_state(client(), MONDAY, capped=True).status == "CAPPED"
    assert client_state(client("P"), MONDAY, capped=True).status == "PAUSED"


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        (client("P"), "PARENT_PAUSED"),
        (client(end_on="2026-11-22"), "EXPIRED"),
        (client(start_on="2026-12-22"), "NOT_STARTED"),
        (client(), "ACTIVE"),
    ],
)
def test_a_parent_stops_its_grandchildren(above: Client, expected: str) -> None:
    top = client_state(above, MONDAY)
    middle = campaign_state(campaign(), top, MONDAY)
    assert middle.status == expected
    assert group_state(group(), middle, MONDAY).status == expected


def test_a_capped_grandparent_is_told_as_such() -> None:
    middle = campaign_state(campaign(), client_state(client(), MONDAY, capped=True), MONDAY)
    assert group_state(group(), middle, MONDAY) == State(
        "PARENT_CAPPED", "the client has reached a cap"
    )


def test_its_own_reason_comes_first() -> None:
    paused = client_state(client("P"), MONDAY)
    assert campaign_state(campaign(end_on="2026-11-01"), paused, MONDAY).status == "EXPIRED"


def test_days_of_the_week_begin_with_monday() -> None:
    workdays = group(days=(0, 1, 2, 3, 4))
    states = [group_state(workdays, ACTIVE, MONDAY + timedelta(days=n)).status for n in range(7)]
    assert states == ["ACTIVE"] * 5 + ["PAUSED"] * 2


def test_bounds_are_included_and_empty_ones_are_none() -> None:
    assert in_force("", "", MONDAY)
    assert in_force(None, None, MONDAY)
    assert in_force("2026-11-23", "2026-11-23", MONDAY)
    assert not in_force("2026-11-24", "", MONDAY)
    assert not in_force("", "2026-11-22", MONDAY)


def test_who_may_match() -> None:
    assert may_match(group(), campaign(), MONDAY)
    assert may_match(group(days=()), campaign(), MONDAY), "weekdays stop trading, not matching"
    for other in (
        group("P"),
        group(is_default=True),
        group(filters=None),
        group(end_on="2026-11-22"),
    ):
        assert not may_match(other, campaign(), MONDAY)
    assert not may_match(group(), campaign("P"), MONDAY)
    assert not may_match(group(), campaign(start_on="2026-11-24"), MONDAY)
