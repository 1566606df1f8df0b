"""A feed's jobs change as one although they are written a few at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from handbill.core.feeds import Feed
from handbill.core.nouns import JobBody
from handbill.feeds import rows as feed_rows
from handbill.feeds import service as feeds
from handbill.feeds.work import run_import
from handbill.jobs import editing, taking_over
from handbill.jobs import service as jobs
from handbill.jobs.taking_over import Superseded, Taking
from handbill.jobs.writing import WrittenJob, written
from handbill.kit.faults import Refused, Unavailable
from handbill.store.records import Records
from handbill.work.kinds import IMPORT
from handbill.work.loop import NotYet
from handbill.work.queue import Task
from rooms.feed_world import MONDAY, World, world_on
from sites import document, item

NEW = {"1": "Austin", "2": "Dallas", "4": "Dallas", "5": "Austin", "6": "Austin"}


@pytest.fixture
def world(records: Records, tmp_path: Path) -> Iterator[World]:
    with world_on(records, tmp_path) as found:
        yield found


@pytest.fixture
def feed(world: World) -> Feed:
    found = world.feed()
    world.serve_and_run(found, *map(item, "1234"))
    world.marked()
    return found


@dataclass
class Watched:
    """Records that are looked at between two steps."""

    records: Records
    look: Callable[[], object]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.records, name)

    def give_way(self) -> None:
        self.look()


def brought(**cities: str) -> list[WrittenJob]:
    bodies = (
        JobBody(
            ref=ref,
            title=f"Nurse {ref}",
            description="<p>Care</p>",
            city=city,
            url=f"https://jobs.example/{ref}",
            published_at=MONDAY,
        )
        for ref, city in cities.items()
    )
    return [written(body, None, body.ref.encode() * 16) for body in bodies]


def cities(world: World) -> dict[str, str]:
    """What everybody sees: by listing, by counting, and one by one."""
    with world.records.read() as tx:
        found = jobs.jobs_page(tx, world.client.no, 0, 1_000)
        assert jobs.count(tx, world.client.no, world.clock.now())[0] == len(found)
        for job in found:
            assert jobs.job_of(tx, world.client.no, job.body.ref) == job
        by_id = jobs.jobs_by_ids(tx, world.client.no, [job.id for job in found])
    assert by_id == found
    return {job.body.ref: job.body.city for job in found}


def begun(world: World, feed: Feed, look: Callable[[], object] = lambda: None) -> Taking:
    watched: Any = Watched(world.records, look)
    return taking_over.begin(watched, world.client, feed.no, "run", step=1)


def stage(world: World, feed: Feed, taking: Taking) -> None:
    """The feed has 1 as it was, 2 and 4 in Dallas, 5 and 6 for the first time; 3 has left."""
    with world.records.read() as tx:
        lost = jobs.job_of(tx, world.client.no, "3").no
    taking.stage(brought(**{r: c for r, c in NEW.items() if r != "1"}), world.clock.now())
    assert taking.stage_gone([lost]) == 1


def switch(world: World, taking: Taking) -> None:
    with world.records.write() as tx:
        taking.switch(tx, world.clock.now())


def test_readers_see_the_old_or_the_new(world: World, feed: Feed) -> None:
    seen: list[dict[str, str]] = []
    taking = begun(world, feed, lambda: seen.append(cities(world)))
    stage(world, feed, taking)
    old = dict.fromkeys("1234", "Austin")
    assert len(seen) == 5
    assert all(one == old for one in seen)
    assert world.marked() == (set(), set())
    seen.clear()
    switch(world, taking)
    assert cities(world) == NEW
    taking.settle()
    assert len(seen) >= 5
    assert all(one == NEW for one in seen)
    assert cities(world) == NEW
    assert world.marked() == (set("23456"), set("56"))


def lacks(world: World) -> dict[str, tuple[str, ...]]:
    """What the jobs that are listed as not valid lack."""
    with world.records.read() as tx:
        lines = list(jobs.lines(tx, world.client.no, "ADDED", None))
        lacking = jobs.lacking(tx, lines)
    assert set(lacking) == {line.id for line in lines if not line.valid}
    return {line.ref: tuple(lacking[line.id]) for line in lines if not line.valid}


def test_what_a_job_lacks_agrees_with_its_validity(world: World, feed: Feed) -> None:
    (two,) = brought(**{"2": "Austin"})
    gaps = ("title", "description")
    untitled = written(
        JobBody(ref="2", url="https://jobs.example/2", missing=gaps), None, b"2" * 16
    )
    lacked = []
    for job in (untitled, two):
        taking = begun(world, feed, lambda: lacked.append(lacks(world)))
        taking.stage([job], world.clock.now())
        switch(world, taking)
        lacked.append(lacks(world))
        taking.settle()
        lacked.append(lacks(world))
    changes = [one for n, one in enumerate(lacked) if not n or one != lacked[n - 1]]
    assert changes == [{}, {"2": gaps}, {}]


def test_what_was_not_switched_to_is_cleared_away(world: World, feed: Feed) -> None:
    before = world.jobs()
    stage(world, feed, begun(world, feed))
    begun(world, feed).discard()
    assert world.jobs() == before
    with world.records.read() as tx:
        for table in ("takeovers", "staged_jobs"):
            assert tx.run_text(f"SELECT count(*) FROM {table}", {})[0] == [(0,)]
        assert tx.run_text("SELECT count(*) FROM jobs", {})[0] == [(4,)]


def test_edits_before_the_switch(world: World, feed: Feed) -> None:
    """Deleted here, it stays so; added here, it is the API's; changed here, the feed has more to
    say; what the feed has not changed stays changed.
    """
    taking, now = begun(world, feed), world.clock.now()
    stage(world, feed, taking)
    given = {"title": "Ours", "description": "d", "url": "https://jobs.example/x"}
    with world.records.write() as tx:
        for ref, city in (("1", "Waco"), ("4", "Waco")):
            job = editing.job_to_change(tx, world.client, ref)
            editing.update(tx, now, world.client, job, {"city": city})
        editing.delete(tx, now, world.client, editing.job_to_change(tx, world.client, "2"))
        editing.add(tx, now, world.client, given | {"ref": "5", "city": "Waco"})
    switch(world, taking)
    expected = {"1": "Waco", "4": "Dallas", "5": "Waco", "6": "Austin"}
    assert cities(world) == expected
    taking.settle()
    assert cities(world) == expected
    assert world.jobs()["5"].feed_no is None
    with world.records.write() as tx:
        editing.delete(tx, now, world.client, editing.job_to_change(tx, world.client, "5"))
    assert world.serve_and_run(feed, item("1"), *map(item, "256")).get("added") is None
    assert set(world.jobs()) == {"1", "6"}


def test_edits_after_the_switch(world: World, feed: Feed) -> None:
    """They are of the jobs as everybody sees them."""
    taking, now = begun(world, feed), world.clock.now()
    stage(world, feed, taking)
    switch(world, taking)
    with world.records.write() as tx:
        for ref in "25":
            job = editing.job_to_change(tx, world.client, ref)
            editing.update(tx, now, world.client, job, {"city": "Waco"})
        for ref in "46":
            editing.delete(tx, now, world.client, editing.job_to_change(tx, world.client, ref))
    with pytest.raises(Refused), world.records.write() as tx:
        editing.job_to_change(tx, world.client, "3")
    expected = {"1": "Austin", "2": "Waco", "5": "Waco"}
    assert cities(world) == expected
    taking.settle()
    assert cities(world) == expected


def test_a_deleted_feeds_jobs_are_gone_at_once(world: World, feed: Feed) -> None:
    """Whatever a run of it was about; and those that another feed carries are not."""
    other = world.feed("/b.xml")
    world.site.pages["/b.xml"] = world.site.pages["/feed.xml"]
    begun(world, other).stage(brought(**{"4": "Austin"}), world.clock.now())
    with pytest.raises(Unavailable):
        begun(world, feed)
    begun(world, other).discard()
    taking = begun(world, feed)
    stage(world, feed, taking)
    seen: list[dict[str, str]] = []
    with world.records.write() as tx:
        feeds.delete(tx, world.clock.now(), world.client, feed)
    with pytest.raises(Superseded):
        switch(world, taking)
    assert cities(world) == {"4": "Austin"}
    watched: Any = Watched(world.records, lambda: seen.append(cities(world)))
    taking_over.settle(watched, world.client, 1)
    assert len(seen) >= 4
    assert all(one == {"4": "Austin"} for one in seen)
    assert world.jobs()["4"].feed_no == other.no
    assert world.feed_now(other).next_run_at == world.clock.now()


def test_a_feed_waits_unasked_while_another_one_of_its_client_is_taken_over(
    world: World, feed: Feed
) -> None:
    other = world.feed("/b.xml")
    world.site.pages["/b.xml"] = document(item("9"))
    task = Task(1, IMPORT, other.id, {}, 1, "w/1")
    taking, asked = begun(world, feed), len(world.site.asked)

    def states() -> list[str]:
        with world.records.read() as tx:
            return [run.state for run in feed_rows.runs_page(tx, other.no, 0, 10)]

    with pytest.raises(NotYet):
        run_import(world.tools, task)
    assert (states(), len(world.site.asked)) == (["RUNNING"], asked)
    taking.discard()
    run_import(world.tools, task)
    assert (states(), len(world.site.asked)) == (["SUCCESS"], asked + 1)
    assert "9" in cities(world)
