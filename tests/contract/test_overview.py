"""Figures by day through the doors: what is asked for, of whom, and what is refused."""

from calendar import monthrange
from typing import Any

import msgspec
import pytest

from contract.office import Office, plain
from contract.signed_in import asked, person, session
from contract.test_commands import Run, run, said
from contract.test_explain import id_of, sqlite_tools
from contract.test_resolved_status import Market, budget
from engines.test_segments import entry
from handbill.core.charging import CounterKey, period_keys
from handbill.core.metrics import FOR_EMPLOYERS, NAMES
from handbill.groups.service import group_of
from handbill.kit.instants import DAY, moment_of
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import counter_rows, daily_sums
from handbill.publishers import service as publishers
from handbill.work.tools import Tools

__all__ = ["run", "sqlite_tools"]


@pytest.fixture
def market(sqlite_office: Office, sqlite_tools: Tools) -> Market:
    return Market(sqlite_office, sqlite_tools).open()


def clicked(market: Market, days_ago: int, clicks: int, marked: int = 250_000) -> None:
    """So many clicks at 25 cents."""
    client, now = market.at_work(), market.office.clock.now()
    with market.tools.records.write() as tx:
        group = group_of(tx, client.no, id_of(market.group))
        here = {one.id: one.no for one in publishers.publishers_of(tx, client.agency_no)}
        some = [
            msgspec.structs.replace(
                entry(n, client.no, now - days_ago * DAY),
                kind="CLICK",
                disposition="valid",
                campaign_no=group.campaign_no,
                group_no=group.no,
                publisher_no=here[market.publisher],
                charge_micros=200_000,
                spend_micros=250_000,
                marked_micros=marked,
            )
            for n in range(clicks)
        ]
        zone = zone_of(client.zone)
        daily_sums.add(tx, daily_sums.rows_of([(zone, some)]))
        day = day_of(now - days_ago * DAY, zone)
        used = CounterKey("client", f"{client.no}", "budget", period_keys(day)[0])
        counter_rows.correct_counters(tx, client.no, {used: clicks * marked})


def later(office: Office, days: int) -> None:
    """So many days later, with a token that is good then."""
    office.clock.forward(days * DAY)
    told = office.ask("POST", "/token", {"client_id": office.api_client_id})
    office.headers["x-authorization-key"] = told.json["access_token"]


def overview(office: Office, query: str = "page=0&limit=50") -> Any:
    return plain(office.get(f"/overview?{query}"))


def series(market: Market, query: str) -> Any:
    return plain(market.office.get(f"{market.client}/timeseries?{query}"))


def test_days_are_told_beside_those_before(market: Market) -> None:
    for days_ago, clicks in ((0, 4), (1, 2), (2, 1), (9, 1)):
        clicked(market, days_ago, clicks)
    market.office.put(market.client, {"caps": budget(900)})
    found = overview(market.office, "page=0&limit=50&days=2&metrics=Spent,clicks,cpc")
    (line,) = found["data"]
    assert line["id"] == id_of(market.client)
    assert line["values"] == {"spent": [0.5, 1], "clicks": [2, 4], "cpc": [0.25, 0.25]}
    assert line["total"] == found["total"] == {"spent": 1.5, "clicks": 6, "cpc": 0.25}
    assert line["before"] == found["before"] == {"spent": 0.25, "clicks": 1, "cpc": 0.25}
    assert line["budget"] == {"cap": "Monthly", "value": 900, "used": 2}
    assert found["also"] == []
    more = overview(market.office, "page=0&limit=50&days=2&metrics=clicks,cpc&also=10,01,1")
    assert more["also"] == [
        {"days": 10, "total": {"clicks": 8, "cpc": 0.25}, "before": {"clicks": 0, "cpc": 0}},
        {"days": 1, "total": {"clicks": 4, "cpc": 0.25}, "before": {"clicks": 2, "cpc": 0.25}},
    ]
    whole = series(market, "days=10&metrics=clicks")
    (one,) = whole["series"]
    assert one["values"] == {"clicks": [1, 0, 0, 0, 0, 0, 0, 1, 2, 4]}
    for by, where in (("campaign", market.campaign), ("jobgroup", market.group)):
        (one,) = series(market, f"by={by}")["series"]
        assert (one["id"], one["total"]["clicks"]) == (id_of(where), 8)
    (one,) = series(market, "by=PUBLISHER")["series"]
    assert (one["id"], len(one["values"]["spent"])) == (market.publisher, 30)


def test_a_page_tells_all_clients_together(market: Market) -> None:
    clicked(market, 0, 3)
    office = market.office
    office.client(companyName="Second")
    second = overview(office, "page=1&limit=1")
    assert [line["name"] for line in second["data"]] == ["Second"]
    assert second["total"] == {"spent": 0.75, "clicks": 3, "applies": 0}
    office.ask("DELETE", market.client)
    assert overview(office)["total"] == {"spent": 0, "clicks": 0, "applies": 0}


