"""What is done to many rows in the background is done in short transactions that give way between
them: SQLite has one writer, and everybody's writes wait for it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handbill.access import work as access
from handbill.callbacks import work as callbacks
from handbill.changes import service as trail
from handbill.changes import work as changes
from handbill.core.nouns import Client, JobBody, Publisher
from handbill.core.trail import Occasion
from handbill.groups import service as groups
from handbill.host.acting import acting
from handbill.jobs import service as jobs
from handbill.kit.instants import DAY
from handbill.ledger import retiring
from handbill.listings import end_rows, indexing, minding
from handbill.store.records import Records, Tx
from handbill.store.records import tables as t
from handbill.store.records.opening import migrate
from handbill.store.records.sqlite import SqliteRecords
from handbill.work import kinds
from masters import MASTERS
from rooms.listing_market import Market, place

MANY, MOST, FEW = 3_000, 2_500, 500
"""MOST rows a transaction: a thousand marks that go, and what they stand for."""
OLD = {t.idempotency: "created_at", t.callbacks: "created_at", t.changes: "at", t.clicks: "at"} | {
    t.visits: "until_at",
    t.conversion_keys: "at",
    t.departures: "left_at",
}


class Killed(BaseException):
    """The process ends here."""


class Watched(SqliteRecords):
    """SQLite that notes how many rows each transaction changed, and where others got their turn:
    what holds then, and when the process dies.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, MASTERS)
        self.seen: list[int | None] = []
        self.dies_when: Callable[[], bool] = lambda: False
        self.turns_of_others: Callable[[], bool] = lambda: True

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with super().write() as tx:
            before = tx.connection.total_changes  # type: ignore[attr-defined]
            yield tx
            self.seen.append(tx.connection.total_changes - before)  # type: ignore[attr-defined]

    def give_way(self) -> None:
        self.seen.append(None)
        if self.dies_when():
            raise Killed
        assert self.turns_of_others()
        super().give_way()

    def check(self) -> None:
        changed = [one for one in self.seen if one is not None]
        assert max(changed) <= MOST
        assert sum(changed) >= MANY, "there was something to do"
        following = zip(self.seen, [*self.seen[1:], None], strict=True)
        pressed = [one for one, then in following if one and one > FEW and then is not None]
        assert not pressed, "others could not write between two of these"
        self.seen.clear()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    found = Watched(tmp_path / "records.db")
    migrate(found)
    yield found
    found.close()


def _watched(market: Market) -> Watched:
    assert isinstance(market.records, Watched)
    return market.records


def _fill(tx: Tx, table: sa.Table, dated: str, **fixed: Any) -> None:
    """Many rows of long ago, alike but for what must differ."""

    def value(column: sa.Column[Any], number: int) -> Any:
        if isinstance(column.type, sa.LargeBinary):
            return number.to_bytes(16, "big")
        if isinstance(column.type, sa.Text):
            return str(number)
        return 1 if column.name in {dated, "agency_no"} else number

    columns = [one for one in table.c if not one.nullable]
    tx.put_many(
        table, [{c.name: value(c, n) for c in columns} | fixed for n in range(100, MANY + 100)]
    )


def test_sweeps_forget_step_by_step(market: Market) -> None:
    records, now = _watched(market), market.now() + 1_000 * DAY
    for table, dated in OLD.items():
        with records.write() as tx:
            _fill(tx, table, dated)
    market.clock.at = now
    task: Any = None
    records.seen.clear()
    for sweep in (access.sweep, callbacks.sweep, changes.sweep):
        sweep(market.tools, task)
        records.check()
    retiring.forget(market.tools, now)
    records.check()
    with records.read() as tx:
        left = {table.name: tx.all(sa.select(table.c[dated])) for table, dated in OLD.items()}
    assert {name for name, rows in left.items() if rows} == set()


def _crowd(market: Market) -> tuple[Client, Publisher]:
    """A client with many jobs, placed at one publisher."""
    client, publisher = market.client(), market.publisher("Board")
    market.group(market.campaign(client), placements=[place("Board")], cpc_bid_micros=500_000)
    body: dict[str, Any] = {"title": "Nurse", "description": "Care", "company": "Acme"}
    brought = [
        jobs.written(JobBody(ref=f"ref-{n}", url=f"https://jobs.test/{n}", **body), None, None)
        for n in range(MANY)
    ]
    market.write(lambda tx: jobs.apply(tx, client, None, brought, market.now()))
    return client, publisher


