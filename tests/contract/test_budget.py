"""How caps stand, in one answer: figures, forecasts, what was missed, and why some is left."""

from decimal import Decimal
from typing import Any

import pytest

from contract.office import Body, Office, plain
from contract.test_commands import Run, run, said
from contract.test_explain import at, explained, id_of, sqlite_tools
from contract.test_resolved_status import Market, budget, days, put, spend
from handbill.contract.budget.models import WHY
from handbill.core.pacing.outlook import Unspent
from handbill.work.tools import Tools

__all__ = ["run", "sqlite_tools"]


def told(market: Market) -> Any:
    return market.office.get(f"{market.client}/budget")


def group_in(found: Any) -> Any:
    (one,) = (it for campaign in found["campaigns"] for it in campaign["jobGroups"])
    return one


def cap_of(entity: Any, measure: str = "budget", publisher: str = "") -> Any:
    (one,) = (
        it
        for it in entity["caps"]
        if (it["cap"], it.get("publisherId", "")) == (measure, publisher)
    )
    return one


@pytest.fixture
def market(sqlite_office: Office, sqlite_tools: Tools) -> Market:
    return Market(sqlite_office, sqlite_tools).open()


def _cap(period: str, value: float) -> Body:
    return {"cap": period, "value": value}


def test_every_cap_is_told_where_it_is(market: Market) -> None:
    """Budgets, clicks and applies of all periods and levels, with what is used of each."""
    office, publisher = market.office, market.publisher
    office.put(
        market.client, {"caps": {"budget": _cap("Lifetime", 500), "clicks": _cap("Daily", 9)}}
    )
    office.put(
        market.campaign,
        {
            "caps": {"budget": _cap("Weekly", 80), "applies": _cap("Monthly", 7)},
            "placementCaps": {publisher: {"budget": _cap("Monthly", 60)}},
        },
    )
    placed = market.placed(budget=_cap("Monthly", 50))
    office.put(market.group, {"placements": [placed]})
    market.spend(1.5, clicks=3)
    market.tick()
    found = told(market)
    (campaign,) = (one for one in found["campaigns"] if one["id"] == id_of(market.campaign))
    group = group_in(found)
    assert [found["id"], group["id"]] == [id_of(market.client), id_of(market.group)]
    every = {
        **{("client", one["cap"], ""): one for one in found["caps"]},
        **{("campaign", one["cap"], one.get("publisherId", "")): one for one in campaign["caps"]},
        **{("group", one["cap"], one.get("publisherId", "")): one for one in group["caps"]},
    }
    spent = Decimal("1.5")
    assert {
        key: (one["period"], one["value"], one["used"], one["usedToday"])
        for key, one in every.items()
    } == {
        ("client", "budget", ""): ("Lifetime", 500, spent, spent),
        ("client", "clicks", ""): ("Daily", 9, 3, 3),
        ("campaign", "budget", ""): ("Weekly", 80, spent, spent),
        ("campaign", "applies", ""): ("Monthly", 7, 0, 0),
        ("campaign", "budget", publisher): ("Monthly", 60, spent, spent),
        ("group", "budget", ""): ("Monthly", 9_000, spent, spent),
        ("group", "budget", publisher): ("Monthly", 50, spent, spent),
    }
    assert all(one["forecastEnd"] is None and one["pace"] is None for one in every.values())
    assert found["evaluatedAt"] is not None
    assert {key[1] for key, one in every.items() if one["share"] is not None} == {
        "clicks",
        "budget",
    }


def test_a_forecast_comes_with_the_second_day(market: Market) -> None:
    market.office.put(market.group, {"caps": budget(300, pacing=True)})
    market.spend(10)
    market.tick()
    first = cap_of(group_in(told(market)))
    assert (first["forecastEnd"], first["pace"], first["unspentBecause"]) == (None, None, [])
    assert first["ceiling"] is not None
    assert first["ceiling"] >= first["share"] > 0
    days(1)(market)
    market.spend(9)
    market.tick()
    second = cap_of(group_in(told(market)))
    end = second["forecastEnd"]
    assert second["used"] == 19
    assert second["usedToday"] == 9
    assert second["used"] <= end["low"] <= end["value"] <= end["high"] <= 300
    assert 100 <= end["value"] < 300, "ten a day, from this day of the month on"
    assert second["pace"] > 0
    assert second["unspentBecause"]