def test_a_month_is_told_beside_its_plan(market: Market) -> None:
    """A week of 25 cents a day, and a dollar today."""
    office = market.office
    office.put(market.client, {"caps": budget(900)})
    today = moment_of(office.clock.now()).date()
    later(office, 7)
    days = monthrange(today.year, today.month)[1]
    assert today.day + 7 <= days, "the week is of one month"
    clicked(market, 0, 4)
    for days_ago in range(1, 8):
        clicked(market, days_ago, 1)
    month = overview(office)["data"][0]["month"]
    left = days - today.day - 7
    assert month == {"used": 2.75, "planned": 900, "projected": 2.75 + 0.25 * left}
    daily = {"budget": {"cap": "Daily", "value": 10}}
    office.client(companyName="Second", caps=daily, startDate="2020-01-01", endDate="2099-12-31")
    office.client(companyName="Over", caps=daily, startDate="2020-01-01", endDate="2020-12-31")
    found = overview(office)
    assert [line["month"]["planned"] for line in found["data"]] == [900, 10 * days, 0]
    assert found["month"] == {
        "used": 2.75,
        "planned": 900 + 10 * days,
        "projected": 2.75 + 0.25 * left,
        "unplanned": 0,
    }


def test_a_lifetime_budget_is_no_plan_of_a_month_and_an_end_of_what_is_expected(
    market: Market,
) -> None:
    later(market.office, 3)
    for days_ago in (1, 2):
        clicked(market, days_ago, 8)
    expected = overview(market.office)["month"]["projected"]
    for value, most in ((4, 4), (4.5, 4.5), (900, expected)):
        budget_of = {"cap": "Lifetime", "value": value}
        market.office.put(market.client, {"caps": {"budget": budget_of}})
        found = overview(market.office)
        month = {"used": 4, "planned": None, "projected": most}
        assert found["data"][0]["month"] == month
        assert found["month"] == month | {"unplanned": 1}
    assert expected > 4.5


def test_others_clients_are_not_told(market: Market) -> None:
    clicked(market, 0, 3)
    other = market.office.another()
    assert overview(other)["data"] == []
    assert overview(other)["total"]["clicks"] == 0
    for client in (market.client, f"{market.client}x"):
        assert other.ask("GET", f"{client}/timeseries").status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("days=0", "/days"),
        ("days=401", "/days"),
        ("days=1.5", "/days"),
        ("by=job", "/by"),
        ("metrics=", "/metrics"),
        ("metrics=clicks,", "/metrics"),
        ("metrics=clicks,nothing", "/metrics"),
        (f"metrics={','.join(NAMES[:9])}", "/metrics"),
    ],
)
def test_what_cannot_be_meant_is_refused(market: Market, query: str, field: str) -> None:
    assert market.office.faults("GET", f"{market.client}/timeseries?{query}").keys() == {field}


def test_other_numbers_of_days_are_few_and_whole(market: Market) -> None:
    for also in ("1,0", "201", "1,a", "-1", "1,2,3,4,5", "", "1,"):
        path = f"/overview?page=0&limit=1&also={also}"
        assert market.office.faults("GET", path).keys() == {"/also"}


def test_the_command_tells_the_same(market: Market, run: Run) -> None:
    clicked(market, 1, 3)
    told = said(run("overview", "--agency", market.office.agency_id, "--json"))
    (one,) = told["data"]
    assert one["id"] == id_of(market.client)
    printed = run("overview", "--agency", market.office.agency_id, "--days", "7")
    assert printed.exit_code == 0, printed.output
    assert "spent before" in printed.stdout
    assert "all" in printed.stdout


def test_an_employer_sees_its_clients_and_marked_up_spend(market: Market) -> None:
    office, client_id = market.office, id_of(market.client)
    clicked(market, 0, 4, marked=300_000)
    other = office.client()
    headers = session(office, person(office, "EMPLOYER", client_id))

    def ask(url: str) -> Any:
        return asked(office, headers, "GET", url)

    found = plain(ask("/overview?page=0&limit=9&metrics=spent,clicks").json)
    assert [line["id"] for line in found["data"]] == [client_id]
    assert found["total"] == {"spent": 1.2, "clicks": 4}
    assert overview(office)["total"]["spent"] == 1
    (one,) = plain(ask(f"{market.client}/timeseries?by=campaign&metrics=spent").json)["series"]
    assert one["total"] == {"spent": 1.2}
    for name in sorted({*NAMES} - FOR_EMPLOYERS):
        for path in ("/overview?page=0&limit=9", f"{market.client}/timeseries?days=1"):
            reply = ask(f"{path}&metrics=clicks,{name}")
            assert (reply.status, reply.json["errors"][0]["field"]) == (400, "/metrics"), name
    assert ask(f"{other}/timeseries").status == ask("/clients/nobody/timeseries").status == 404
    assert {"markedUpSpent", "netSpent", "profit", "averageMargin", "cpc"} <= {
        *NAMES
    } - FOR_EMPLOYERS
