"""What an employer reads depends on marked-up amounts alone: others change, and nothing else."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from contract.office import OPERATIONS, Office
from contract.signed_in import asked, person, session
from contract.test_explain import id_of, sqlite_tools
from contract.test_overview import clicked
from contract.test_resolved_status import Market
from handbill.api import fronted
from handbill.core.metrics import (
    COUNTS_FOR_EMPLOYERS,
    FOR_EMPLOYERS,
    LEVELS_FOR_EMPLOYERS,
    NAMES,
)
from handbill.core.persons import PersonRole
from handbill.store.records.tables import client_days, place_days
from handbill.work.tools import Tools
from pages.browsing import Browser
from pages.walking import walked

__all__ = ["sqlite_tools"]

_OWN: Final = ("spent", "net_spent")
"""What publishers are paid, and what is spent before markups."""
_OPEN: Final = [row for row in OPERATIONS if row.open_to == "employer"]
_PASSING: Final = re.compile(
    r"[0-9.]+ ms|Request <code>[^<]+|name=\"form_token\" value=\"[^\"]+|PK.*", re.DOTALL
)
"""What differs between two pages that say the same."""


@pytest.fixture
def market(sqlite_office: Office, sqlite_tools: Tools) -> Market:
    """Two campaigns: the first one costs more before markups, the second one after them."""
    market = Market(sqlite_office, sqlite_tools).open()
    clicked(market, 0, 17, marked=271_937)
    clicked(market, 9, 13, marked=271_937)
    second = sqlite_office.campaign(market.client, caps={})
    other = replace(market, group=sqlite_office.group(second, placements=[market.placed()]))
    clicked(other, 3, 5, marked=2_719_370)
    return market


def _alter(market: Market) -> None:
    """Other amounts before markups, everywhere, by which the campaigns change places; those after
    them stay.
    """
    with market.tools.records.write() as tx:
        for table in (client_days, place_days):
            columns = [f"{name}_units" for name in _OWN]
            assert set(columns) <= {*table.columns.keys()}
            changes = ", ".join(f"{one} = 100 - {one}" for one in columns)
            tx.run_text(f"UPDATE {table.name} SET {changes}", {})


def _told(office: Office, headers: dict[str, str], client: str) -> dict[str, Any]:
    """All that somebody reads by the operations that are open to employers."""
    metrics = sorted(FOR_EMPLOYERS)
    found = {}
    for names in (metrics[:5], metrics[5:], ["cpa", "spent"], ["clicks", "spent"]):
        for days in (1, 7, 30):
            query = f"days={days}&metrics={','.join(names)}"
            urls = [f"/overview?page=0&limit=9&{query}"]
            urls += [f"{client}/timeseries?by={by}&{query}" for by in LEVELS_FOR_EMPLOYERS]
            for url in urls:
                reply = asked(office, headers, "GET", url)
                assert reply.status == 200, reply.raw
                kept = {name: reply.headers.get(name) for name in ("etag", "link")}
                found[url] = (reply.raw.replace(reply.headers["x-request-id"].encode(), b""), kept)
    for url in ("/needs?page=0&limit=9", "/people/me", "/people/me/mails"):
        found[url] = asked(office, headers, "GET", url).raw
    return found


def _pages(office: Office, headers: dict[str, str]) -> dict[str, str]:
    """All pages and files to which links lead somebody, without what passes."""
    browser = Browser(fronted(office.desk, office.app), headers)
    found: dict[str, str] = {}

    def read(path: str) -> str:
        seen = browser.get(path)
        while seen.status == 303:
            seen = browser.get(seen.headers["location"])
        assert seen.status == 200, path
        found[path] = _PASSING.sub("", seen.text)
        for link in seen.all("//a[@download]/@href"):
            found[link] = _file(browser.get(link).reply)
        return seen.text

    walked(read)
    return found


def _file(reply: Any) -> str:
    assert reply.status == 200
    if not reply.raw.startswith(b"PK"):
        return str(reply.raw.decode())
    with zipfile.ZipFile(io.BytesIO(reply.raw)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if "sheet" in name)


@pytest.mark.parametrize("role", ["EMPLOYER", "ANALYST"])
def test_what_is_read_depends_on_marked_up_amounts_alone(market: Market, role: PersonRole) -> None:
    """The same marked-up amounts, others before markups: an employer reads the same, byte by byte.
    An analyst, who sees the others, does not: so the test can fail.
    """
    office, of = market.office, [id_of(market.client)] if role == "EMPLOYER" else []
    headers = session(office, person(office, role, *of))
    reads: list[Callable[[], dict[str, Any]]] = [
        lambda: _told(office, headers, market.client),
        lambda: _pages(office, headers),
    ]
    before = [read() for read in reads]
    _alter(market)
    after = [read() for read in reads]
    for former, now in zip(before, after, strict=True):
        assert former.keys() == now.keys()
        differ = [url for url, told in former.items() if told != now[url]]
        assert bool(differ) is (role == "ANALYST"), differ[:5]


def test_amounts_are_marked_up(market: Market) -> None:
    office = market.office
    headers = session(office, person(office, "EMPLOYER", id_of(market.client)))
    for by in LEVELS_FOR_EMPLOYERS:
        url = f"{market.client}/timeseries?days=30&by={by}&metrics=spent"
        found = [
            str(one["total"]["spent"]) for one in asked(office, headers, "GET", url).json["series"]
        ]
        wanted = {"none": ["21.75496"], "campaign": ["13.59685", "8.15811"]}
        assert found == wanted[by], "the largest after markups comes first"


def test_pages_of_an_employer_tell_marked_up_spend(market: Market) -> None:
    office = market.office
    headers = session(office, person(office, "EMPLOYER", id_of(market.client)))
    browser, at = Browser(fronted(office.desk, office.app), headers), f"/app{market.client}"
    seen = browser.get(f"{at}?days=30")
    tiles = seen.all("//section[@aria-labelledby='money']//dd/strong")
    assert tiles[:3] == ["$21.75", "35", "0"]
    told = _rows(browser, f"{at}?days=30&csv=by-campaign")
    assert [(line["Spend"], line["Clicks"]) for line in told] == [
        ("13.59685", "5"),
        ("8.15811", "30"),
    ]
    days = _rows(browser, f"{at}/reports?days=7&level=DAY&csv=answer")
    assert [(line["Spend"], line["Clicks"]) for line in days if line["Clicks"] != "0"] == [
        ("4.622929", "17"),
        ("13.59685", "5"),
    ]
    both = _rows(browser, f"{at}/reports?days=30&level=CAMPAIGN_DAY&csv=answer")
    assert len(both) == 2 * 30
    jobs = browser.get(f"{at}/jobs")
    heads = jobs.all("//table//th[@scope='col']")
    assert (jobs.status, "Spend" in heads, "Clicks" in heads) == (200, False, True)


def _rows(browser: Browser, link: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.get(link).text)))


def test_an_employer_asks_for_no_level_that_tells_bids_or_publishers(market: Market) -> None:
    office = market.office
    headers = session(office, person(office, "EMPLOYER", id_of(market.client)))

    def refused(url: str) -> list[str]:
        reply = asked(office, headers, "GET", f"{market.client}/{url}")
        assert reply.status in {200, 400}, reply.raw
        return [fault["field"] for fault in reply.json.get("errors", ())]

    for by in ("publisher", "jobgroup"):
        assert refused(f"timeseries?by={by}") == ["/by"]
    jobs = "job-figures?page=0&limit=9"
    counts = "metrics=clicks,applies&sort=clicks"
    assert refused(f"{jobs}&{counts}") == []
    assert refused(jobs) == ["/metrics", "/sort"]
    assert refused(f"{jobs}&{counts}&show=SPENT") == ["/show"]
    for name in sorted({*NAMES} - COUNTS_FOR_EMPLOYERS):
        assert refused(f"{jobs}&sort=clicks&metrics={name}") == ["/metrics"], name
    assert not {"spent", "cpa", "cph"} & COUNTS_FOR_EMPLOYERS


def test_the_operations_of_employers_are_those_that_are_looked_at() -> None:
    """A new one is added above."""
    assert {row.name for row in _OPEN} == {
        "get_overview",
        "get_timeseries",
        "list_job_figures",
        "list_needs",
    }
