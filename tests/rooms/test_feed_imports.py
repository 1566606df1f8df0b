"""A feed's whole life: jobs come, change, leave and return; what is broken changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handbill.changes import service as changes
from handbill.changes.service import ChangeFilter
from handbill.clients import service as clients
from handbill.core.nouns import JobBody, JobSetting, JobSettings
from handbill.feeds import service as feeds
from handbill.feeds.work import TASKS
from handbill.jobs import rows, writing
from handbill.kit.instants import HOUR, MINUTE
from handbill.publishers import service as publishers
from handbill.store.records import Records
from handbill.work.kinds import IMPORT
from handbill.work.loop import Worker
from rooms.feed_world import MONDAY, World, world_on
from sites import MAPPINGS, document, item


@pytest.fixture
def world(records: Records, tmp_path: Path) -> Iterator[World]:
    with world_on(records, tmp_path) as found:
        yield found


def test_whole_life(world: World) -> None:
    feed = world.feed()
    one, two, three, four = (item(ref) for ref in ("1", "2", "3", "4"))
    assert world.serve_and_run(feed, one, two, three, four) == {"total": 4, "added": 4}
    assert world.marked() == ({"1", "2", "3", "4"}, {"1", "2", "3", "4"})
    before = world.jobs()

    assert world.serve_and_run(feed, one, two, three, four) == {"total": 4, "unchanged": 4}
    assert world.marked() == (set(), set())
    assert world.jobs() == before

    # In another order, with other white space between: still nothing.
    assert world.serve_and_run(feed, four, "\n", one, two, three) == {"total": 4, "unchanged": 4}

    # One says the same in other bytes, one another text, one another city, one another URL.
    changed = (
        one.replace("<city>", "<city >"),
        item("2", description="Other"),
        item("3", city="Dallas"),
        item("4", url="https://jobs.example/four"),
    )
    assert world.serve_and_run(feed, *changed) == {"total": 4, "unchanged": 1, "changed": 3}
    assert world.marked() == ({"3"}, {"4"})
    after = world.jobs()
    assert after["2"].body.description == "Other"
    assert (after["3"].body.city, after["3"].no) == ("Dallas", before["3"].no)

    # One leaves and comes back: with its number, id and birth.
    assert world.serve_and_run(feed, *changed[:3]) == {"total": 3, "unchanged": 3, "left": 1}
    assert set(world.jobs()) == {"1", "2", "3"}
    assert world.marked() == ({"4"}, set())
    assert world.serve_and_run(feed, *changed) == {"total": 4, "unchanged": 3, "revived": 1}
    back = world.jobs()["4"]
    assert (back.no, back.id, back.created_at) == (
        before["4"].no,
        before["4"].id,
        before["4"].created_at,
    )
    assert world.marked() == ({"4"}, set())


def test_an_import_leaves_no_change_for_a_job_but_one_for_the_mapping_it_found(
    world: World,
) -> None:
    feed = world.feed(mappings={})
    world.site.pages["/feed.xml"] = document(*(item(ref) for ref in "123"))
    assert Worker(world.tools, "w", {IMPORT: TASKS[IMPORT]}).run_due() == 1
    assert set(world.jobs()) == {"1", "2", "3"}
    with world.records.read() as tx:
        found, made, *_ = changes.page(tx, ChangeFilter(client_no=world.client.no), 1_000)
    assert (made.kind, made.act, made.entity_id) == ("FEED", "CREATE", feed.id)
    assert (found.kind, found.act, found.entity_id) == ("FEED", "CHANGE", feed.id)
    assert (found.actor, found.actor_id, found.cause) == ("SCHEDULE", IMPORT, feed.id)
    assert {one.field.split("/")[1] for one in found.fields} == {"mappings"}


def test_what_a_job_says(world: World) -> None:
    feed = world.feed(
        url_params_to_strip=["utm_source"],
        value_defaults={"country": "US", "city": "Nowhere"},
        value_overrides={"company": "Mills"},
    )
    nodes = {
        "url": "https://jobs.example/a b?utm_source=x&amp;q=1",
        "date": "11/22/2026",
        "cpc": "USD 1.50",
        "shift": "night",
        "city": " ",
        "title": "  Nurse &amp;\n Carer ",
    }
    world.serve_and_run(feed, item("1", **nodes))
    job = world.jobs()["1"]
    assert job.body == JobBody(
        ref="1",
        title="Nurse & Carer",
        company="Mills",
        description="<p>Care</p>",
        city="Nowhere",
        country="US",
        url="https://jobs.example/a b?q=1",
        cpc_micros=1_500_000,
        posted_at=MONDAY - 30 * HOUR,
        additional={"shift": "night"},
    )
    with world.records.read() as tx:
        assert clients.custom_places(tx, world.client.no) == {"shift": 1}
        stands = rows.standing(tx, world.client.no, ["1"])["1"]
    assert stands.url == "https://jobs.example/a%20b?q=1"
    assert dict(zip(writing.MATCHING, stands.matching, strict=True))["posted_on"] == "2026-11-22"


def test_invalid_jobs_are_kept_and_told_each_time(world: World) -> None:
    feed = world.feed()
    faulty = [
        item("1", title=""),
        item("2", url="javascript:alert(1)"),
        item("3", date="soon", cpc="free"),
        item(""),
        item("5"),
    ]
    world.site.pages["/feed.xml"] = document(*faulty)
    runs = [world.run(feed), world.run(feed)]
    for run in runs:
        assert run.body.fault_counts == {
            "missing": 2,
            "not_a_url": 1,
            "not_a_date": 1,
            "not_money": 1,
        }
        assert [
            (fault.job, fault.field, fault.line, fault.reason) for fault in run.body.faults
        ] == [
            ("1", "title", 3, "missing"),
            ("2", "url", 4, "not_a_url"),
            ("3", "date", 5, "not_a_date"),
            ("3", "cpc", 5, "not_money"),
            ("", "referencenumber", 6, "missing"),
        ]
        assert (run.body.counts["invalid"], run.body.counts["skipped"]) == (2, 1)
    assert (runs[0].body.counts["added"], runs[1].body.counts["unchanged"]) == (4, 4)
    assert {ref: job.valid for ref, job in world.jobs().items()} == {
        "1": False,
        "2": False,
        "3": True,
        "5": True,
    }
    assert world.jobs()["1"].body.missing == ("title",)


def test_last_duplicate_wins(world: World) -> None:
    feed = world.feed()
    first, last = item("1", city="First"), item("1", city="Last")
    for items, counts in (
        ((first, item("2"), last), {"total": 3, "added": 2, "duplicates": 1}),
        ((first, item("2"), last), {"total": 3, "unchanged": 2, "duplicates": 1}),
        ((last, item("2"), first), {"total": 3, "unchanged": 1, "changed": 1, "duplicates": 1}),
        ((first, first, item("2")), {"total": 3, "unchanged": 2, "duplicates": 1}),
        ((first, last, first, item("2")), {"total": 4, "unchanged": 2, "duplicates": 2}),
    ):
        assert world.serve_and_run(feed, *items) == counts
    assert world.jobs()["1"].body.city == "First"


_GOOD = [item(str(n)) for n in range(5)]


@pytest.mark.parametrize(
    ("body", "reason", "line"),
    [
        (document(*_GOOD)[:-40], "malformed", 7),
        (document(*_GOOD[:3], "<job><id>9</id><title>A <x> B</title></job>"), "malformed", 6),
        (document(*_GOOD).replace(b"</jobs>", b"</job>"), "malformed", 8),
        (document(*_GOOD[:1]) + b"<jobs/>", "malformed", 5),
        (b"<!DOCTYPE jobs [<!ENTITY a 'b'>]>\n" + document(*_GOOD)[22:], "malformed", 1),
        (b"<jobs>" + b"\xff " * 1_001 + b"</jobs>", "malformed", 0),
        (b"<html><body>Sorry</body></html>", "malformed", 1),
        (b"", "malformed", 1),
        (document(), "empty", 0),
        (document(*_GOOD[:2]), "lost_jobs", 0),
        (None, "fetch", 0),
    ],
)
def test_what_is_broken_changes_nothing(
    world: World, body: bytes | None, reason: str, line: int
) -> None:
    feed = world.feed()
    world.serve_and_run(feed, *_GOOD)
    before = world.jobs()
    world.marked()
    if body is None:
        del world.site.pages["/feed.xml"]
    else:
        world.site.pages["/feed.xml"] = body
    run = world.run(feed)
    assert (run.state, run.body.reason, run.body.line) == ("FAILED", reason, line), run.body
    assert run.body.message.endswith(".")
    assert world.jobs() == before
    assert world.marked() == (set(), set())
    # Tried again soon, then ever later, never later than usual.
    for minutes in (15, 30, 60, 120):
        assert world.feed_now(feed).next_run_at == world.clock.now() + minutes * MINUTE
        world.run(feed)
    assert world.serve_and_run(feed, *_GOOD) == {"total": 5, "unchanged": 5}
    assert world.feed_now(feed).next_run_at == feed.created_at + 24 * HOUR


_BROKEN = {
    "3": item("3", title="<x>Nurse</y>"),
    "11": item("11", title="Pay <x> 20").replace("</id>", "</id><id/>"),
    "17": item("17", description="<deep>" * 20 + "</deep>" * 20),
}


def test_a_few_jobs_that_cannot_be_read_are_told_and_stand_as_they_were(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, *(item(str(n)) for n in range(40)))
    before = world.jobs()
    moved = [_BROKEN.get(str(n), item(str(n), city="Bonn")) for n in range(39)]
    world.site.pages["/feed.xml"] = document(*moved)
    for _ in range(2):
        run = world.run(feed)
        assert (run.state, run.body.counts["skipped"]) == ("SUCCESS", 3)
        assert [(fault.job, fault.line, fault.reason) for fault in run.body.faults] == [
            ("3", 6, "malformed"),
            ("11", 14, "malformed"),
            ("17", 20, "malformed"),
        ]
        after = world.jobs()
        assert {ref: job.body.city for ref, job in after.items()} == {
            str(n): "Austin" if str(n) in _BROKEN else "Bonn" for n in range(39)
        }
        assert all(after[ref] == before[ref] for ref in _BROKEN)
    # Many of them are a broken feed, and so is one that nobody can tell.
    for broken in (
        [item(str(n), title="<x>") if n < 5 else item(str(n)) for n in range(40)],
        [*(item(str(n)) for n in range(40)), "<job><title>Nurse</job>\n"],
    ):
        world.site.pages["/feed.xml"] = document(*broken)
        assert world.run(feed).body.reason == "malformed"
        assert world.jobs() == after


def test_force_takes_over_what_was_lost(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, *_GOOD)
    world.site.pages["/feed.xml"] = document(_GOOD[0])
    assert world.run(feed).body.reason == "lost_jobs"
    assert world.run(feed, force=True).body.counts["left"] == 4
    world.site.pages["/feed.xml"] = document()
    assert world.run(feed).body.reason == "empty"
    assert world.run(feed, force=True).state == "SUCCESS"
    assert world.jobs() == {}


@pytest.mark.parametrize(
    "over", [{"active": "0"}, {"status": "Inactive"}, {"expirationdate": "2020-01-01"}]
)
def test_a_feed_that_ends_most_jobs_is_taken_over_only_by_force(
    world: World, over: dict[str, str]
) -> None:
    feed = world.feed()
    world.serve_and_run(feed, *_GOOD)
    before = world.jobs()
    ended = [item(str(n), **over) for n in range(4)]
    world.site.pages["/feed.xml"] = document(*ended[:2])
    assert world.run(feed).body.message.startswith("The feed lost 3 and ended 2 of its 5 jobs;")
    world.site.pages["/feed.xml"] = document(*ended, _GOOD[4])
    run = world.run(feed)
    assert (run.state, run.body.reason) == ("FAILED", "lost_jobs")
    assert run.body.message.startswith("The feed lost 0 and ended 4 of its 5 jobs;")
    assert world.jobs() == before
    assert world.run(feed, force=True).body.counts["changed"] == 4
    ends = {ref: job.body.end_at for ref, job in world.jobs().items()}
    # Those that are over count no more, and keep their end whatever else changes.
    world.clock.forward(HOUR)
    moved = [item(str(n), city="Bonn", **over) for n in range(3)]
    world.site.pages["/feed.xml"] = document(*moved, _GOOD[4])
    assert world.run(feed).state == "SUCCESS"
    after = {ref: job.body for ref, job in world.jobs().items()}
    assert {ref: body.city for ref, body in after.items() if body.end_at} == dict.fromkeys(
        "012", "Bonn"
    )
    assert {ref: body.end_at for ref, body in after.items()} == {ref: ends[ref] for ref in after}


def test_jobs_in_an_archive_are_over_while_they_are_in_it(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, *_GOOD)
    archive = "<archived-jobs>" + _GOOD[0] + "<note/></archived-jobs>"
    assert world.serve_and_run(feed, *_GOOD[1:], archive)["changed"] == 1
    ended_at = world.jobs()["0"].body.end_at
    assert ended_at is not None
    assert {ref for ref, job in world.jobs().items() if job.body.end_at} == {"0"}
    world.clock.forward(HOUR)
    # What is also among the jobs is not over.
    archive = archive.replace("<note/>", _GOOD[1])
    assert world.serve_and_run(feed, *_GOOD[1:], archive) == {"total": 6, "unchanged": 5}
    assert world.jobs()["0"].body.end_at == ended_at
    assert world.serve_and_run(feed, *_GOOD)["changed"] == 1
    assert world.jobs()["0"].body.end_at is None


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "behind"])
def test_a_job_offered_again_is_not_over_wherever_the_archive_is(
    world: World, is_first: bool
) -> None:
    feed = world.feed()
    archive = f"<archive>{_GOOD[0]}</archive>"
    world.serve_and_run(feed, *_GOOD)
    world.serve_and_run(feed, *_GOOD[1:], archive)
    assert world.jobs()["0"].body.end_at is not None
    both = [archive, *_GOOD] if is_first else [*_GOOD, archive]
    assert world.serve_and_run(feed, *both) == {"total": 6, "unchanged": 4, "changed": 1}
    assert world.serve_and_run(feed, *both) == {"total": 6, "unchanged": 5}
    assert {ref for ref, job in world.jobs().items() if job.body.end_at} == set()
    new = item("new", title="New")
    both = [f"<archive>{new}</archive>", new] if is_first else [new, f"<archive>{new}</archive>"]
    assert world.serve_and_run(feed, *_GOOD, *both) == {"total": 7, "unchanged": 5, "added": 1}
    assert world.jobs()["new"].body.end_at is None


def test_half_of_the_jobs_may_leave(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, *_GOOD[:4])
    assert world.serve_and_run(feed, *_GOOD[:2])["left"] == 2


def test_publishers_named_by_the_feed(world: World) -> None:
    feed = world.feed(mappings=MAPPINGS | {"schemaMappingPublisher": "boards"})
    world.serve_and_run(feed, item("1", boards="Indeed, Talent"), item("2"))
    allowed = {ref: job.body.settings for ref, job in world.jobs().items()}
    assert allowed["1"] is not None
    assert (allowed["1"].publishers, allowed["2"]) == (("Indeed", "Talent"), None)
    assert world.serve_and_run(feed, item("1", boards=" "), item("2"))["changed"] == 1
    assert world.jobs()["1"].body.settings is None


def test_publishers_that_the_agency_does_not_have_are_told(world: World) -> None:
    feed = world.feed(mappings=MAPPINGS | {"schemaMappingPublisher": "boards"})
    with world.records.write() as tx:
        agency_no, now = world.client.agency_no, world.clock.now()
        publishers.create(tx, now, agency_no, name="Some Board.com", bid_type="CPC")
    world.site.pages["/feed.xml"] = document(
        item("1", boards="Some Board.com"), item("2", boards="some_board")
    )
    run = world.run(feed)
    assert [(fault.job, fault.field) for fault in run.body.faults] == [("2", "publishers")]
    assert run.body.fault_counts == {"unknown_publisher": 1}
    named = world.jobs()["1"].body.settings
    assert named is not None
    assert named.publishers == ("Some_Board_com",)


@pytest.mark.parametrize(
    "cleared",
    [
        {"publisher_node": None},
        {"publisher_node": {}},
        {"mappings": MAPPINGS},
        {"mappings": MAPPINGS | {"schemaMappingPublisher": ""}},
    ],
)
def test_jobs_are_free_when_publishers_are_mapped_no_more(
    world: World, cleared: dict[str, Any]
) -> None:
    feed = world.feed(mappings=MAPPINGS | {"schemaMappingPublisher": "boards"})
    items = item("1", boards="Indeed"), item("2", boards="Indeed"), item("3", boards="Indeed")
    world.serve_and_run(feed, *items)
    own = JobSettings(JobSetting(cpc_bid_micros=5), publishers=("Talent",))
    no = world.jobs()["2"].no
    with world.records.write() as tx:
        # Job 2 has an allow-list of an API caller's, job 3 left while the feed named its board.
        rows.set_settings(tx, no, own, MONDAY)
    world.serve_and_run(feed, *items[:2])
    with world.records.write() as tx:
        feeds.update(tx, MONDAY, world.client, feed, cleared)
    assert world.serve_and_run(feed, *items)["changed"] == 1
    found = {ref: job.body.settings for ref, job in world.jobs().items()}
    assert found == {"1": None, "2": own, "3": None}
