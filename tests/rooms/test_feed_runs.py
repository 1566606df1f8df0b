"""When a feed is run, what its server is asked and tells, and what changed settings do."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from handbill.feeds import service as feeds
from handbill.feeds.importing import import_feed
from handbill.feeds.reading import ImportFailed
from handbill.kit.instants import HOUR, MINUTE, SECOND
from handbill.store.records import Records
from rooms.feed_world import MONDAY, World, world_on
from rooms.test_feed_owners import delete
from sites import document, item


@pytest.fixture
def world(records: Records, tmp_path: Path) -> Iterator[World]:
    with world_on(records, tmp_path) as found:
        yield found


def test_changed_settings_read_every_job_anew(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, item("1"), item("2"))
    now = world.feed_now(feed)
    with world.records.write() as tx:
        given = {"value_overrides": {"company": "Mills"}}
        feeds.update(tx, world.clock.now(), world.client, now, given)
    assert world.serve_and_run(feed, item("1"), item("2"))["changed"] == 2
    assert world.jobs()["1"].body.company == "Mills"


def test_settings_changed_meanwhile(world: World) -> None:
    """What was read by settings that no longer hold is not taken over."""
    feed = world.feed()
    world.site.pages["/feed.xml"] = document(item("1"))
    with world.records.write() as tx:
        begun = feeds.begin_run(tx, world.tools.ids, MONDAY, feed.id)
        assert begun is not None
    now = world.feed_now(feed)
    with world.records.write() as tx:
        feeds.update(tx, MONDAY, world.client, now, {"url_params_to_strip": ["x"]})
    with world.records.write() as tx, pytest.raises(ImportFailed, match="was changed while"):
        feeds.check_unmoved(tx, begun[1])


def test_same_body_by_etag(world: World) -> None:
    feed = world.feed()
    world.site.marks["/feed.xml"] = '"v1"'
    world.serve_and_run(feed, item("1", title=""), item("2"))
    run = world.run(feed)
    assert world.site.asked[-1]["If-None-Match"] == '"v1"'
    assert {name: count for name, count in run.body.counts.items() if count} == {
        "total": 2,
        "unchanged": 2,
        "invalid": 1,
    }
    assert [fault.job for fault in run.body.faults] == ["1"]
    # A job was deleted meanwhile: the body is read once, and from then on it is the same again.
    delete(world, "2")
    assert world.run(feed).body.counts["deleted"] == 1
    assert "If-None-Match" not in world.site.asked[-1]
    run = world.run(feed)
    assert world.site.asked[-1]["If-None-Match"] == '"v1"'
    assert (run.body.counts["deleted"], run.body.counts["unchanged"]) == (1, 1)
    assert set(world.jobs()) == {"1"}


def test_gzip_and_encodings(world: World) -> None:
    feed = world.feed()
    text = document(item("1", title="Pflegekraft für Köln"), item("2")).decode()
    bodies = {
        "utf-8": text.encode("utf-8-sig"),
        "utf-16": text.encode("utf-16"),
        "latin": text.replace("'1.0'", "'1.0' encoding='ISO-8859-1'").encode("latin-1"),
        "cp1252": text.replace("'1.0'", "'1.0' encoding='windows-1252'").encode("cp1252"),
    }
    for name, body in bodies.items():
        world.site.pages["/feed.xml"] = gzip.compress(body)
        run = world.run(feed)
        assert run.state == "SUCCESS", (name, run.body)
        assert world.jobs()["1"].body.title == "Pflegekraft für Köln"
    assert run.body.counts["unchanged"] == 2


def test_mapping_found_by_the_first_run(world: World) -> None:
    feed = world.feed(mappings={})
    world.site.pages["/feed.xml"] = document(item("1"), item("2"))
    run = world.run(feed)
    assert run.state == "SUCCESS"
    kept = world.feed_now(feed).body.mappings
    assert kept["schemaMappingsRefNumber"] == "id"
    assert kept["schemaMappingsJobCollection"] == "jobs"
    assert world.run(feed).body.counts["unchanged"] == 2
    unknown = world.feed("/other.xml", mappings={})
    world.site.pages["/other.xml"] = b"<a><b><c>1</c></b></a>"
    assert world.run(unknown).body.reason == "unmapped"


def test_credentials_and_agent(world: World) -> None:
    config = {"user_agent": "Mills/1", "auth": {"username": "u", "password": "p"}}
    world.serve_and_run(world.feed(config=config), item("1"))
    assert world.site.asked[-1]["User-Agent"] == "Mills/1"
    assert world.site.asked[-1]["Authorization"] == "Basic dTpw"


def test_what_a_server_marks_in_latin_1_is_imported(world: World) -> None:
    """Each time anew, for such a mark cannot be said back."""
    feed = world.feed()
    world.site.headers = {
        "Content-Type": "text/xml; charset=\xfc",
        "Last-Modified": "Mi, 1. M\xe4rz",
        "X-Verlag": "M\xfcller",
    }
    world.site.marks["/feed.xml"] = '"M\xfcller"'
    assert world.serve_and_run(feed, item("1")) == {"total": 1, "added": 1}
    assert world.serve_and_run(feed, item("1")) == {"total": 1, "unchanged": 1}
    assert "If-None-Match" not in world.site.asked[-1]


def test_one_open_run_at_a_time(world: World) -> None:
    feed = world.feed()
    world.site.pages["/feed.xml"] = document(item("1"))
    with world.records.write() as tx:
        asked = feeds.run_now(tx, world.tools.ids, MONDAY, feed, force=False)
        again = feeds.run_now(tx, world.tools.ids, MONDAY, feed, force=True)
    assert asked.id == again.id
    assert world.run(feed).id == asked.id
    # A worker that died leaves its run open; the next takes it up.
    with world.records.write() as tx:
        begun = feeds.begin_run(tx, world.tools.ids, MONDAY, feed.id)
    assert begun is not None
    assert world.run(feed).id == begun[2].id
    with world.records.read() as tx:
        assert feeds.runs_page(tx, feed.no, 0, 10)[1] == 2


def test_scheduled_when_due(world: World) -> None:
    feed = world.feed()
    with world.records.write() as tx:
        tx.run_text("DELETE FROM tasks", {})
        feeds.enqueue_due(tx, world.clock.now() + 24 * HOUR - 1)
        assert tx.run_text("SELECT key FROM tasks", {})[0] == []
        feeds.enqueue_due(tx, world.clock.now() + 24 * HOUR)
        assert tx.run_text("SELECT kind, key FROM tasks", {})[0] == [("feeds.import", feed.id)]
        feeds.switch(tx, MONDAY, world.client, feeds.feed_of(tx, world.client.no, feed.id), "P")
        tx.run_text("DELETE FROM tasks", {})
        feeds.enqueue_due(tx, world.clock.now() + 240 * HOUR)
        assert tx.run_text("SELECT key FROM tasks", {})[0] == []
    assert import_feed(world.tools, feed.id) is None


def test_the_newest_runs_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_RUNS", 3)
    feed, other = world.feed(), world.feed("/other.xml")
    world.site.pages["/other.xml"] = document(item("2"))
    first = world.run(other)
    world.serve_and_run(feed, item("1"))
    world.site.pages["/feed.xml"] = b"broken"
    failed = [world.run(feed).id for _ in range(4)]
    with world.records.read() as tx:
        runs, count = feeds.runs_page(tx, feed.no, 0, 10)
        assert ([run.id for run in runs], count) == (failed[:0:-1], 3)
        assert [run.id for run in feeds.runs_page(tx, other.no, 0, 10)[0]] == [first.id]


def test_a_feed_is_due_at_the_same_time_of_each_day(world: World) -> None:
    """However late it is looked at, long it takes, and often it is run besides."""
    feed = world.feed()
    for day in range(1, 5):
        world.clock.at = feed.created_at + day * 24 * HOUR + 29 * SECOND
        with world.records.write() as tx:
            feeds.enqueue_due(tx, world.clock.now())
        world.site.pages.clear()
        assert world.run(feed).state == "FAILED"
        assert world.feed_now(feed).next_run_at == world.clock.now() + 15 * MINUTE
        for _ in range(2):
            world.serve_and_run(feed, item("1"))
            assert world.feed_now(feed).next_run_at == feed.created_at + (day + 1) * 24 * HOUR


def paged(body: bytes, following: str) -> bytes:
    """A document that says where it goes on."""
    link = (
        f"<jobs><atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='next' href='{following}'/>"
    )
    return body.replace(b"<jobs>", link.encode(), 1)


def test_a_feed_in_pages_is_read_whole_or_not_at_all(world: World) -> None:
    feed = world.feed(config={"auth": {"username": "u", "password": "p"}})
    world.site.marks["/feed.xml"] = '"one"'
    world.site.pages["/feed.xml"] = paged(document(item("1")), "more?page=2")
    world.site.pages["/more?page=2"] = paged(document(item("2")), world.site.url("/last.xml"))
    world.site.pages["/last.xml"] = document(item("3"))
    assert world.run(feed).body.counts["added"] == 3
    assert {asked.get("Authorization") for asked in world.site.asked} == {"Basic dTpw"}
    # The first page is the same, the last one is not.
    world.site.pages["/last.xml"] = document(item("3", title="Other"), item("4"))
    run = world.run(feed)
    assert (run.body.counts["added"], run.body.counts["changed"]) == (1, 1)
    del world.site.pages["/last.xml"]
    assert world.run(feed).state == "FAILED"
    assert sorted(world.jobs()) == ["1", "2", "3", "4"]
    world.site.pages["/last.xml"] = paged(document(item("3")), "feed.xml")
    run = world.run(feed)
    assert (run.state, run.body.reason) == ("FAILED", "pages")
    assert sorted(world.jobs()) == ["1", "2", "3", "4"]


def test_a_node_or_the_server_may_name_the_next_page(world: World) -> None:
    feed = world.feed()
    first, last = document(item("1")), document(item("2"))
    world.site.pages["/feed.xml"] = first.replace(b"</jobs>", b"<next_page>/2</next_page></jobs>")
    world.site.pages["/2"] = last.replace(b"<jobs>", b"<jobs><next>3</next><nextPage/>")
    assert world.run(feed).body.counts["added"] == 2
    world.site.pages["/feed.xml"] = first
    world.site.headers["Link"] = '</1>; rel="prev", <2>; title="x"; rel="last next"'
    run = world.run(feed)
    assert (run.state, run.body.message) == ("SUCCESS", ""), "the last one names itself"
    assert sorted(world.jobs()) == ["1", "2"]


def test_a_run_tells_of_jobs_that_the_feed_does_not_contain(world: World) -> None:
    feed = world.feed()
    said = b"<jobs><total>40</total><pages>4</pages>"
    world.site.pages["/feed.xml"] = document(item("1")).replace(b"<jobs>", said)
    run = world.run(feed)
    assert (run.state, run.body.message) == (
        "SUCCESS",
        "The feed says that it has 40 jobs, and contains 1.",
    )


def test_an_address_of_a_next_page_that_is_none_fails_the_run(world: World) -> None:
    feed = world.feed()
    world.site.pages["/feed.xml"] = paged(document(item("1")), "https://[x.example/2")
    run = world.run(feed)
    assert (run.state, run.body.reason) == ("FAILED", "pages")


def test_a_page_is_followed_from_where_it_was_found(world: World) -> None:
    feed = world.feed()
    world.site.pages["/feed.xml"] = paged(document(item("1")), "/2")
    world.site.redirects["/2"] = "/pages/2"
    world.site.pages["/pages/2"] = paged(document(item("2")), "3")
    world.site.pages["/pages/3"] = document(item("3"))
    assert world.run(feed).body.counts["added"] == 3


def test_the_server_says_the_encoding_and_odd_bytes_are_told(world: World) -> None:
    feed = world.feed()
    world.site.pages["/feed.xml"] = document(item("1", title="Café")).decode().encode("cp1252")
    world.site.headers["Content-Type"] = "text/xml; charset=ISO-8859-1"
    run = world.run(feed)
    assert world.jobs()["1"].body.title == "Café"
    assert run.body.faults == []
    world.site.headers.clear()
    run = world.run(feed)
    assert world.jobs()["1"].body.title == "Café"
    assert [fault.reason for fault in run.body.faults] == ["bad_byte"]
    assert "0xe9" in run.body.faults[0].message