def test_matching_and_the_edge_take_many_jobs_step_by_step(market: Market) -> None:
    records, (client, _) = _watched(market), _crowd(market)
    records.seen.clear()
    market.run("groups.rematch", client.id)
    records.check()
    with records.read() as tx:
        assert len(tx.all(sa.select(t.matches.c.job_no))) == MANY
    market.run("listings.publish", client.id)
    records.check()
    market.tools.index.replace()
    records.seen.clear()
    assert indexing.refill(market.tools) == MANY
    assert records.seen.count(None) >= MANY // 2_000


def test_clients_of_a_publisher_that_is_switched_are_looked_at_step_by_step(
    market: Market,
) -> None:
    records, publisher = _watched(market), market.publisher("Board")
    with records.write() as tx:
        _fill(tx, t.clients, "created_at")
        _fill(tx, t.feed_parts, "written_at", publisher_no=publisher.no)
    records.seen.clear()
    market.write(lambda tx: minding.switch(tx, market.now(), publisher, "P"))
    assert max(one for one in records.seen if one) < FEW, "the caller is answered at once"
    market.run("listings.republish", str(publisher.no))
    records.check()
    with records.read() as tx:
        followed = sa.select(t.tasks.c.key).where(t.tasks.c.kind == sa.bindparam("kind"))
        assert len(tx.all(followed, kind=kinds.FOLLOW)) == MANY


def test_job_groups_vanish_with_their_campaign_and_are_deleted_step_by_step(market: Market) -> None:
    records, client = _watched(market), market.client()
    campaign = market.campaign(client)
    made = [market.group(campaign) for _ in range(2 * groups.DELETED_AT_ONCE + 1)]
    other = market.group(market.campaign(client))
    caller = Occasion("API_CLIENT", "somebody", "request", "delete_campaign")
    records.seen.clear()
    with acting(caller):
        market.write(lambda tx: groups.delete_campaign(tx, market.now(), client, campaign))

    def left() -> list[str]:
        with records.read() as tx:
            return [one.id for one in groups.groups_of(tx, client.no) if not one.is_default]

    assert left() == [other.id]
    with records.read() as tx:
        asked = sa.select(t.tasks.c.payload).where(t.tasks.c.kind == sa.bindparam("kind"))
        payload = tx.value(asked, kind=kinds.DELETE_REST)
    market.run(kinds.DELETE_REST, str(campaign.no), json.loads(payload))
    assert [one for one in records.seen if one and one > MOST // 4] == []
    assert left() == [other.id]
    with records.read() as tx:
        gone = tx.all(sa.select(t.groups.c.status).where(t.groups.c.deleted_at.is_not(None)))
        told = [one for one in trail.page(tx, trail.ChangeFilter(), 1_000) if one.act == "DELETE"]
    assert gone == [("I",)] * len(made)
    assert {one.kind for one in told} == {"CAMPAIGN", "JOB_GROUP"}
    assert len(told) == len(made) + 1
    by = {(one.actor, one.actor_id, one.request_id, one.cause) for one in told}
    assert by == {caller[:-1]}, "who, and on what occasion"


def test_many_links_end_step_by_step_and_as_one(market: Market) -> None:
    """A run that dies among its steps has ended none, also when nothing is to end any more."""
    records, (client, publisher) = _watched(market), _crowd(market)

    def run() -> None:
        for name in ("groups.rematch", "listings.publish"):
            market.run(name, client.id)

    def leave(status: str) -> None:
        text = "UPDATE jobs SET status = :status WHERE no > 10"
        market.write(lambda tx: tx.run_text(text, {"status": status}))
        market.clock.forward(DAY)
        records.seen.clear()

    def ended() -> int:
        with records.read() as tx:
            ids = [bytes.fromhex(jobs.job_id(client.id, f"ref-{n}")) for n in range(MANY)]
            return len(list(end_rows.ends_of(tx, publisher.no, ids, range(10))))

    def noted() -> int:
        with records.read() as tx:
            return len(tx.all(sa.select(t.departures.c.left_at)))

    run()
    leave("P")
    records.dies_when = lambda: noted() > FEW
    with pytest.raises(Killed):
        run()
    assert (ended(), noted() > FEW) == (0, True), "some are noted, none holds"
    records.check()
    with records.read() as tx:
        assert len(tx.all(sa.select(t.delisted.c.job_no))) == MANY - 10
    records.dies_when = lambda: False
    leave("A")
    run()
    assert ended() == 0
    leave("P")
    records.turns_of_others = lambda: ended() in {0, MANY - 10}
    run()
    records.check()
    assert (ended(), noted()) == (MANY - 10, MANY - 10)
