"""Files of panels: each table and each row of tiles, as the page shows it, with exact figures."""

import csv
import io
import re
from decimal import Decimal
from typing import Final

import pytest
from lxml import html

from contract.conftest import sqlite_office
from contract.office import Office
from contract.signed_in import person, session
from contract.test_explain import sqlite_tools
from contract.test_overview import clicked
from contract.test_resolved_status import Market
from contract.world import World
from handbill.api import fronted
from handbill.work.tools import Tools
from pages.browsing import Browser, Seen
from pages.walking import walked

__all__ = ["sqlite_office", "sqlite_tools"]

FORMULA: Final = "=cmd|' /C calc'!A0"
_AMOUNT: Final = re.compile(r"[^0-9.−]")
_LETTERS: Final = re.compile(r"[0-9] (?:h|min|B|kB|MB|GB|TB)\b")


@pytest.fixture
def market(sqlite_office: Office, sqlite_tools: Tools) -> Market:
    return _busy(Market(sqlite_office, sqlite_tools).open())


def _busy(market: Market) -> Market:
    """With figures of three days, and names that a spreadsheet would compute."""
    for days_ago in (0, 3, 40):
        clicked(market, days_ago, 7 + days_ago, marked=271_937)
    market.office.put(market.group, {"name": FORMULA})
    market.office.put(f"/publishers/{market.publisher}", {"name": FORMULA})
    return market


def _file(browser: Browser, link: str) -> list[list[str]]:
    seen = browser.get(link)
    assert seen.status == 200, link
    assert seen.headers["content-type"] == "text/csv; charset=utf-8"
    assert seen.headers["content-disposition"].startswith("attachment;")
    return list(csv.reader(io.StringIO(seen.text, newline="")))


def _parts(panel: html.HtmlElement) -> list[html.HtmlElement]:
    return [*panel.xpath(".//table | .//dl[@class='tiles']")]


def _text(node: html.HtmlElement) -> str:
    parts = node.xpath(".//text()[not(ancestor::svg)]")
    return " ".join("".join(parts).split())


def _same(shown: html.HtmlElement, told: str) -> bool:
    """Whether a file tells what a cell shows."""
    text, own = _text(shown), told.removeprefix("'")
    if own == "":
        return text in {"", "–"} or bool(shown.xpath(".//button"))
    if own in (one.rpartition("=")[2].partition("#")[0] for one in shown.xpath(".//a/@href")):
        return True  # the id of what a link leads to
    if shown.xpath(".//input[not(@type='hidden')]"):
        return own in shown.xpath(".//input/@value")
    if own.isdigit() and _LETTERS.search(text):
        return True  # in the largest unit on the page, in the smallest one here
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", own):
        for note in shown.xpath(".//*[@class='note']"):
            text = text.replace(_text(note), "")
        digits = _AMOUNT.sub("", text).replace("−", "-")
        places = len(digits.partition(".")[2])
        return abs(Decimal(digits) - Decimal(own)) <= Decimal(1).scaleb(-places)
    is_instant = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*", own)
    own = f"{own[:10]} {own[11:16]} UTC" if is_instant else own
    return own.replace(" ", "") in text.replace(" ", "")


def _compare(browser: Browser, seen: Seen) -> int:
    """How many tables of a page are in files, as they are shown; all must be."""
    count = 0
    for panel in seen.tree.xpath("//section[@class='panel']"):
        links = [one for one in panel.xpath(".//a[@download]/@href") if "csv=" in one]
        parts = _parts(panel)
        assert len(links) >= len(parts), _text(panel)[:60]
        for part, link in zip(parts, links, strict=False):
            heading, *lines = _file(browser, link)
            count += 1
            if part.tag == "dl":
                assert [line[0] for line in lines] == [_text(one) for one in part.iter("dt")]
                continue
            heads = part.xpath(".//th[@scope='col']")
            kept = [n for n, one in enumerate(heads) if not one.xpath("@class='drawn' or span")]
            assert heading == [_text(heads[n]) for n in kept]
            rows = [row.xpath("th|td") for row in part.xpath(".//tbody/tr[not(td/@colspan)]")]
            if seen.all("//h1") == ["Health"]:
                continue  # what the host measures is another figure each time
            assert len(lines) == len(rows)
            for row, line in zip(rows, lines, strict=True):
                for n, told in zip(kept, line, strict=True):
                    assert _same(row[n], told), (link, _text(row[n]), told)
    return count


def test_each_table_and_its_file_say_the_same(market: Market) -> None:
    office = market.office
    browser = Browser(fronted(office.desk, office.app), session(office, person(office, "OPERATOR")))
    tables = {}

    def read(path: str) -> str:
        seen = browser.get(path)
        assert seen.status == 200, path
        tables[path] = _compare(browser, seen)
        return seen.text

    walked(read)
    assert sum(tables.values()) > 20
    _, line, *_ = _file(browser, f"/app{market.client}?csv=groups")
    assert line[0].startswith(f"'{FORMULA}")


def test_a_file_has_the_filters_of_the_page_and_exact_figures(market: Market) -> None:
    browser = Browser(fronted(market.office.desk, market.office.app), market.office.headers)
    at = f"/app{market.client}"
    for days, spent, clicks in ((7, "4.25", "17"), (90, "16", "64")):
        heading, line = _file(browser, f"{at}?days={days}&csv=by-publisher")
        assert dict(zip(heading, line, strict=True)) == {
            "Publisher": f"'{FORMULA}",
            "Spend": spent,
            "Share": "100",
            "Clicks": clicks,
            "Applies": "0",
            "CPA": "",
        }
    lines = _file(browser, f"{at}?days=7&csv=publisher-days")
    assert lines[0] == ["Day", "Publisher", "Spend", "Clicks", "Applies", "CPA"]
    assert [(line[2], line[3]) for line in lines[1:] if line[3] != "0"] == [
        ("2.5", "10"),
        ("1.75", "7"),
    ]
    assert len(lines) == 1 + 7


@pytest.mark.parametrize("name", ["nothing", "by-publisher.9", "main", "%3Cscript%3E", "x.0", "."])
def test_a_part_that_a_page_has_not_is_not_found(world: World, browser: Browser, name: str) -> None:
    assert browser.get(f"/app{world.client}?csv={name}").status == 404


def test_what_answers_a_form_offers_no_file(world: World, browser: Browser) -> None:
    of = {"campaign": world.ids["campaign_id"], "jobgroup": world.ids["jobgroup_id"]}
    seen = browser.post(f"/app{world.client}/jobgroups", of | {"bid": "a lot"})
    assert seen.status == 400
    assert seen.all("//a[@download]/@href[contains(., 'csv=by-day')]") == []
