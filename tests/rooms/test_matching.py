"""Matching: who gets which job, and that changing little comes to the same as matching all."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from handbill.campaigns import rows as campaign_rows
from handbill.clients import service as clients
from handbill.contract.filters import read_filter
from handbill.core.filter_code import JobFacts
from handbill.core.nouns import Client
from handbill.groups import matching, remembered
from handbill.groups.contest import contest_of
from handbill.groups.work import SCHEDULE
from handbill.kit.instants import DAY, HOUR
from handbill.store.records import Records
from handbill.store.records.base import Tx
from handbill.store.records.tables import jobs, matches, tasks, unmatched
from rooms.listing_market import Market, everything, open_market

_PAIRS = (
    sa.select(jobs.c.ref, matches.c.group_no)
    .select_from(matches.join(jobs, jobs.c.no == matches.c.job_no))
    .where(matches.c.client_no == sa.bindparam("client_no"))
)
_MARKS = sa.select(unmatched.c.job_no)
_TASKS = sa.select(tasks.c.kind, tasks.c.key)
_DONE = sa.delete(tasks).where(tasks.c.kind == sa.literal_column("'groups.days'"))


def pairs(market: Market, client: Client) -> dict[str, int]:
    with market.records.read() as tx:
        return dict(tx.all(_PAIRS, client_no=client.no))


def matched(market: Market, client: Client) -> dict[str, int]:
    matching.rematch(market.records, client, market.now())
    return pairs(market, client)


def leaf(field: str, operator: str, data: Any) -> dict[str, Any]:
    return everything(field=field, operator=operator, data=data)


def default_of(market: Market, client: Client) -> int:
    with market.records.read() as tx:
        contest = contest_of(tx, client, market.now())
    assert contest.default_no is not None
    return contest.default_no


def test_best_priority_then_oldest_else_the_default(market: Market) -> None:
    client = market.client()
    campaign = market.campaign(client)
    late = market.group(campaign, leaf("city", "EQUAL", "Rome"), priority=2)
    old = market.group(campaign, leaf("city", "IN", ["Rome", "Oslo"]), priority=1)
    market.group(campaign, leaf("city", "EQUAL", "Oslo"), priority=1)
    third = market.group(campaign, leaf("title", "CONTAINS", "cook"), priority=3)
    rome = market.job(client, city="rome")
    cook = market.job(client, city="Paris", title="Head Cook")
    none = market.job(client, city="Paris")
    assert matched(market, client) == {
        rome: old.no,
        cook: third.no,
        none: default_of(market, client),
    }
    old.status = "P"
    market.save(old)
    assert matched(market, client)[rome] == late.no


def test_invalid_left_and_ended_jobs_have_no_group_but_paused_ones_keep_theirs(
    market: Market,
) -> None:
    client = market.client()
    group = market.group(market.campaign(client))
    paused, ending = market.job(client), market.job(client, end_at=market.now() + HOUR)
    left = market.job(client)
    market.job(client, missing=("url",))
    market.job_columns(client, paused, status="P")
    assert matched(market, client) == {paused: group.no, ending: group.no, left: group.no}
    market.job_columns(client, left, left_at=market.now())
    no = market.write(
        lambda tx: tx.value(sa.select(jobs.c.no).where(jobs.c.ref == sa.bindparam("ref")), ref=left)
    )
    market.write(lambda tx: tx.put(unmatched, job_no=no, client_no=client.no))
    market.clock.forward(2 * HOUR)
    assert matched(market, client) == {paused: group.no}


def test_dates_begin_and_end_at_the_clients_midnight(market: Market) -> None:
    client = market.client(zone="UTC+10:00")  # there it is Monday, 22:00
    campaign = market.campaign(client)
    tomorrow = market.group(campaign, start_on="2026-11-24", end_on="2026-11-24", priority=1)
    always = market.group(campaign, priority=2)
    ref = market.job(client)
    assert matched(market, client) == {ref: always.no}
    market.clock.forward(2 * HOUR)
    assert matched(market, client) == {ref: tomorrow.no}
    market.clock.forward(DAY)
    assert matched(market, client) == {ref: always.no}


def test_ages_grow_over_night(market: Market) -> None:
    client = market.client()
    campaign = market.campaign(client)
    fresh = market.group(campaign, leaf("postedDate", "LESS_THAN", "2"), priority=1)
    stale = market.group(campaign, leaf("postedDate", "GREATER_THAN", "1"), priority=2)
    ref = market.job(client, posted_at=market.now())
    assert matched(market, client) == {ref: fresh.no}
    market.clock.forward(2 * DAY)
    assert matched(market, client) == {ref: stale.no}


def test_custom_fields_are_found_by_name_and_by_place(market: Market) -> None:
    client = market.client()
    campaign = market.campaign(client)
    by_place = market.group(campaign, leaf("cif1", "EQUAL", "red"), priority=1)
    by_name = market.group(campaign, leaf("team", "EQUAL", "blue"), priority=2)
    red = market.job(client, additional={"team": "Red"})
    blue = market.job(client, additional={"team": "Blue"})
    assert matched(market, client)[red] == default_of(market, client)
    market.write(lambda tx: clients.learn_custom_fields(tx, client.no, ["team"]))
    assert matched(market, client) == {red: by_place.no, blue: by_name.no}


def test_a_campaign_switches_its_groups(market: Market) -> None:
    client = market.client()
    campaign = market.campaign(client)
    group = market.group(campaign)
    ref = market.job(client)
    assert matched(market, client) == {ref: group.no}
    campaign.status = "P"
    market.write(lambda tx: campaign_rows.save(tx, campaign, market.now()))
    assert matched(market, client) == {ref: default_of(market, client)}


def test_the_task_clears_the_marks_and_asks_for_publishing(market: Market) -> None:
    client = market.client()
    market.job(client)
    market.run("groups.rematch", client.id)
    with market.records.read() as tx:
        assert tx.all(_MARKS) == []
        assert tx.all(_TASKS) == [("control.follow", client.id)]


class Dying:
    """Records whose process is killed at its nth write."""

    in_steps, give_way = Records.in_steps, Records.give_way

    def __init__(self, records: Records, writes: int) -> None:
        self.read = records.read
        self._records = records
        self._left = writes

    def write(self) -> AbstractContextManager[Tx]:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt
        return self._records.write()


def test_a_run_that_dies_half_way_is_made_good(market: Market) -> None:
    """Killed after its first batch, and the groups changed back before the next run."""
    client = market.client()
    campaign = market.campaign(client)
    one = market.group(campaign, leaf("city", "EQUAL", "x"), priority=1)
    market.group(campaign, priority=2)
    for _ in range(6):
        market.job(client, city="y")
    before = matched(market, client)
    first = one.body.filters
    one.body.filters = read_filter(leaf("city", "EQUAL", "y"))
    market.save(one)
    dying: Any = Dying(market.records, writes=3)
    with pytest.raises(KeyboardInterrupt):
        matching.rematch(dying, client, market.now(), batch=2)
    assert sorted(pairs(market, client).values()).count(one.no) == 2
    one.body.filters = first
    market.save(one)
    assert matched(market, client) == before


def test_only_what_can_move_is_read(market: Market) -> None:
    client = market.client()
    campaign = market.campaign(client)
    market.group(campaign, leaf("city", "EQUAL", "top"), priority=1)
    middle = market.group(campaign, leaf("city", "EQUAL", "mid"), priority=2)
    market.group(campaign, priority=3)
    for city in ("top", "mid", "low"):
        for _ in range(3):
            market.job(client, city=city)

    def tally() -> tuple[int, int]:
        found = matching.rematch(market.records, client, market.now(), batch=2)
        return found.looked_at, found.moved

    assert tally() == (9, 9)
    assert tally() == (0, 0)
    middle.body.filters = read_filter(leaf("city", "IN", ["mid", "top", "low"]))
    market.save(middle)
    assert tally() == (6, 3), "the top group's jobs cannot be won by a lower one"
    market.save(middle, deleted_at=market.now())
    assert tally() == (6, 6), "only the jobs that the group had"
    market.job(client, city="low")
    assert tally() == (1, 1)


def test_what_was_remembered_may_be_lost(market: Market) -> None:
    client, other = market.client(), market.client("Other")
    group = market.group(market.campaign(client), leaf("city", "EQUAL", "x"))
    foreign = market.job(other, city="x")
    refs = [market.job(client, city=city) for city in "xyz"]
    before = matched(market, client)
    market.write(lambda tx: remembered.forget(tx, client.no))
    market.save(group, deleted_at=market.now())
    found = matching.rematch(market.records, client, market.now(), batch=2)
    assert (found.looked_at, found.moved) == (3, 1)
    assert before[refs[0]] == group.no
    assert set(pairs(market, client).values()) == {default_of(market, client)}
    assert matched(market, other) == {foreign: default_of(market, other)}


def test_of_two_changed_groups_the_lower_one_wins_nothing(market: Market) -> None:
    client = market.client()
    campaign = market.campaign(client)
    top = market.group(campaign, leaf("city", "EQUAL", "x"), priority=1)
    middle = market.group(campaign, leaf("city", "EQUAL", "y"), priority=2)
    low = market.group(campaign, leaf("city", "EQUAL", "x"), priority=3)
    ref = market.job(client, city="y")
    assert matched(market, client) == {ref: middle.no}
    top.body.filters = read_filter(leaf("city", "EQUAL", "z"))
    low.body.filters = read_filter(leaf("city", "EQUAL", "y"))
    market.save(top)
    market.save(low)
    assert matched(market, client) == {ref: middle.no}


def test_the_schedule_finds_new_days_and_ended_jobs(market: Market) -> None:
    client = market.client()
    market.group(market.campaign(client))
    market.job(client, end_at=market.now() + HOUR)
    market.run("groups.rematch", client.id)
    market.write(lambda tx: tx.run(sa.delete(tasks)))

    def due() -> list[tuple[str, str]]:
        for kind, _, ask in SCHEDULE:
            market.write(lambda tx, ask=ask: ask(tx, market.now()))  # type: ignore[misc]
            market.run(kind, "")
            market.write(lambda tx: tx.run(_DONE))
        found = market.write(lambda tx: tx.all(_TASKS))
        market.write(lambda tx: tx.run(sa.delete(tasks)))
        return list(found)

    assert due() == []
    market.clock.forward(HOUR)
    assert due() == [("groups.rematch", client.id)]
    market.run("groups.rematch", client.id)
    market.write(lambda tx: tx.run(sa.delete(tasks)))
    assert due() == []
    market.clock.forward(DAY)
    assert due() == [("groups.rematch", client.id)]


# ── incremental = from nothing ──────────────────────────────────────────────────────────────────
CITIES = st.sampled_from(["a", "b", "c"])
FILTERS = st.one_of(
    st.lists(CITIES, min_size=1, max_size=2).map(lambda some: leaf("city", "IN", some)),
    CITIES.map(lambda one: leaf("city", "NOT_EQUAL", one)),
    st.integers(0, 3).map(lambda days: leaf("postedDate", "LESS_THAN", str(days))),
    st.integers(0, 3).map(lambda days: leaf("postedDate", "GREATER_THAN", str(days))),
)
DAYS_ON = st.sampled_from(["", "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25"])


class Edits(RuleBasedStateMachine):
    """Random edits, matched step by step; after each, matching all anew must change nothing."""

    market: Market

    @initialize()
    def begin(self) -> None:
        self.client = self.market.client()
        self.campaign = self.market.campaign(self.client)
        self.groups: list[Any] = []
        self.jobs: list[str] = []
        self.steps = 0

    @rule(filters=FILTERS, priority=st.integers(1, 3), start_on=DAYS_ON, end_on=DAYS_ON)
    def add_group(self, filters: Any, priority: int, start_on: str, end_on: str) -> None:
        dates = {"start_on": start_on, "end_on": end_on}
        self.groups.append(self.market.group(self.campaign, filters, priority, **dates))

    @rule(at=st.integers(0, 9), filters=FILTERS, status=st.sampled_from("AAP"))
    def change_group(self, at: int, filters: Any, status: str) -> None:
        if self.groups:
            group = self.groups[at % len(self.groups)]
            group.body.filters, group.status = read_filter(filters), status
            self.market.save(group)

    @rule(at=st.integers(0, 9), priority=st.integers(1, 3))
    def move_group(self, at: int, priority: int) -> None:
        if self.groups:
            group = self.groups[at % len(self.groups)]
            group.priority = priority
            self.market.save(group)

    @rule(at=st.integers(0, 9))
    def delete_group(self, at: int) -> None:
        if self.groups:
            group = self.groups.pop(at % len(self.groups))
            self.market.save(group, deleted_at=self.market.now())

    @rule(city=CITIES, age=st.integers(0, 4), hours=st.none() | st.integers(1, 60))
    def add_job(self, city: str, age: int, hours: int | None) -> None:
        now = self.market.now()
        end_at = None if hours is None else now + hours * HOUR
        said: dict[str, Any] = {"city": city, "posted_at": now - age * DAY, "end_at": end_at}
        self.jobs.append(self.market.job(self.client, **said))

    @rule(at=st.integers(0, 9), city=CITIES, valid=st.booleans())
    def change_job(self, at: int, city: str, valid: bool) -> None:
        if self.jobs:
            missing = () if valid else ("title",)
            ref = self.jobs[at % len(self.jobs)]
            self.market.job(self.client, ref, city=city, missing=missing)

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.market.clock.forward(hours * HOUR)

    @invariant()
    def match(self) -> None:
        """After most steps; sometimes several changes come together."""
        self.steps += 1
        if self.steps % 3 == 0:
            return
        matching.rematch(self.market.records, self.client, self.market.now())
        step_by_step = pairs(self.market, self.client)

        assert self.from_nothing() == step_by_step

    def from_nothing(self) -> dict[str, int]:
        """What matching all jobs would give, by reference."""
        with self.market.records.read() as tx:
            contest = contest_of(tx, self.client, self.market.now())
            matcher = contest.matcher()
            found = {
                JobFacts(*one.facts).ref: matcher.best(one.facts) or contest.default_no
                for one in matching.candidates(tx, contest, 0)
                if one.live
            }
        return {ref: group_no for ref, group_no in found.items() if group_no is not None}


def test_step_by_step_is_from_nothing(sqlite_records: Records, tmp_path: Path) -> None:
    market = open_market(sqlite_records, tmp_path)
    machine = type("Machine", (Edits,), {"market": market})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=20, suppress_health_check=list(HealthCheck)
        ),
    )
    market.tools.index.close()
