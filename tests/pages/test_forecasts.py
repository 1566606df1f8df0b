"""What pages say of forecasts, of shares, and of the rest of a list."""

import pytest

from contract.conftest import sqlite_office
from contract.office import Office
from contract.signed_in import person, session
from contract.test_explain import sqlite_tools
from contract.test_overview import clicked
from contract.test_resolved_status import Market, budget
from handbill.api import fronted
from handbill.kit.instants import DAY
from handbill.stats import overviews
from handbill.work.tools import Tools
from pages.browsing import Browser

__all__ = ["sqlite_office", "sqlite_tools"]


def test_each_forecast_of_a_month_says_by_what_it_goes(
    sqlite_office: Office, sqlite_tools: Tools
) -> None:
    office, market = sqlite_office, Market(sqlite_office, sqlite_tools).open()
    office.put(market.client, {"caps": budget(900)})
    owner = person(office, "OWNER")
    employer = person(office, "EMPLOYER", market.client.rpartition("/")[2], mail="e@acme.example")
    office.clock.forward(DAY)
    for days_ago in (0, 1):
        clicked(market, days_ago, 8)
    for one, word in ((owner, "Forecast"), (employer, "Used this month")):
        browser = Browser(fronted(office.desk, office.app), session(office, one))
        seen = browser.get(f"/app{market.client}?days=1")
        assert seen.status == 200
        [told] = seen.all(f"//dl[@class='tiles']/div[dt='{word}']/dd")
        assert ("by weekdays" in told) == (one is owner)
        assert ("at the average of the last 7 days" in told) == (one is employer)
        assert "1 days" not in seen.text


def test_a_lifetime_budget_is_none_of_a_month(sqlite_office: Office, sqlite_tools: Tools) -> None:
    office, market = sqlite_office, Market(sqlite_office, sqlite_tools).open()
    office.put(market.client, {"caps": {"budget": {"cap": "Lifetime", "value": 4}}})
    clicked(market, 0, 8)
    owner = person(office, "OWNER")
    employer = person(office, "EMPLOYER", market.client.rpartition("/")[2], mail="e@acme.example")
    mine, theirs = (
        Browser(fronted(office.desk, office.app), session(office, one)) for one in (owner, employer)
    )
    month = "//dl[@class='tiles']/div[dt='Used this month']/dd"
    none = "with markups; no daily, weekly or monthly budget"
    [told], [seen] = mine.get("/app").all(month), theirs.get(f"/app{market.client}").all(month)
    assert none in told
    assert none in seen
    office.client(companyName="Second", caps=budget(900))
    [told] = mine.get("/app").all(month)
    assert "planned; 1 client has no daily, weekly or monthly budget" in told
    [told] = mine.get(f"/app{market.client}").all("//dl/div[dt='Lifetime budget']/dd")
    assert told.endswith("used $2.00, with markups, without bought slots")


def test_a_single_other_campaign_is_one(
    sqlite_office: Office, sqlite_tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overviews, "MOST_SERIES", 1)
    office, market = sqlite_office, Market(sqlite_office, sqlite_tools).open()
    clicked(market, 0, 8)
    market.group = office.group(office.campaign(market.client, name="second"))
    clicked(market, 0, 4)
    employer = person(office, "EMPLOYER", market.client.rpartition("/")[2], mail="e@acme.example")
    browser = Browser(fronted(office.desk, office.app), session(office, employer))
    for path in ("", "/reports?level=CAMPAIGN", "/reports?level=CAMPAIGN_DAY"):
        seen = browser.get(f"/app{market.client}{path}")
        assert seen.status == 200
        assert "1 other" in seen.text
        assert "1 others" not in seen.text


def test_placements_tell_their_share_of_what_was_spent(
    sqlite_office: Office, sqlite_tools: Tools
) -> None:
    office, market = sqlite_office, Market(sqlite_office, sqlite_tools).open()
    clicked(market, 0, 8)
    office.new("/publishers", {"id": "Second", "bidType": "CPC"})
    places = [{"value": one} for one in (market.publisher, "Second")]
    office.put(market.group, {"placements": places})
    browser = Browser(fronted(office.desk, office.app), session(office, person(office, "OWNER")))
    table = "//section[@aria-labelledby='placements']//table"
    seen = browser.get(f"/app{market.group}?figures=yes&days=1")
    place = seen.all(f"{table}//thead//th").index("Share")
    assert seen.all(f"{table}//tbody/tr/*[{place + 1}]") == ["100 %", "–"]


def test_the_lines_of_job_groups_sum_to_the_clients_figures(
    sqlite_office: Office, sqlite_tools: Tools
) -> None:
    """Also what a job group brought before it was deleted."""
    office, market = sqlite_office, Market(sqlite_office, sqlite_tools).open()
    clicked(market, 0, 8)
    browser = Browser(fronted(office.desk, office.app), office.headers)
    lines = "//section[@aria-labelledby='groups']//tbody/tr"
    before = len(browser.get(f"/app{market.client}").all(lines))
    assert office.ask("DELETE", market.campaign).status == 200
    seen = browser.get(f"/app{market.client}")
    assert len(seen.all(lines)) == before
    whole = seen.all("//dl[@class='tiles']/div[dt='Spend']/dd/strong")
    assert seen.all(f"{lines}/td[2]") == whole == ["$2.00"]
    assert seen.all(f"{lines}//input") == [], "there is nothing to set any more"
