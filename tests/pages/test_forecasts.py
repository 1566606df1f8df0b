"""A month has two forecasts: each says by what it goes."""

from contract.conftest import sqlite_office
from contract.office import Office
from contract.signed_in import person, session
from contract.test_explain import sqlite_tools
from contract.test_overview import clicked
from contract.test_resolved_status import Market, budget
from handbill.api import fronted
from handbill.kit.instants import DAY
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
    for one, word in ((owner, "Forecast"), (employer, "Spend this month")):
        browser = Browser(fronted(office.desk, office.app), session(office, one))
        seen = browser.get(f"/app{market.client}?days=1")
        assert seen.status == 200
        [told] = seen.all(f"//dl[@class='tiles']/div[dt='{word}']/dd")
        assert ("by weekdays" in told) == (one is owner)
        assert ("at the average of the last 7 days" in told) == (one is employer)
        assert "1 days" not in seen.text
