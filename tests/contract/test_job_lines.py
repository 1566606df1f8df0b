"""Jobs in brief: page after page, in two orders; those that no feed lists; and all as a file."""

import csv
import io
from typing import Any

import pytest

from contract.office import Office
from contract.signed_in import person, session
from contract.test_explain import id_of, sqlite_tools
from contract.test_previews import add_jobs
from contract.test_resolved_status import Market
from handbill.api import fronted
from handbill.core.nouns import JobBody
from handbill.jobs import service as jobs
from handbill.pages import job_files
from handbill.work.tools import Tools
from pages.browsing import Browser

__all__ = ["sqlite_tools"]
_MANY = 1_003


@pytest.fixture
def market(sqlite_office: Office, sqlite_tools: Tools) -> Market:
    """One job is listed."""
    return Market(sqlite_office, sqlite_tools).open()


def _refs(market: Market, query: str = "") -> list[str]:
    """References, by pages of two."""
    path, found, cursor = f"{market.client}/job-lines?limit=2&{query}", [], ""
    while True:
        told: Any = market.office.get(f"{path}&cursor={cursor}" if cursor else path)
        assert len(told["data"]) <= 2
        found += [one["refNumber"] for one in told["data"]]
        if told["next"] is None:
            return found
        cursor = told["next"]


def _many(market: Market) -> None:
    body: dict[str, Any] = {"company": "c", "city": "Austin", "description": "d", "country": "US"}
    brought = [
        jobs.written(
            JobBody(ref=f"r{n:04}", url="https://jobs.test/1", title=f"=t{n % 7}", **body),
            None,
            None,
        )
        for n in range(_MANY)
    ]
    with market.tools.records.write() as tx:
        jobs.apply(tx, market.at_work(), None, brought, market.office.clock.now())


def test_jobs_come_once_each_in_the_order_that_is_asked_for(market: Market) -> None:
    office = market.office
    for ref, title in (("b", "nurse"), ("c", "Baker"), ("d", "nurse"), ("e", "Zoo")):
        job = {"refNumber": ref, "title": title, "description": "d", "url": "https://e.test/1"}
        office.new(f"{market.client}/jobs", job)
    first = office.get(market.job)["title"].lower()
    assert _refs(market) == ["1", "b", "c", "d", "e"]
    titled = [("nurse", "b"), ("baker", "c"), ("nurse", "d"), ("zoo", "e"), (first, "1")]
    order = {"1": 0, "b": 1, "c": 2, "d": 3, "e": 4}
    by_title = sorted(titled, key=lambda one: (one[0], order[one[1]]))
    assert _refs(market, "sort=title") == [ref for _, ref in by_title]
    office.put(f"{market.client}/jobs/b/pause")
    second = office.get(f"{market.client}/job-lines?limit=2")["data"][1]
    assert (second["status"], second["valid"], second["jobId"]) == (
        "PAUSED",
        True,
        office.get(f"{market.client}/jobs/b")["jobId"],
    )
    office.ask("DELETE", f"{market.client}/jobs/c")
    assert _refs(market) == ["1", "b", "d", "e"]


def test_a_job_that_is_not_valid_tells_what_it_lacks(market: Market) -> None:
    office = market.office
    add_jobs(office, market.client, "bare", city="Austin", description="")
    lines = {one["refNumber"]: one for one in office.get(f"{market.client}/job-lines")["data"]}
    told = {ref: (one["valid"], one["missingFields"]) for ref, one in lines.items()}
    assert told == {"1": (True, []), "bare": (False, ["description"])}
    browser = Browser(fronted(office.desk, office.app), session(office, person(office, "ANALYST")))
    path = f"/app/clients/{id_of(market.client)}/jobs"
    for query in ("", "?ref=bare"):
        states = browser.get(f"{path}{query}").all("//tbody/tr/td[4]")
        assert states[-1] == "Active, not valid: description"
    assert "not valid: description" in browser.get(f"{path}?csv=jobs").text


def test_what_no_feed_lists_is_what_explain_does_not_find_listed(market: Market) -> None:
    assert _refs(market, "show=unlisted") == []
    add_jobs(market.office, market.client, "2", "3", "4", city="Austin")
    assert _refs(market, "show=unlisted") == ["2", "3", "4"], "not yet"
    market.office.put(f"{market.client}/jobs/3/pause")
    market.tick()
    assert _refs(market, "show=unlisted") == ["3"]
    assert _refs(market) == ["1", "2", "3", "4"]
    market.office.put(f"{market.group}/pause")
    market.tick()
    assert _refs(market, "show=unlisted&sort=title") == ["1", "2", "3", "4"]


def test_what_was_never_listed_is_told_apart_from_what_has_left(market: Market) -> None:
    office, never = market.office, "show=never_listed"
    add_jobs(office, market.client, "2", "3", city="Austin")
    office.put(f"{market.client}/jobs/3/pause")
    assert _refs(market, never) == ["2", "3"], "not yet"
    market.tick()
    assert _refs(market, never) == ["3"]
    office.put(f"{market.client}/jobs/2/pause")
    market.tick()
    assert _refs(market, "show=unlisted") == ["2", "3"]
    assert _refs(market, never) == ["3"], "2 has left, and was listed"
    office.put(f"{market.group}/pause")
    market.tick()
    assert _refs(market, "show=unlisted") == ["1", "2", "3"]
    assert _refs(market, never) == ["3"]
    office.put(f"{market.group}/enable")
    market.tick()
    assert _refs(market, never) == ["3"]
    office.put(f"{market.client}/jobs/3/enable")
    market.tick()
    assert _refs(market, never) == []
    browser = Browser(fronted(office.desk, office.app), session(office, person(office, "ANALYST")))
    page = browser.get(f"/app/clients/{id_of(market.client)}/jobs?show=never").text
    assert "Each job is, or was, in the feed of a publisher." in page


def test_a_cursor_is_the_clients_own(market: Market) -> None:
    path = f"{market.client}/job-lines"
    other = market.office.client()
    add_jobs(market.office, other, "9", city="Austin")
    (foreign,) = market.office.get(f"{other}/job-lines")["data"]
    told = {"/cursor": "must be next of a previous answer"}
    for cursor in (foreign["jobId"], "0" * 32, "x"):
        for show in ("all", "unlisted", "never_listed"):
            faults = market.office.faults("GET", f"{path}?cursor={cursor}&show={show}")
            assert faults == told, cursor


def test_a_file_has_all_jobs_that_are_asked_for(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_files, "LINES_AT_ONCE", 400)
    office = market.office
    _many(market)
    browser = Browser(fronted(office.desk, office.app), session(office, person(office, "ANALYST")))
    path = f"/app/clients/{id_of(market.client)}/jobs"
    seen = browser.get(f"{path}?sort=title")
    assert seen.all("//tbody/tr/th")[:2] == ["=t0", "=t0"]
    more = seen.all("//a[@rel='next']/@href")[0]
    assert browser.get(more).all("//tbody/tr/th")[0] == "=t0"
    for show, count in (("all", _MANY + 1), ("unlisted", _MANY)):
        file = browser.get(f"{path}?show={show}&csv=jobs")
        assert file.headers["content-type"] == "text/csv; charset=utf-8"
        heading, *lines = csv.reader(io.StringIO(file.text, newline=""))
        assert heading == ["Job", "Reference", "Company", "Place", "State"]
        refs = [line[1] for line in lines]
        assert (len(refs), len({*refs})) == (count, count)
        assert lines[-1][0] == f"'=t{(_MANY - 1) % 7}", "never a formula"
