"""Rows of tables posting_configs, posting_config_clients and posting_jobs, to nouns and back."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.postings import Posting, PostingBody, PostingJob, can_be_shown
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import (
    NOW,
    clients,
    jobs,
    posting_config_clients,
    posting_configs,
    posting_jobs,
)

_BODY = msgspec.json.Decoder(PostingBody)
_c, _m, _p, _j = posting_configs.c, posting_config_clients.c, posting_jobs.c, jobs.c
_ONE: sa.ColumnElement[int] = sa.literal_column("1")
_ZERO: sa.ColumnElement[int] = sa.literal_column("0")


_CONFIG = sa.select(
    _c.no,
    _c.id,
    _c.agency_no,
    _c.publisher_no,
    _c.body,
    _c.start_at,
    _c.end_at,
    _c.credits_used,
    _c.posted,
    _c.ever,
    _c.turned_at,
    _c.created_at,
    _c.updated_at,
)
_NAMES = tuple(_CONFIG.selected_columns.keys())
_LIVE = _c.deleted_at.is_(None)
_OF_CLIENT = sa.select(_ONE).where(_m.config_no == _c.no, _m.client_no == b("client_no")).exists()
_BY_ID = _CONFIG.where(_c.id == b("id"), _LIVE, _OF_CLIENT)
_BY_NO = _CONFIG.where(_c.no == b("no"), _LIVE)
_PAGE = (
    _CONFIG.where(_LIVE, _OF_CLIENT)
    .order_by(_c.no)
    .limit(b("limit", type_=sa.Integer))
    .offset(b("skip", type_=sa.Integer))
)
_PAGE_AT = _PAGE.where(_c.publisher_no == b("publisher_no"))
_NEWEST = (
    _CONFIG.where(_LIVE, _OF_CLIENT, _c.publisher_no == b("publisher_no"))
    .order_by(_c.no.desc())
    .limit(_ONE)
)
_HOW_MANY = sa.select(sa.func.count()).select_from(posting_configs).where(_LIVE, _OF_CLIENT)
_HOW_MANY_AT = _HOW_MANY.where(_c.publisher_no == b("publisher_no"))
_CLIENTS = (
    sa.select(_m.config_no, clients.c.id)
    .join(clients, clients.c.no == _m.client_no)
    .where(among(_m.config_no, "nos"))
    .order_by(_m.no)
)
_CLIENT_NOS = sa.select(_m.client_no).where(_m.config_no == b("config_no")).order_by(_m.no)
_DROP_CLIENTS = sa.delete(posting_config_clients).where(_m.config_no == b("config_no"))
_DUE = (
    sa.select(_c.id)
    .where(_c.due_at <= b("now"), _LIVE)
    .order_by(_c.due_at)
    .limit(b("limit", type_=sa.Integer))
)
_NO_OF = sa.select(_c.no).where(_c.id == b("id"), _LIVE)

_JOBS = sa.select(
    _p.no,
    _p.id,
    _p.config_no,
    _p.client_no,
    _p.job_no,
    _p.posted,
    _p.pinned,
    _p.paused,
    _p.times,
    _p.waiting_at,
    _p.posted_at,
    _p.credit_at,
    _p.ended_at,
    _p.created_at,
    _p.updated_at,
    _p.deleted_at,
    _j.ref,
    _j.id,
    _j.status,
    _j.valid,
    _j.end_at,
    NOW.left_at,
).join(jobs, _j.no == _p.job_no)
_NOT_DELETED = _p.deleted_at.is_(None)
_OF_CONFIG = _JOBS.where(_p.config_no == b("config_no"), _NOT_DELETED).order_by(_p.no)
# By number: else SQLite would search each job of the purchase for its reference.
_NAMED = sa.alias(jobs)
_OF_REFS = _JOBS.where(
    _p.config_no == b("config_no"),
    _p.job_no.in_(
        sa.select(_NAMED.c.no).where(
            _NAMED.c.client_no == b("client_no"), among(_NAMED.c.ref, "refs")
        )
    ),
)
_POSTED = (_p.client_no == b("client_no"), _p.posted == _ONE, _LIVE)
_POSTED_AT = (*_POSTED, _c.publisher_no == b("publisher_no"))
_PINNED = _p.pinned.between(b("least"), b("most"))
_THERE = NOW.left_at.is_(None)
_POSTED_PAGE = (
    _JOBS.add_columns(_c.id)
    .join(posting_configs, _c.no == _p.config_no)
    .where(*_POSTED_AT, _PINNED, _THERE)
    .order_by(_p.no)
    .limit(b("limit", type_=sa.Integer))
    .offset(b("skip", type_=sa.Integer))
)
_POSTED_COUNT = (
    sa.select(sa.func.count())
    .select_from(posting_jobs)
    .join(jobs, _j.no == _p.job_no)
    .join(posting_configs, _c.no == _p.config_no)
    .where(*_POSTED_AT, _PINNED, _THERE)
)
_POSTED_NOS = (
    sa.select(_c.publisher_no, _p.job_no)
    .join(posting_configs, _c.no == _p.config_no)
    .where(*_POSTED, _p.paused == _ZERO)
    .distinct()
    .order_by(_c.publisher_no, _p.job_no)
)
_CANDIDATES = sa.select(_j.no, _j.ref, _j.status, _j.valid, _j.end_at).where(
    _j.client_no == b("client_no"), among(_j.ref, "refs"), NOW.left_at.is_(None)
)


# ── purchases ───────────────────────────────────────────────────────────────────────────────────
def _postings(tx: Tx, found: Sequence[Row]) -> list[Posting]:
    served: dict[int, list[str]] = {}
    for config_no, client_id in tx.all(_CLIENTS, nos=Listed(row[0] for row in found)):
        served.setdefault(config_no, []).append(client_id)
    made = []
    for row in found:
        of = dict(zip(_NAMES, row, strict=True))
        of.update(body=_BODY.decode(of["body"]), client_ids=served.get(of["no"], []))
        made.append(Posting(**of))
    return made


def find(tx: Tx, client_no: int, config_id: str) -> Posting | None:
    postings = _postings(tx, tx.all(_BY_ID, id=config_id, client_no=client_no))
    return postings[0] if postings else None


def by_number(tx: Tx, no: int) -> Posting | None:
    postings = _postings(tx, tx.all(_BY_NO, no=no))
    return postings[0] if postings else None


def number_of(tx: Tx, config_id: str) -> int | None:
    no: int | None = tx.value(_NO_OF, id=config_id)
    return no


def page(tx: Tx, client_no: int, skip: int, limit: int) -> list[Posting]:
    return _postings(tx, tx.all(_PAGE, client_no=client_no, skip=skip, limit=limit))


def count(tx: Tx, client_no: int) -> int:
    return int(tx.value(_HOW_MANY, client_no=client_no))


def page_at(tx: Tx, client_no: int, publisher_no: int, skip: int, limit: int) -> list[Posting]:
    rows = tx.all(_PAGE_AT, client_no=client_no, publisher_no=publisher_no, skip=skip, limit=limit)
    return _postings(tx, rows)


def count_at(tx: Tx, client_no: int, publisher_no: int) -> int:
    return int(tx.value(_HOW_MANY_AT, client_no=client_no, publisher_no=publisher_no))


def newest_at(tx: Tx, client_no: int, publisher_no: int) -> Posting | None:
    postings = _postings(tx, tx.all(_NEWEST, client_no=client_no, publisher_no=publisher_no))
    return postings[0] if postings else None


def due(tx: Tx, now: Instant, limit: int) -> list[str]:
    return [id_ for (id_,) in tx.all(_DUE, now=now, limit=limit)]


def _columns(posting: Posting) -> dict[str, Any]:
    return {
        "body": msgspec.json.encode(posting.body).decode(),
        "start_at": posting.start_at,
        "end_at": posting.end_at,
        "credits_used": posting.credits_used,
        "posted": posting.posted,
        "ever": posting.ever,
        "turned_at": posting.turned_at,
        "updated_at": posting.updated_at,
    }


def add(tx: Tx, posting: Posting) -> int:
    """Insert a purchase; returns the new row's number (``posting.no`` is ignored)."""
    return tx.put(
        posting_configs,
        id=posting.id,
        agency_no=posting.agency_no,
        publisher_no=posting.publisher_no,
        created_at=posting.created_at,
        spent_micros=0,
        spend_at=posting.created_at,
        **_columns(posting),
    )


