"""With blobs in S3 the edge hands feeds out from copies on its own disk: each host has its own."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.demo.feeds import feed
from handbill.http1.messages import Headers, Request
from handbill.kit.instants import DAY
from handbill.ledger.service import export
from handbill.listings.service import rewrite_files
from handbill.listings.work import TASKS, look_nearby
from handbill.store.blobs import open_blobs
from handbill.store.records import Records, open_records
from handbill.tracking.files import FileStream, feed_file
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Tools
from masters import MASTERS
from rooms.listing_market import Market, place
from rooms.listing_market import open_market as listed_market
from served_market import BROWSER, JOBS, click, open_market
from serving import Office, Server, asked, handbill, hosted, serving, until

LOOK = Task(1, "listings.nearby", "", {}, 1, "lease")


@pytest.fixture
def market(sqlite_records: Records, tmp_path: Path, s3: str) -> Iterator[Market]:
    found = listed_market(sqlite_records, tmp_path)
    found.tools = on_host(found.tools, tmp_path / "one", s3)
    found.tasks = dict(TASKS) | found.tasks
    yield found
    found.tools.index.close()


def on_host(tools: Tools, folder: Path, url: str) -> Tools:
    """The same tools on a host with a data folder of its own."""
    settings = msgspec.structs.replace(tools.settings, data=str(folder), blobs_url=url)
    (folder / "scratch").mkdir(parents=True)
    return replace(tools, settings=settings, blobs=open_blobs(url), scratch=folder / "scratch")


def seen(tools: Tools, known: str = "") -> dict[str, tuple[bytes, bytes]]:
    """What an edge of the host hands out, by name: head and body, as to one who knows an ETag."""
    folder = tools.settings.nearby_folder / "feeds"
    names = [path.name for path in folder.glob("*.xml*") if path.suffix != ".note"]
    return {name: read(folder, name, known) for name in names}


def read(folder: Path, name: str, known: str) -> tuple[bytes, bytes]:
    headers = Headers("", False, False, None, b"", known.encode() or None, None)
    request = Request(bytes(16), b"GET", b"", headers, "")
    with ExitStack() as opened:
        answer = feed_file(folder, name.encode(), request, opened, lambda *_: None)
    if isinstance(answer.body, FileStream):
        content = answer.body.read()
        answer.body.close()
        return answer.head, content
    return answer.head, b""


def test_what_is_written_is_near_and_a_new_host_fetches_it(market: Market, tmp_path: Path) -> None:
    publisher = market.publisher("One", bid_type="CPC")
    client = market.client()
    market.group(market.campaign(client), cpc_bid_micros=500_000, placements=(place("One"),))
    market.job(client, "R-1")

    def publish() -> None:
        market.write(lambda tx: enqueue(tx, "groups.rematch", client.id, market.now()))
        market.drain()

    publish()
    first = market.tools
    written = seen(first)
    assert len(written) == 2
    assert {first.blobs.get(f"feeds/{name}") for name in written} == {
        content for _, content in written.values()
    }
    second = on_host(first, tmp_path / "two", first.settings.blobs_url)
    assert seen(second) == {}
    market.tools = second
    look_nearby(second, LOOK)
    assert ("listings.assemble", str(publisher.no)) in market.drain()
    assert seen(second) == written, "the same bytes and the same validators"
    look_nearby(second, LOOK)
    assert market.drain() == []

    # The second writes it anew; what the first has is of yesterday then.
    market.clock.forward(DAY)
    market.job(client, "R-2")
    publish()
    assert b"R-2" in max(content for _, content in seen(second).values())
    market.tools = first
    assert seen(first) == written
    look_nearby(first, LOOK)
    market.drain()
    assert seen(first) == seen(second)
    assert list(first.own_scratch.iterdir()) == []


@pytest.mark.parametrize("blobs", ["folder", "s3"])
def test_the_same_content_has_one_etag_whoever_writes_it_and_wherever(
    market: Market, tmp_path: Path, blobs: str
) -> None:
    if blobs == "folder":
        market.tools = on_host(market.tools, tmp_path / "local", str(tmp_path / "blobs"))
    market.publisher("One", bid_type="CPC")
    client = market.client()
    market.group(market.campaign(client), cpc_bid_micros=500_000, placements=(place("One"),))
    market.job(client, "R-1")
    market.write(lambda tx: enqueue(tx, "groups.rematch", client.id, market.now()))
    market.drain()
    first = market.tools
    before = seen(first)
    # As a restore, or another host that does not know what there is, has all written again.
    market.clock.forward(DAY)
    market.tools = replace(first, scratch=tmp_path / "of another")
    market.tools.scratch.mkdir()
    market.write(lambda tx: rewrite_files(tx, market.now()))
    market.drain()
    after = seen(first)
    assert len(after) == 2
    for name, (head, _) in after.items():
        tag = said(head, "ETag")
        assert said(before[name][0], "ETag") == tag
        assert said(before[name][0], "Last-Modified") != said(head, "Last-Modified")
        assert seen(first, tag)[name][0].startswith(b"HTTP/1.1 304")
    market.job(client, "R-2")
    market.write(lambda tx: enqueue(tx, "groups.rematch", client.id, market.now()))
    market.drain()
    tags = {said(head, "ETag") for head, _ in (after | seen(first)).values()}
    assert len(tags | {said(head, "ETag") for head, _ in after.values()}) == 4


def line_of(server: Server, words: str) -> dict[str, Any] | None:
    """The first line of the log with these words."""
    return next((line for line in server.log if words in line["message"]), None)


def test_a_start_without_its_store_says_so_and_serves(tmp_path: Path, s3: str) -> None:
    with serving(tmp_path / "data", blobs_url=s3.replace("s3://", "s3://no-")) as server:
        told = until("it is said", lambda: line_of(server, "do not answer"))
        assert told["level"] == "error"
        assert told["message"].startswith("the blobs at s3://no-")
        assert "that the bucket exists" in told["message"]
        assert asked(f"{server.edge}/readyz")[0] == 200
        failed = until("a task asks for it", lambda: line_of(server, "failed: the blob store"))
        assert "trace" not in failed, "no bug of ours"
        assert server.stop() == 0


def said(head: bytes, name: str) -> str:
    found = re.search(rf"^{name}: (.*)\r$", head.decode(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_whole_tree_on_s3_and_its_copy_in_another_place(tmp_path: Path, s3: str) -> None:
    data, copy, backup = (tmp_path / name for name in ("data", "copy", "backup"))
    with hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site:
        common = {"egress_allow": site.removeprefix("http://")}
        with serving(data, blobs_url=s3, **common) as server:
            office = Office(server)
            client, links = open_market(office, site)  # the feed is read at the edge
            status, id_ = click(links[0], BROWSER, "198.18.0.7")
            assert status == 302
            until("it is judged", lambda: booked(data, s3) == [id_] or None)
            header, row = report_of(office, client)
            assert dict(zip(header, row, strict=True))["clicks"] == "1"
            feed_url = office.ask("GET", "/publishers/TestExp1")["feedUrl"]
            tag = asked(feed_url)[1]["etag"]
            ports = {"edge_port": server.edge.rpartition(":")[2]}
            made = handbill("backup", str(backup), data=data, blobs_url=s3)
            assert made.returncode == 0, made.stderr
            assert server.stop() == 0
        there = f"{s3}-copy"
        named = ("restore", str(backup), "--key", str(data / "secrets.key"))
        brought = handbill(*named, data=copy, blobs_url=there)
        assert brought.returncode == 0, brought.stderr
        with serving(copy, blobs_url=there, **common, **ports) as server:
            assert click(links[1], BROWSER, "198.18.0.8")[0] == 302
            until("it has the feed", lambda: asked(feed_url)[0] == 200 or None)
            assert asked(feed_url)[1]["etag"] == tag
            assert server.stop() == 0
    assert exported(data, s3) == [id_]
    assert len(exported(copy, there)) == 2
    assert not any((folder / "blobs").exists() for folder in (data, copy))


def booked(data: Path, blobs_url: str) -> list[str]:
    """Without a command, which would be started again and again while the judge is waited for."""
    with closing(open_records(f"sqlite:///{data / 'records.db'}", MASTERS)) as records:
        entries = export(records, open_blobs(blobs_url), data / "scratch")
        return [str(entry["id"]) for entry in entries]


def exported(data: Path, blobs_url: str) -> list[str]:
    told = handbill("ledger", "export", data=data, blobs_url=blobs_url)
    return [json.loads(line)["id"] for line in told.stdout.splitlines()]


def report_of(office: Office, client: str) -> list[list[str]]:
    """A report of the client's clicks, made in S3 and downloaded: its header and its row."""
    days = {"startDate": "2026-01-01", "endDate": "2030-12-31"}
    body = {"groupBy": "CLIENT", "filterBy": days}
    report = office.ask("POST", "/reports/stats", body, x_client_id=client)["reportId"]

    def url() -> str | None:
        told = office.ask("GET", f"/reports/{report}", x_client_id=client)
        return str(told["url"]) if told["status"] == "SUCCESS" else None

    status, _, raw = asked(until("the report", url))
    assert status == 200
    return [line.split(",") for line in raw.decode("utf-8-sig").splitlines()]
