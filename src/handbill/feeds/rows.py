"""Rows of tables feeds and feed_runs, to nouns and back."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.feed_runs import FeedRun
from handbill.core.feeds import Feed
from handbill.kit.instants import Instant
from handbill.store import sealed
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import clients, feed_runs, feed_secrets, feeds

MOST_FAULTS = 100


_t = feeds.c
_r = feed_runs.c
_p = feed_secrets.c
_PASSWORD = sa.select(_p.value).where(_p.feed_no == b("feed_no"), _p.name == b("name"))
_FORGET_PASSWORDS = sa.delete(feed_secrets).where(_p.feed_no == b("feed_no"), _p.name != b("but"))
_FEEDS, _RUNS = Mapper(feeds, Feed), Mapper(feed_runs, FeedRun)
_LIMIT = b("limit", type_=sa.Integer)
_ONE = _FEEDS.live("id", "client_no")
_OF_CLIENT = _FEEDS.live("client_no")
_AT_WORK = (
    sa.select(*_FEEDS.columns, clients.c.id)
    .join(clients, clients.c.no == _t.client_no)
    .where(_t.id == b("id"), _t.deleted_at.is_(None))
)
_DUE = (
    sa.select(*_FEEDS.columns, clients.c.body)
    .join(clients, clients.c.no == _t.client_no)
    .where(
        _t.next_run_at <= b("now"),
        _t.deleted_at.is_(None),
        _t.status == b("active"),
        clients.c.status == b("active"),
        clients.c.deleted_at.is_(None),
    )
    .order_by(_t.next_run_at)
    .limit(_LIMIT)
)
_later = feed_runs.alias("later")
_LATEST_RUN = sa.select(sa.func.max(_later.c.no)).where(_later.c.feed_no == _t.no)
_FAILING, _FAILED_LAST = (
    sa.select(*_FEEDS.columns, *_RUNS.columns)
    .join(feed_runs, _r.feed_no == _t.no)
    .where(
        among(_t.client_no, "client_nos"),
        _t.deleted_at.is_(None),
        _t.status == b("active"),
        _r.no == latest.scalar_subquery(),
        _r.state == b("failed"),
    )
    .order_by(_r.no.desc())
    .limit(_LIMIT)
    for latest in (_LATEST_RUN, _LATEST_RUN.where(_later.c.ended_at.is_not(None)))
)
_HURRY = (
    sa.update(feeds)
    .where(among(_t.no, "nos"), _t.deleted_at.is_(None))
    .values(next_run_at=b("now"))
)
_RUN = _RUNS.ever("feed_no", "id")
_OF_FEED = _RUNS.ever("feed_no", order=_r.no.desc())
_OLD_RUN = (
    sa.select(_r.no)
    .where(_r.feed_no == b("feed_no"))
    .order_by(_r.no.desc())
    .limit(sa.literal_column("1"))
    .offset(b("most", type_=sa.Integer))
)
_FORGET_RUNS = sa.delete(feed_runs).where(
    _r.feed_no == b("feed_no"), _r.no <= _OLD_RUN.scalar_subquery()
)
_IN_STATES = _RUNS.ever("feed_no", among(_r.state, "states"), order=_r.no.desc())


# ── feeds ───────────────────────────────────────────────────────────────────────────────────────
def find(tx: Tx, client_no: int, feed_id: str) -> Feed | None:
    return _ONE.first(tx, client_no=client_no, id=feed_id)


def at_work(tx: Tx, feed_id: str) -> tuple[Feed, str] | None:
    """A live feed of any client, and the client's id."""
    row = tx.one(_AT_WORK, id=feed_id)
    return (_FEEDS.read(row[:-1]), row[-1]) if row else None


def page(tx: Tx, client_no: int, skip: int, limit: int) -> list[Feed]:
    return _OF_CLIENT.page(tx, skip, limit, client_no=client_no)


def count(tx: Tx, client_no: int) -> int:
    return _OF_CLIENT.count(tx, client_no=client_no)


def due(tx: Tx, now: Instant, limit: int) -> list[tuple[Feed, str]]:
    """Feeds of active clients that are due, and each client's body."""
    rows = tx.all(_DUE, now=now, active="A", limit=limit)
    return [(_FEEDS.read(row[:-1]), row[-1]) for row in rows]