def save(tx: Tx, posting: Posting, **columns: Any) -> None:
    """Save what may change; ``columns`` may set more (due_at, deleted_at)."""
    tx.change(posting_configs, {"no": posting.no}, **_columns(posting), **columns)


def client_numbers(tx: Tx, config_no: int) -> list[int]:
    return [no for (no,) in tx.all(_CLIENT_NOS, config_no=config_no)]


def serve(tx: Tx, config_no: int, client_nos: Iterable[int]) -> None:
    """Set the clients of a purchase, in this order: these and no others."""
    tx.run(_DROP_CLIENTS, config_no=config_no)
    rows = [{"config_no": config_no, "client_no": no} for no in client_nos]
    tx.put_many(posting_config_clients, rows)


# ── their jobs ──────────────────────────────────────────────────────────────────────────────────
def _job(row: Row) -> PostingJob:
    values = dict(zip(PostingJob.__struct_fields__, row, strict=False))
    for name in ("posted", "pinned", "paused", "job_valid"):
        values[name] = bool(values[name])
    return PostingJob(**values)


def jobs_of(tx: Tx, config_no: int) -> list[PostingJob]:
    """Every job of a purchase, of all its clients, ended ones included."""
    return [_job(row) for row in tx.all(_OF_CONFIG, config_no=config_no)]


