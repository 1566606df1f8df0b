"""Rows of tables feeds and feed_runs, to nouns and back."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.nouns import Feed, FeedBody
from handbill.kit.instants import Instant
from handbill.store import sealed
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import clients, feed_runs, feed_secrets, feeds

MOST_FAULTS = 100


class RunFault(msgspec.Struct, frozen=True):
    """What is wrong with one job. ``line`` 0: not known."""

    job: str
    field: str
    line: int
    reason: str
    message: str


class RunBody(msgspec.Struct, omit_defaults=True):
    """``settings``: the digest of the feed's settings that the run went by, in hex.

    ``live``: how many live jobs the feed had after it. ``etag``, ``last_modified``: what the other
    side marked the body with.
    """

    forced: bool = False
    reason: str = ""
    message: str = ""
    line: int = 0
    bytes: int = 0
    counts: dict[str, int] = {}
    fault_counts: dict[str, int] = {}
    faults: list[RunFault] = []
    settings: str = ""
    live: int = 0
    etag: str = ""
    last_modified: str = ""


class Run(msgspec.Struct, kw_only=True):
    """``state``: QUEUED, RUNNING, SUCCESS or FAILED."""

    no: int
    id: str
    feed_no: int
    state: str
    percent: int
    body: RunBody
    created_at: Instant
    ended_at: Instant | None


_BODY = msgspec.json.Decoder(FeedBody)
_RUN_BODY = msgspec.json.Decoder(RunBody)
_t = feeds.c
_r = feed_runs.c
_p = feed_secrets.c
_PASSWORD = sa.select(_p.value).where(_p.feed_no == b("feed_no"), _p.name == b("name"))
_FORGET_PASSWORDS = sa.delete(feed_secrets).where(_p.feed_no == b("feed_no"), _p.name != b("but"))
_COLUMNS = (
    _t.no, _t.id, _t.client_no, _t.status, _t.body, _t.created_at, _t.updated_at, _t.next_run_at,
)  # fmt: skip
_LIVE = (_t.client_no == b("client_no"), _t.deleted_at.is_(None))
_LIMIT, _SKIP = b("limit", type_=sa.Integer), b("skip", type_=sa.Integer)
_ONE = sa.select(*_COLUMNS).where(_t.id == b("id"), *_LIVE)
_AT_WORK = (
    sa.select(*_COLUMNS, clients.c.id)
    .join(clients, clients.c.no == _t.client_no)
    .where(_t.id == b("id"), _t.deleted_at.is_(None))
)
_PAGE = sa.select(*_COLUMNS).where(*_LIVE).order_by(_t.no).limit(_LIMIT).offset(_SKIP)
_COUNT = sa.select(sa.func.count()).select_from(feeds).where(*_LIVE)
_DUE = (
    sa.select(*_COLUMNS, clients.c.body)
    .join(clients, clients.c.no == _t.client_no)
    .where(
        _t.next_run_at <= b("now"), _t.deleted_at.is_(None), _t.status == b("active"),
        clients.c.status == b("active"), clients.c.deleted_at.is_(None),
    )
    .order_by(_t.next_run_at)
    .limit(_LIMIT)
)  # fmt: skip
_HURRY = (
    sa.update(feeds)
    .where(among(_t.no, "nos"), _t.deleted_at.is_(None))
    .values(next_run_at=b("now"))
)
_RUN_COLUMNS = (
    _r.no, _r.id, _r.feed_no, _r.state, _r.percent, _r.body, _r.created_at, _r.ended_at,
)  # fmt: skip
_RUNS = sa.select(*_RUN_COLUMNS).where(_r.feed_no == b("feed_no")).order_by(_r.no.desc())
_RUN = sa.select(*_RUN_COLUMNS).where(_r.feed_no == b("feed_no"), _r.id == b("id"))
_RUN_PAGE = _RUNS.limit(_LIMIT).offset(_SKIP)
_RUN_COUNT = sa.select(sa.func.count()).select_from(feed_runs).where(_r.feed_no == b("feed_no"))
_IN_STATES = (
    sa.select(*_RUN_COLUMNS)
    .where(_r.feed_no == b("feed_no"), among(_r.state, "states"))
    .order_by(_r.no.desc())
    .limit(_LIMIT)
)


# ── feeds ───────────────────────────────────────────────────────────────────────────────────────
def _feed(row: Row) -> Feed:
    no, id_, client_no, status, body, created_at, updated_at, next_run_at = row
    return Feed(
        no=no, id=id_, client_no=client_no, status=status, body=_BODY.decode(body),
        created_at=created_at, updated_at=updated_at, next_run_at=next_run_at,
    )  # fmt: skip


def find(tx: Tx, client_no: int, feed_id: str) -> Feed | None:
    row = tx.one(_ONE, client_no=client_no, id=feed_id)
    return _feed(row) if row else None


def at_work(tx: Tx, feed_id: str) -> tuple[Feed, str] | None:
    """A live feed of any client, and the client's id."""
    row = tx.one(_AT_WORK, id=feed_id)
    return (_feed(row[:-1]), row[-1]) if row else None