CAUSES: dict[Unspent, list[Any]] = {
    Unspent.NO_DEMAND: [],
    Unspent.NOT_TRADING: [put("group", path="/pause")],
    Unspent.STOPPED_ABOVE: [put("client", {"caps": budget(9)})],
    Unspent.JOBS_CAPPED: [
        put("group", {"caps": budget(9_000) | {"jobBudget": {"cap": "Lifetime", "value": 1}}}),
        spend(1, 1, "group_job"),
    ],
}


@pytest.mark.parametrize("cause", CAUSES)
def test_why_some_will_be_left(market: Market, cause: Unspent) -> None:
    market.spend(10)
    days(1)(market)
    for act in CAUSES[cause]:
        act(market)
    market.tick()
    found = cap_of(group_in(told(market)))
    assert cause in found["unspentBecause"], found
    assert set(WHY) == set(Unspent)


def test_a_full_cap_tells_since_when(market: Market) -> None:
    """It is stopped, and so is what it says of the time that it was not."""
    market.office.put(market.group, {"caps": budget(10)})
    market.tick()
    market.spend(10)
    market.tick()
    days(1)(market)
    market.tick()
    found = told(market)
    cap = cap_of(group_in(found))
    assert (cap["delivery"], cap["used"]) == ("STOPPED", 10)
    assert group_in(found)["resolvedStatus"]["status"] == "CAPPED"
    told_by_job = explained(market.office, market.client)
    for name, where in (("client", market.client), ("jobGroup", market.group)):
        stands = market.stands(where)
        assert told_by_job[name]["state"] == {key: stands[key] for key in ("status", "description")}
    assert told_by_job["jobGroup"]["state"]["status"] == "CAPPED"
    assert at(told_by_job, market.publisher)["reasons"] == ["CAPPED"]
    assert 0 < cap["timeInBudget"] < 100
    assert cap["forecastEnd"]["value"] == 10
    assert cap["unspentBecause"] == []


def test_foreign_and_unknown_ids_are_alike(market: Market) -> None:
    office = market.office
    assert office.another().ask("GET", f"{market.client}/budget").status == 404
    assert office.ask("GET", f"{market.client}x/budget").status == 404


def test_commands_tell_the_same(market: Market, run: Run) -> None:
    market.office.put(market.group, {"caps": budget(10)})
    market.spend(10)
    market.tick()
    client_id = id_of(market.client)
    by_command, by_api = said(run("budget", client_id, "--json")), plain(told(market))
    assert by_command.keys() == by_api.keys()
    for name in ("id", "resolvedStatus", "evaluatedAt"):  # a command has a clock of its own
        assert by_command[name] == by_api[name]
    assert group_in(by_command)["resolvedStatus"] == group_in(by_api)["resolvedStatus"]
    printed = run("budget", client_id)
    assert printed.exit_code == 0, printed.output
    assert "STOPPED" in printed.stdout
    state = market.stands(market.group)
    rows = said(run("status", client_id, "--json"))["data"]
    found = {row["id"]: row["resolvedStatus"] for row in rows}
    of_group = found[id_of(market.group)]
    assert {**of_group, "publishers": []} == {**plain(state), "publishers": []}
    lines = run("status", client_id).stdout
    assert f"{market.office.get(market.group)['name']}: CAPPED, STOPPED" in lines
    assert "to mend it, raise the cap:" in lines
    assert f"PUT {market.group} " in lines
    assert run("status", "nobody").exit_code != 0


def test_where_nothing_stops_the_command_says_so(market: Market, run: Run) -> None:
    """A default campaign is paused as it is made: that stops nothing, and needs nobody."""
    market.tick()
    client_id = id_of(market.client)
    assert run("status", client_id).stdout == "nothing of it is stopped or limited\n"
    rows = said(run("status", client_id, "--json"))["data"]
    assert [row["id"] for row in rows] == [f"{client_id}$campaign$default"]
    market.office.put(f"{market.campaign}/pause")
    market.tick()
    lines = run("status", client_id).stdout
    assert ": PAUSED, STOPPED" in lines
    assert "Default Campaign" not in lines
