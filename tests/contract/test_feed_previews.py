"""Previews of a feed: what a run would find, read from its beginning, with nothing kept."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.office import OPERATIONS, Office
from contract.world import fingerprint
from handbill.api import fronted
from handbill.feeds import previewing as previews
from handbill.host.egress import Egress
from handbill.http.app import Application
from pages.browsing import Browser
from rooms.feed_world import world_on
from sites import MAPPINGS, Site, document, item, serving


# ── feeds ───────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def site(office: Office) -> Iterator[Site]:
    """A site whose feeds the office may fetch."""
    with serving() as found:
        egress = Egress((f"127.0.0.1:{found.port}",))
        office.desk = replace(office.desk, egress=egress)
        office.app = Application(OPERATIONS, office.desk)
        yield found
        egress.close()


def tried(office: Office, site: Site, client: str, page: bytes, **more: Any) -> Any:
    site.pages["/feed.xml"] = page
    before = fingerprint(office.desk.records)
    body = {"xmlFeedUrl": site.url(), "schemaMappings": {}} | more
    reply = office.ask("POST", f"{client}/feeds/preview", body)
    assert reply.status == 200, reply.raw
    assert fingerprint(office.desk.records) == before
    return reply.json


def test_what_is_wrong_in_a_feed_is_a_file_too(office: Office, site: Site) -> None:
    client = office.client()
    faults = 14
    some = (item(str(n), url="nowhere") for n in range(faults))
    site.pages["/feed.xml"] = document(item("good"), *some)
    feed = office.new(f"{client}/feeds", {"xmlFeedUrl": site.url(), "schemaMappings": MAPPINGS})
    browser = Browser(fronted(office.desk, office.app), office.headers)
    path = f"/app{client}/feeds/{feed}/mapping"
    seen = browser.post(path, {"do": "try"})
    panel = "//section[@aria-labelledby='faults']"
    assert (seen.status, len(seen.all(f"{panel}//tbody/tr"))) == (200, 10)
    assert f"{faults - 10} more faults are in the CSV" in seen.text
    file = browser.post(path, {"do": "file"})
    heading, *lines = file.text.splitlines()
    assert (heading, len(lines)) == ("Job,Line,Field,Fault", faults)
    assert lines[0].startswith("0,")
    site.pages["/feed.xml"] = document(item("good"))
    assert browser.post(path, {"do": "file"}).status == 200, "nothing is wrong any more"


def test_a_feed_is_tried_with_the_mapping_that_it_shows(office: Office, site: Site) -> None:
    page = document(
        item("1", date="2026-11-02", cpc="0.30"),
        item("2", url="nowhere", date="soon"),
        item("1"),
        item(""),
        *(item(str(n)) for n in range(5, 8)),
    )
    found = tried(office, site, office.client(), page)
    assert (found["status"], found["reason"], found["stoppedBy"]) == ("SUCCESS", "", "END")
    assert found["bytes"] == len(page)
    assert found["counts"] == {"total": 7, "valid": 4, "invalid": 1, "duplicates": 1, "skipped": 1}
    told = [(one["job"], one["field"], one["line"], one["reason"]) for one in found["faults"]]
    assert ("2", "url", 4, "not_a_url") in told
    assert ("2", "date", 4, "not_a_date") in told
    assert ("", "referencenumber", 6, "missing") in told
    assert found["faultCounts"]["duplicate"] == 1
    assert found["schemaMappings"] == found["proposedMappings"]
    proposal = found["proposedMappings"]
    assert (proposal["schemaMappingsJob"], proposal["schemaMappingsRefNumber"]) == ("job", "id")
    assert found["nodes"] == ["id", "title", "description", "url", "city", "date", "cpc"]
    assert [job["refNumber"] for job in found["jobs"]] == ["2", "1", "5"]
    assert found["jobs"][0]["valid"] is False
    assert found["jobs"][1]["fromFeed"] is True


def test_the_mapping_given_is_the_one_that_is_tried(office: Office, site: Site) -> None:
    page = document(item("1", shift="night", pay="2.50"))
    given = dict(MAPPINGS) | {"schemaMappingsCPCBid": "pay"}
    found = tried(office, site, office.client(), page, schemaMappings=given)
    assert found["schemaMappings"]["schemaMappingsCPCBid"] == "pay"
    assert found["proposedMappings"]["schemaMappingsCPCBid"] is None
    assert found["fields"] == ["shift"]
    assert found["jobs"][0]["additionalFields"] == {"shift": "night"}


def test_a_preview_says_what_a_run_would_find(office: Office, site: Site, tmp_path: Path) -> None:
    page = document(*(item(str(n), cpc="x" if n % 3 else "1.5") for n in range(9)), item("1"))
    page = page.replace(b"<jobs>", b"<jobs><total>40</total>", 1)
    found = tried(office, site, office.client(), page, schemaMappings=dict(MAPPINGS))
    with world_on(office.desk.records, tmp_path / "world") as world:
        world.site.pages["/feed.xml"] = page
        run = world.run(world.feed())
    assert (found["counts"]["total"], found["counts"]["duplicates"]) == (
        run.body.counts["total"],
        run.body.counts["duplicates"],
    )
    assert found["faultCounts"] == run.body.fault_counts
    assert (
        found["message"]
        == run.body.message
        == "The feed says that it has 40 jobs, and contains 10."
    )
    assert found["faults"] == msgspec.to_builtins(run.body.faults)


def test_only_the_beginning_is_read(office: Office, site: Site) -> None:
    client = office.client()
    many = tried(office, site, client, document(*(item(str(n)) for n in range(600))))
    assert (many["stoppedBy"], many["counts"]["total"]) == ("ITEMS", previews.MOST_ITEMS)
    long = "x" * 100_000
    page = document(*(item(str(n), description=long) for n in range(80)))
    large = tried(office, site, client, page)
    assert (large["status"], large["stoppedBy"]) == ("SUCCESS", "BYTES")
    assert 40 < large["counts"]["total"] < 80
    assert large["bytes"] < len(page)
    one = tried(office, site, client, document(item("1", description="x" * 9_000_000)))
    assert (one["status"], one["counts"]["total"]) == ("FAILED", 0)


@pytest.mark.parametrize(
    ("page", "line"),
    [
        (b"<jobs>\n<job><id>1</id>\n</jobs>", 3),
        (document(item("1")) + b"<more/>", 5),
        (b"<!DOCTYPE x>" + document(item("1")), 1),
        (b"no feed at all", 1),
    ],
)
def test_what_is_malformed_is_told_with_its_line(
    office: Office, site: Site, page: bytes, line: int
) -> None:
    found = tried(office, site, office.client(), page, schemaMappings=dict(MAPPINGS))
    assert (found["status"], found["reason"], found["line"]) == ("FAILED", "malformed", line)
    assert found["message"]


def test_nodes_that_nobody_knows_are_shown(office: Office, site: Site) -> None:
    client, page = office.client(), b"<a><b><c>1</c><d>x</d></b></a>"
    found = tried(office, site, client, page)
    assert (found["status"], found["reason"]) == ("FAILED", "unmapped")
    assert found["proposedMappings"] is None
    given = {
        "schemaMappingsJobCollection": "a",
        "schemaMappingsJob": "b",
        "schemaMappingsRefNumber": "c",
        "schemaMappingsTitle": "d",
        "schemaMappingsDescription": "d",
        "schemaMappingsURL": "d",
    }
    found = tried(office, site, client, page, schemaMappings=given)
    assert (found["nodes"], found["counts"]["invalid"]) == (["c", "d"], 1)


def test_an_empty_feed_and_one_that_is_not_there(office: Office, site: Site) -> None:
    client = office.client()
    empty = tried(office, site, client, document(), schemaMappings=dict(MAPPINGS))
    assert (empty["status"], empty["reason"]) == ("FAILED", "empty")
    gone = tried(office, site, client, b"", xmlFeedUrl=site.url("/nothing"))
    assert (gone["status"], gone["reason"], gone["stoppedBy"]) == ("FAILED", "fetch", "FETCH")
    assert "404" in gone["message"]
    inside = tried(office, site, client, b"", xmlFeedUrl="http://127.0.0.1:80/feed.xml")
    assert (inside["status"], inside["reason"]) == ("FAILED", "fetch")


def test_credentials_go_to_the_feed_and_nowhere_else(office: Office, site: Site) -> None:
    config = {"userAgent": "Reader/1", "auth": {"username": "u", "password": "secret"}}
    found = tried(office, site, office.client(), document(item("1")), config=config)
    assert site.asked[-1]["User-Agent"] == "Reader/1"
    assert site.asked[-1]["Authorization"].startswith("Basic ")
    assert "secret" not in str(found)


def test_what_creating_a_feed_refuses_is_refused(office: Office) -> None:
    url = f"{office.client()}/feeds/preview"
    faults = office.faults("POST", url, {"xmlFeedUrl": "ftp://x", "schemaMappings": {}})
    assert "/xmlFeedUrl" in faults
    given = {"schemaMappingsTitle": "title"}
    faults = office.faults("POST", url, {"xmlFeedUrl": "http://x.org/", "schemaMappings": given})
    assert "/schemaMappings/schemaMappingsURL" in faults


class Meanwhile(dict[str, Any]):
    """Pages that are only found after something else was done."""

    def __init__(self, page: bytes, do: Callable[[], Any]) -> None:
        super().__init__({"/feed.xml": page})
        self.do = do

    def get(self, *asked: Any) -> Any:
        self.do()
        return super().get(*asked)


def test_nobody_waits_for_a_preview(office: Office, site: Site) -> None:
    client = office.client()
    site.pages = Meanwhile(
        document(item("1")), lambda: office.new("/publishers", {"id": "Else", "bidType": "CPC"})
    )
    body = {"xmlFeedUrl": site.url(), "schemaMappings": {}}
    reply = office.ask("POST", f"{client}/feeds/preview", body, {"idempotency-key": "k"})
    assert reply.status == 200
    assert office.get("/publishers/Else")["id"] == "Else"