def by_refs(tx: Tx, config_no: int, client_no: int, refs: Iterable[str]) -> dict[str, PostingJob]:
    """Deleted ones included: adding a job again uses its former row."""
    rows = tx.all(_OF_REFS, config_no=config_no, client_no=client_no, refs=Listed(refs))
    return {job.ref: job for job in map(_job, rows)}


def posted_page(
    tx: Tx, client_no: int, publisher_no: int, pinned: bool | None, skip: int, limit: int
) -> list[tuple[PostingJob, str]]:
    """Posted jobs of (client, publisher), each with its purchase's id."""
    rows = tx.all(_POSTED_PAGE, **_posted(client_no, publisher_no, pinned), skip=skip, limit=limit)
    return [(_job(row), row[22]) for row in rows]


def posted_count(tx: Tx, client_no: int, publisher_no: int, pinned: bool | None) -> int:
    return int(tx.value(_POSTED_COUNT, **_posted(client_no, publisher_no, pinned)))


def _posted(client_no: int, publisher_no: int, pinned: bool | None) -> dict[str, int]:
    least, most = (0, 1) if pinned is None else (int(pinned), int(pinned))
    return {"client_no": client_no, "publisher_no": publisher_no, "least": least, "most": most}


def posted_numbers(tx: Tx, client_no: int) -> dict[int, list[int]]:
    by_publisher: dict[int, list[int]] = {}
    for publisher_no, job_no in tx.all(_POSTED_NOS, client_no=client_no):
        by_publisher.setdefault(publisher_no, []).append(job_no)
    return by_publisher


def candidates(tx: Tx, client_no: int, refs: Iterable[str], now: Instant) -> dict[str, Any]:
    """Live jobs of the client by reference: (number, whether it can be shown)."""
    rows = tx.all(_CANDIDATES, client_no=client_no, refs=Listed(refs))
    return {
        ref: (no, can_be_shown(status, valid, end_at, now))
        for no, ref, status, valid, end_at in rows
    }


def insert_jobs(
    tx: Tx, config_no: int, client_no: int, new: Sequence[tuple[str, int]], now: Instant
) -> None:
    """Add jobs, as (id, job number); they wait for a slot."""
    fixed = {
        "config_no": config_no,
        "client_no": client_no,
        "posted": 0,
        "pinned": 0,
        "paused": 0,
        "times": 0,
        "waiting_at": now,
        "created_at": now,
        "updated_at": now,
    }
    tx.put_many(posting_jobs, [{"id": id_, "job_no": no} | fixed for id_, no in new])


def change_jobs(tx: Tx, nos: Iterable[int], now: Instant, **columns: Any) -> None:
    """Set the same columns of many jobs."""
    text = tx.dialect.update_text(posting_jobs, (*columns, "updated_at"), ("no",))
    changes = [columns | {"updated_at": now, "key_no": no} for no in nos]
    if changes:
        tx.run_text_many(text, changes)


def revive(tx: Tx, former: Sequence[tuple[PostingJob, str]], now: Instant) -> None:
    """Use the rows of jobs that had ended or were deleted again, under the given ids: they wait."""
    fixed = {
        "posted": 0,
        "paused": 0,
        "waiting_at": now,
        "posted_at": None,
        "credit_at": None,
        "ended_at": None,
        "deleted_at": None,
        "updated_at": now,
    }
    columns = ("id", "pinned", "created_at", *fixed)
    text = tx.dialect.update_text(posting_jobs, columns, ("no",))
    tx.run_text_many(
        text,
        [
            fixed
            | {
                "id": id_,
                "key_no": job.no,
                "pinned": 0 if job.deleted_at is not None else int(job.pinned),
                "created_at": job.created_at if job.deleted_at is None else now,
            }
            for job, id_ in former
        ],
    )