def page(tx: Tx, client_no: int, skip: int, limit: int) -> list[Feed]:
    return [_feed(row) for row in tx.all(_PAGE, client_no=client_no, skip=skip, limit=limit)]


def count(tx: Tx, client_no: int) -> int:
    return int(tx.value(_COUNT, client_no=client_no))


def due(tx: Tx, now: Instant, limit: int) -> list[tuple[Feed, str]]:
    """Feeds of clients at work whose time has come, and each client's body."""
    found = tx.all(_DUE, now=now, active="A", limit=limit)
    return [(_feed(row[:-1]), row[-1]) for row in found]


def add(tx: Tx, feed: Feed) -> int:
    """Insert; the new row's number (``feed.no`` is not looked at)."""
    return changes.put(
        tx, feed.created_at, feeds, id=feed.id, client_no=feed.client_no, status=feed.status,
        body=msgspec.json.encode(feed.body).decode(), created_at=feed.created_at,
        updated_at=feed.updated_at, next_run_at=feed.next_run_at,
    )  # fmt: skip


def save(tx: Tx, feed: Feed, **columns: Any) -> None:
    """Write what may change back; ``columns`` may set more (deleted_at)."""
    body = msgspec.json.encode(feed.body).decode()
    changes.change(
        tx, feed.updated_at, feeds, {"no": feed.no}, status=feed.status, body=body,
        updated_at=feed.updated_at, next_run_at=feed.next_run_at, **columns,
    )  # fmt: skip


def save_body(tx: Tx, feed: Feed, now: Instant) -> None:
    body = msgspec.json.encode(feed.body).decode()
    changes.change(tx, now, feeds, {"no": feed.no}, body=body)


def plan(tx: Tx, no: int, next_run_at: Instant) -> None:
    """When the feed is due again; nothing else of it is touched."""
    tx.change(feeds, {"no": no}, next_run_at=next_run_at)


def lock(tx: Tx, no: int) -> None:
    tx.lock_row(feeds, no)


def hurry(tx: Tx, nos: set[int], now: Instant) -> None:
    """These feeds are to be read again at once."""
    if nos:
        tx.run(_HURRY, nos=Listed(sorted(nos)), now=now)


# ── passwords ───────────────────────────────────────────────────────────────────────────────────
def password(tx: Tx, feed_no: int, name: str) -> str | None:
    """What is kept for a place and user (``core.nouns.FeedBody.login``), for who fetches."""
    found = tx.value(_PASSWORD, feed_no=feed_no, name=name)
    row = {"feed_no": feed_no, "name": name}
    return None if found is None else sealed.opened(tx, feed_secrets, row, found).decode()


def put_password(tx: Tx, feed_no: int, name: str, value: str) -> None:
    row = {"feed_no": feed_no, "name": name}
    kept = sealed.seal(tx, feed_secrets, row, value.encode())
    tx.upsert_many(feed_secrets, ["feed_no", "name"], [row | {"value": kept}])


def forget_passwords(tx: Tx, feed_no: int, but: str) -> int:
    """Forget all that is kept but for one place and user; how many there were."""
    return tx.run(_FORGET_PASSWORDS, feed_no=feed_no, but=but)


# ── runs ────────────────────────────────────────────────────────────────────────────────────────
def _run(row: Row) -> Run:
    no, id_, feed_no, state, percent, body, created_at, ended_at = row
    return Run(
        no=no, id=id_, feed_no=feed_no, state=state, percent=percent,
        body=_RUN_BODY.decode(body), created_at=created_at, ended_at=ended_at,
    )  # fmt: skip


def find_run(tx: Tx, feed_no: int, run_id: str) -> Run | None:
    row = tx.one(_RUN, feed_no=feed_no, id=run_id)
    return _run(row) if row else None


def runs_page(tx: Tx, feed_no: int, skip: int, limit: int) -> list[Run]:
    """Newest first."""
    return [_run(row) for row in tx.all(_RUN_PAGE, feed_no=feed_no, skip=skip, limit=limit)]


def runs_count(tx: Tx, feed_no: int) -> int:
    return int(tx.value(_RUN_COUNT, feed_no=feed_no))


def in_states(tx: Tx, feed_no: int, states: list[str], limit: int) -> list[Run]:
    """Newest first."""
    found = tx.all(_IN_STATES, feed_no=feed_no, states=Listed(states), limit=limit)
    return [_run(row) for row in found]


def add_run(tx: Tx, run: Run) -> int:
    return tx.put(
        feed_runs, id=run.id, feed_no=run.feed_no, state=run.state, percent=run.percent,
        body=msgspec.json.encode(run.body).decode(), created_at=run.created_at,
        ended_at=run.ended_at,
    )  # fmt: skip


def save_run(tx: Tx, run: Run) -> None:
    tx.change(
        feed_runs, {"no": run.no}, state=run.state, percent=run.percent,
        body=msgspec.json.encode(run.body).decode(), ended_at=run.ended_at,
    )  # fmt: skip


def set_percent(tx: Tx, no: int, percent: int) -> None:
    tx.change(feed_runs, {"no": no, "state": "RUNNING"}, percent=percent)
