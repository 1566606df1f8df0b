"""A feed's whole life: jobs come, change, leave and return; what is broken changes nothing."""

import gzip
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from handbill.changes import service as changes
from handbill.changes.service import Asked
from handbill.clients import service as clients
from handbill.core.nouns import JobBody, JobSetting, JobSettings
from handbill.feeds import collecting, importing
from handbill.feeds import service as feeds
from handbill.feeds.collecting import ImportFailed
from handbill.feeds.importing import import_feed
from handbill.feeds.work import TASKS
from handbill.jobs import editing, rows, writing
from handbill.jobs import service as jobs
from handbill.jobs.taking_over import settle
from handbill.kit.instants import HOUR, MINUTE
from handbill.store.records import Records
from handbill.work.kinds import IMPORT
from handbill.work.loop import Worker
from rooms.feed_world import MONDAY, World, new_client, world_on
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
        found, made, *_ = changes.page(tx, Asked(client_no=world.client.no), 1_000)
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
        (document(*_GOOD[:3], "<job><id>9</id><title>A < B</title></job>"), "malformed", 6),
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
    assert world.feed_now(feed).next_run_at == world.clock.now() + 24 * HOUR


_BROKEN = {
    "3": item("3", title="<b>Nurse</i>"),
    "11": item("11", title="Pay < 20").replace("</id>", "</id><id/>"),
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
        [item(str(n), title="<b>") if n < 5 else item(str(n)) for n in range(40)],
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


def test_half_of_the_jobs_may_leave(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, *_GOOD[:4])
    assert world.serve_and_run(feed, *_GOOD[:2])["left"] == 2


def test_jobs_of_the_api_are_not_touched(world: World) -> None:
    feed = world.feed()
    given = {"ref": "1", "title": "Ours", "description": "d", "url": "https://own.example/"}
    with world.records.write() as tx:
        editing.add(tx, MONDAY, world.client, given)
    ours = world.jobs()["1"]
    assert world.serve_and_run(feed, item("1"), item("2")) == {
        "total": 2,
        "added": 1,
        "api_owned": 1,
    }
    run = world.run(feed)
    assert [(fault.job, fault.reason) for fault in run.body.faults] == [("1", "api_owned")]
    assert world.jobs()["1"] == ours
    # Once it is deleted, the feed's job does not come in its place until it is offered anew.
    with world.records.write() as tx:
        editing.delete(tx, MONDAY, world.client, ours)
    assert world.serve_and_run(feed, item("1"), item("2")) == {
        "total": 2,
        "unchanged": 1,
        "deleted": 1,
    }
    assert world.serve_and_run(feed, item("2")) == {"total": 1, "unchanged": 1}
    assert world.serve_and_run(feed, item("1"), item("2"))["revived"] == 1
    assert world.jobs()["1"].body.title == "Nurse 1"


def test_what_the_api_set_on_a_feeds_job_stays(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, item("1"))
    with world.records.write() as tx:
        job = jobs.job_of(tx, world.client.no, "1")
        editing.switch(tx, MONDAY, world.client, job, "P")
        editing.update(tx, MONDAY, world.client, job, {"setting": {"cpc_bid_micros": 2_000_000}})
    world.serve_and_run(feed, item("1", city="Dallas"))
    job = world.jobs()["1"]
    assert job.body.settings is not None
    assert (job.status, job.body.city) == ("P", "Dallas")
    assert job.body.settings.setting.cpc_bid_micros == 2_000_000


def test_feeds_of_a_client_are_unioned(world: World) -> None:
    """A job that two feeds carry is the first one's, and passes on when that one drops it."""
    first, second = world.feed("/a.xml"), world.feed("/b.xml")
    shared = item("2", city="A")
    world.site.pages["/a.xml"] = document(item("1"), shared)
    world.site.pages["/b.xml"] = document(item("2", city="B"), item("3"))
    world.run(first)
    assert world.run(second).body.counts["other_feed"] == 1
    assert world.jobs()["2"].body.city == "A"
    # No to and fro: each run leaves it as it is.
    assert world.run(first).body.counts["unchanged"] == 2
    assert world.run(second).body.counts["unchanged"] == 1

    world.site.pages["/a.xml"] = document(item("1"))
    number = world.jobs()["2"].no
    assert world.run(first).body.counts["left"] == 0
    assert world.feed_now(second).next_run_at == world.clock.now()
    assert world.jobs()["2"].feed_no == second.no
    assert world.run(second).body.counts["changed"] == 1
    assert (world.jobs()["2"].body.city, world.jobs()["2"].no) == ("B", number)

    now = world.feed_now(second)
    with world.records.write() as tx:
        feeds.delete(tx, world.clock.now(), world.client, now)
    assert set(world.jobs()) == {"1"}
    assert import_feed(world.tools, second.id) is None


def test_deleting_a_feed_leaves_what_another_carries(world: World) -> None:
    first, second = world.feed("/a.xml"), world.feed("/b.xml")
    world.site.pages["/a.xml"] = world.site.pages["/b.xml"] = document(item("1"), item("2"))
    world.run(first)
    world.run(second)
    now = world.feed_now(first)
    with world.records.write() as tx:
        feeds.delete(tx, world.clock.now(), world.client, now)
    assert set(world.jobs()) == {"1", "2"}
    settle(world.records, world.client)
    assert {ref: job.feed_no for ref, job in world.jobs().items()} == {
        "1": second.no,
        "2": second.no,
    }


def delete(world: World, ref: str) -> None:
    with world.records.write() as tx:
        job = jobs.job_of(tx, world.client.no, ref)
        editing.delete(tx, world.clock.now(), world.client, job)


def add(world: World, ref: str) -> None:
    given = {"ref": ref, "title": "t", "description": "d", "url": "https://x.example/1"}
    with world.records.write() as tx:
        editing.add(tx, world.clock.now(), world.client, given)


def carried(world: World) -> list[tuple[int, int]]:
    with world.records.read() as tx:
        text = "SELECT feed_no, job_no FROM also_carried ORDER BY 1, 2"
        return [(feed_no, job_no) for feed_no, job_no in tx.run_text(text, {})[0]]


def test_a_deleted_job_stays_so_until_its_feed_has_dropped_it(world: World) -> None:
    feed = world.feed()
    kept = [item(ref) for ref in ("2", "3", "4")]
    world.serve_and_run(feed, item("1"), *kept)
    before = world.jobs()["1"]
    delete(world, "1")
    still = {"total": 4, "unchanged": 3, "deleted": 1}
    # The same bytes; then other words, in the feed and by other settings; then those again.
    assert world.serve_and_run(feed, item("1"), *kept) == still
    assert world.serve_and_run(feed, item("1", title="Other"), *kept) == still
    assert world.serve_and_run(feed, item("1", title="Other"), *kept) == still
    faulty = [item("1", date="soon"), item("1", date="soon")]
    for one in faulty:
        assert world.serve_and_run(feed, one, *kept) == still
    assert world.serve_and_run(feed, *faulty, *kept) == still | {"total": 5, "duplicates": 1}
    assert set(world.jobs()) == {"2", "3", "4"}
    # It is dropped: nothing leaves that was there. It comes back: a new offer, of the same job.
    assert world.serve_and_run(feed, *kept) == {"total": 3, "unchanged": 3}
    assert world.serve_and_run(feed, item("1"), *kept) == {"total": 4, "unchanged": 3, "revived": 1}
    back = world.jobs()["1"]
    assert (back.no, back.id, back.created_at) == (before.no, before.id, before.created_at)
    assert world.serve_and_run(feed, item("1"), *kept) == {"total": 4, "unchanged": 4}


def test_a_deleted_job_is_no_part_of_what_a_feed_loses(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, *(item(ref) for ref in "1234"))
    for ref in "12":
        delete(world, ref)
    # Of the two that are there one may go.
    assert world.serve_and_run(feed, item("3")) == {"total": 1, "unchanged": 1, "left": 1}
    assert world.serve_and_run(feed, *(item(ref) for ref in "123"))["revived"] == 2


def test_adding_by_api_lifts_the_deletion(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, item("1"), item("2"))
    delete(world, "1")
    world.serve_and_run(feed, item("1"), item("2"))
    add(world, "1")
    assert world.jobs()["1"].feed_no is None
    # Deleted again before the feed is run again: the feed still carries it.
    delete(world, "1")
    assert world.serve_and_run(feed, item("1"), item("2")) == {
        "total": 2,
        "unchanged": 1,
        "deleted": 1,
    }
    add(world, "1")
    assert world.serve_and_run(feed, item("1"), item("2")) == {
        "total": 2,
        "unchanged": 1,
        "api_owned": 1,
    }
    delete(world, "1")
    assert world.serve_and_run(feed, item("1"), item("2"))["deleted"] == 1
    assert world.serve_and_run(feed, item("2")) == {"total": 1, "unchanged": 1}
    assert world.serve_and_run(feed, item("1"), item("2"))["revived"] == 1


def test_a_job_of_the_api_that_no_feed_carries_is_simply_gone(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, item("2"))
    add(world, "1")
    delete(world, "1")
    assert world.serve_and_run(feed, item("1"), item("2"))["revived"] == 1


def test_a_deletion_holds_in_every_feed_that_carries_the_job(world: World) -> None:
    first, second = world.feed(), world.feed("/second.xml")
    world.site.pages["/second.xml"] = document(item("1"), item("2"))
    world.serve_and_run(first, item("1"), item("3"))
    assert world.run(second).body.counts["other_feed"] == 1
    job = world.jobs()["1"]
    delete(world, "1")
    assert world.run(second).body.counts["other_feed"] == 1
    assert world.serve_and_run(first, item("1"), item("3"))["deleted"] == 1
    # The first one drops it: it passes to the second, and stays deleted there.
    assert world.serve_and_run(first, item("3")) == {"total": 1, "unchanged": 1}
    assert world.run(second).body.counts["deleted"] == 1
    assert world.run(second).body.counts["deleted"] == 1
    assert "1" not in world.jobs()
    # A further one offers it: it is deleted still, for the second carries it.
    assert world.serve_and_run(first, item("1"), item("3"))["other_feed"] == 1
    assert carried(world) == [(first.no, job.no)]
    # The second is deleted: it passes on. Then the first drops it, and it is free.
    with world.records.write() as tx:
        feeds.delete(tx, world.clock.now(), world.client, second)
    assert world.serve_and_run(first, item("1"), item("3"))["deleted"] == 1
    assert world.serve_and_run(first, item("3")) == {"total": 1, "unchanged": 1}
    assert world.serve_and_run(first, item("1"), item("3"))["revived"] == 1


def test_a_feed_that_is_deleted_lifts_its_deletions(world: World) -> None:
    feed = world.feed()
    world.serve_and_run(feed, item("1"), item("2"))
    delete(world, "1")
    with world.records.write() as tx:
        feeds.delete(tx, world.clock.now(), world.client, feed)
    assert world.serve_and_run(world.feed(), item("1"), item("2"))["revived"] == 2


def test_deleted_while_its_feed_is_read(world: World) -> None:
    """What was read before the deletion must not undo it."""
    feed = world.feed()
    kept = [item(ref) for ref in ("2", "3", "4")]
    world.serve_and_run(feed, item("1"), *kept)
    world.site.pages["/feed.xml"] = document(item("1", city="Dallas"), *kept)
    with world.records.read() as tx:
        known = collecting.former_of(tx, feed.no)
        place = collecting.place_of(tx, world.client)
    delete(world, "1")
    world.clock.forward(HOUR)
    with world.records.write() as tx:
        begun = feeds.begin_run(tx, world.tools.ids, world.clock.now(), feed.id)
    assert begun is not None
    found = collecting.collect(
        [world.site.pages["/feed.xml"]],
        begun[1].body,
        place,
        known,  # type: ignore[list-item]
        collecting.Spool(BytesIO()),
    )
    run = importing._take_over(world.tools, *begun, found)
    assert (run.body.counts["deleted"], run.body.counts["changed"]) == (1, 0)
    assert "1" not in world.jobs()


def test_clients_do_not_see_each_other(world: World) -> None:
    world.serve_and_run(world.feed(), item("1"))
    other = new_client(world.records, world.tools.ids, "other")  # type: ignore[arg-type]
    theirs = World(world.records, world.tools, world.clock, world.site, other)
    assert theirs.serve_and_run(theirs.feed(), item("1")) == {"total": 1, "added": 1}
    assert world.jobs()["1"].id != theirs.jobs()["1"].id


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


def test_publishers_named_by_the_feed(world: World) -> None:
    feed = world.feed(mappings=MAPPINGS | {"schemaMappingPublisher": "boards"})
    world.serve_and_run(feed, item("1", boards="Indeed, Talent"), item("2"))
    allowed = {ref: job.body.settings for ref, job in world.jobs().items()}
    assert allowed["1"] is not None
    assert (allowed["1"].publishers, allowed["2"]) == (("Indeed", "Talent"), None)
    assert world.serve_and_run(feed, item("1", boards=" "), item("2"))["changed"] == 1
    assert world.jobs()["1"].body.settings is None


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


def test_a_job_that_passes_to_another_feed_leaves_its_boards_behind(world: World) -> None:
    feed = world.feed(mappings=MAPPINGS | {"schemaMappingPublisher": "boards"})
    world.serve_and_run(feed, item("1", boards="Indeed"))
    other = world.feed("/other.xml")
    world.site.pages["/other.xml"] = document(item("1"))
    world.run(other)
    assert world.jobs()["1"].body.settings == JobSettings(
        publishers=("Indeed",), publishers_of_feed=True
    )
    with world.records.write() as tx:
        feeds.delete(tx, MONDAY, world.client, feed)
    world.run(other)
    assert world.jobs()["1"].body.settings is None


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
