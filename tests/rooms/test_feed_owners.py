"""Whose a job is: the API's, a feed's or that of several; and how long a deletion holds."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from handbill.core.nouns import JobSettings
from handbill.feeds import collecting, importing, reading
from handbill.feeds import service as feeds
from handbill.feeds.importing import import_feed
from handbill.feeds.spools import Spool
from handbill.jobs import editing
from handbill.jobs import service as jobs
from handbill.jobs.taking_over import settle
from handbill.kit.instants import HOUR
from handbill.store.records import Records
from rooms.feed_world import MONDAY, World, new_client, world_on
from sites import MAPPINGS, document, item


@pytest.fixture
def world(records: Records, tmp_path: Path) -> Iterator[World]:
    with world_on(records, tmp_path) as found:
        yield found


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
        known = collecting.former_of(tx, feed.no, world.clock.now())
        locale = reading.locale_of(tx, world.client, world.clock.now())
    delete(world, "1")
    world.clock.forward(HOUR)
    with world.records.write() as tx:
        begun = feeds.begin_run(tx, world.tools.ids, world.clock.now(), feed.id)
    assert begun is not None
    page = world.site.pages["/feed.xml"]
    assert isinstance(page, bytes)
    found = collecting.collect(
        reading.FeedPage([page]),
        begun[1].body,
        locale,
        known,
        Spool(BytesIO()),
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