def add(tx: Tx, feed: Feed) -> int:
    """Insert a feed; returns the new row's number (``feed.no`` is ignored)."""
    return changes.put(tx, feed.created_at, feeds, **_FEEDS.values(feed))


def save(tx: Tx, feed: Feed, **columns: Any) -> None:
    """Save what may change; ``columns`` may set more (deleted_at)."""
    kept = _FEEDS.values(feed, "status", "body", "updated_at", "next_run_at")
    changes.change(tx, feed.updated_at, feeds, {"no": feed.no}, **kept, **columns)


def save_body(tx: Tx, feed: Feed, now: Instant) -> None:
    changes.change(tx, now, feeds, {"no": feed.no}, **_FEEDS.values(feed, "body"))


def plan(tx: Tx, no: int, next_run_at: Instant) -> None:
    """Set when the feed is due again; nothing else of it is changed."""
    tx.change(feeds, {"no": no}, next_run_at=next_run_at)


def lock(tx: Tx, no: int) -> None:
    tx.lock_row(feeds, no)


def hurry(tx: Tx, nos: set[int], now: Instant) -> None:
    """Make these feeds due at once."""
    if nos:
        tx.run(_HURRY, nos=Listed(sorted(nos)), now=now)


# ── passwords ───────────────────────────────────────────────────────────────────────────────────
def password(tx: Tx, feed_no: int, name: str) -> str | None:
    """The password for a place and user (``core.feeds.FeedBody.login``), for the fetch only."""
    secret = tx.value(_PASSWORD, feed_no=feed_no, name=name)
    row = {"feed_no": feed_no, "name": name}
    return None if secret is None else sealed.opened(tx, feed_secrets, row, secret).decode()


def put_password(tx: Tx, feed_no: int, name: str, value: str) -> None:
    row = {"feed_no": feed_no, "name": name}
    kept = sealed.seal(tx, feed_secrets, row, value.encode())
    tx.upsert_many(feed_secrets, ["feed_no", "name"], [row | {"value": kept}])


def forget_passwords(tx: Tx, feed_no: int, but: str) -> int:
    """Delete all passwords but that of one place and user; how many there were."""
    return tx.run(_FORGET_PASSWORDS, feed_no=feed_no, but=but)


# ── runs ────────────────────────────────────────────────────────────────────────────────────────
def find_run(tx: Tx, feed_no: int, run_id: str) -> FeedRun | None:
    return _RUN.first(tx, feed_no=feed_no, id=run_id)


def runs_page(tx: Tx, feed_no: int, skip: int, limit: int) -> list[FeedRun]:
    """Newest first."""
    return _OF_FEED.page(tx, skip, limit, feed_no=feed_no)


def runs_count(tx: Tx, feed_no: int) -> int:
    return _OF_FEED.count(tx, feed_no=feed_no)


def failing(
    tx: Tx, client_nos: Iterable[int], limit: int, *, of_ended: bool
) -> list[tuple[Feed, FeedRun]]:
    """The active feeds whose latest run has failed, and that run; the latest first. ``of_ended``:
    the latest that has ended.
    """
    nos, wide = Listed(sorted(client_nos)), len(_FEEDS.columns)
    chosen = _FAILED_LAST if of_ended else _FAILING
    rows = tx.all(chosen, client_nos=nos, active="A", failed="FAILED", limit=limit)
    return [(_FEEDS.read(row[:wide]), _RUNS.read(row[wide:])) for row in rows]


def in_states(tx: Tx, feed_no: int, states: list[str], limit: int) -> list[FeedRun]:
    """Newest first."""
    return _IN_STATES.page(tx, 0, limit, feed_no=feed_no, states=Listed(states))


def add_run(tx: Tx, run: FeedRun) -> int:
    return _RUNS.add(tx, run)


def save_run(tx: Tx, run: FeedRun) -> None:
    kept = _RUNS.values(run, "state", "percent", "body", "ended_at")
    tx.change(feed_runs, {"no": run.no}, **kept)


def forget_runs(tx: Tx, feed_no: int, most: int) -> int:
    """Delete all runs but the newest ones; how many they were."""
    return tx.run(_FORGET_RUNS, feed_no=feed_no, most=most)


def set_percent(tx: Tx, no: int, percent: int) -> None:
    tx.change(feed_runs, {"no": no, "state": "RUNNING"}, percent=percent)
