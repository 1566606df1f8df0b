"""Rows of tables jobs and job_bodies, to nouns and back."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.nouns import Job, JobBody, JobSettings
from handbill.jobs.writing import (
    MATCHING,
    SETTINGS,
    FormerJob,
    WrittenJob,
    job_id,
    settings_with,
    source_columns,
    spelled,
)
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import NOW, job_bodies, jobs

_BODY = msgspec.msgpack.Decoder(JobBody)
_BROUGHT = msgspec.msgpack.Decoder(WrittenJob)
_t = jobs.c
_SOURCE = tuple(name for name in WrittenJob.__struct_fields__ if name not in {"publishers", "body"})
_UPDATED = (*_SOURCE[1:], "settings", "feed_no", "left_at", "deleted_at", "updated_at")

_FIRST = (
    _t.no,
    _t.id,
    _t.client_no,
    _t.feed_no,
    _t.status,
    _t.valid,
    _t.settings,
    _t.created_at,
    _t.updated_at,
)


def _joined(left_at: sa.ColumnElement[Any], brought: sa.ColumnElement[Any]) -> sa.Select[Any]:
    columns = sa.select(*_FIRST, left_at, brought, job_bodies.c.body)
    return columns.join(job_bodies, job_bodies.c.job_no == _t.no)


_JOINED = _joined(NOW.left_at, NOW.brought)
_LIVE = (_t.client_no == b("client_no"), NOW.left_at.is_(None))
_ONE = _JOINED.where(*_LIVE, _t.ref == b("ref"))
_OF_CLIENT = _t.client_no == b("client_no")
_LIMIT = b("limit", type_=sa.Integer)
# Decided by whether a takeover is being settled: asking each row takes longer than reading it.
_PAGE = {
    amid: (_JOINED if amid else _joined(_t.left_at, sa.null()))
    .where(_OF_CLIENT, (NOW.left_at if amid else _t.left_at).is_(None))
    .order_by(_t.no)
    .limit(_LIMIT)
    .offset(b("skip", type_=sa.Integer))
    for amid in (False, True)
}
_AFTER = _JOINED.where(*_LIVE, _t.no > b("after")).order_by(_t.no).limit(_LIMIT)
_BY_ID = _JOINED.where(*_LIVE, _t.id == b("id"))
# Were the client in these two, SQLite would look at each of its jobs.
_BY_IDS = _JOINED.where(NOW.left_at.is_(None), among(_t.id, "ids"))
_REFS = sa.select(_t.id, _t.ref, _t.client_no).where(among(_t.id, "ids"))
_PLACES = sa.select(_t.id, _t.country, _t.state, _t.city).where(among(_t.id, "ids"))
_SETTINGS_OF = sa.select(_t.id, _t.settings).where(among(_t.id, "ids"), _t.settings.is_not(None))
_CHANGED_AT = sa.select(_t.id, _t.updated_at).where(among(_t.id, "ids"))
_BY_NOS = _JOINED.where(among(_t.no, "nos"))
_STANDING = sa.select(
    _t.ref,
    _t.no,
    _t.feed_no,
    _t.left_at,
    _t.deleted_at,
    _t.raw_digest,
    _t.digest,
    _t.url,
    _t.settings,
    *(_t[name] for name in MATCHING),
).where(_t.client_no == b("client_no"), among(_t.ref, "refs"))
_NUMBERS = sa.select(_t.ref, _t.no).where(_t.client_no == b("client_no"), among(_t.ref, "refs"))
_CARRIED = sa.select(_t.no, _t.ref, _t.raw_digest, _t.end_at).where(_t.feed_no == b("feed_no"))
_OF_FEED = _CARRIED.where(_t.left_at.is_(None))
_DELETED_OF_FEED = _CARRIED.where(_t.deleted_at.is_not(None))
_BODIES = sa.select(job_bodies.c.job_no, job_bodies.c.body).where(among(job_bodies.c.job_no, "nos"))
_LEAVE = (
    sa.update(jobs)
    .where(among(_t.no, "nos"), _t.feed_no == b("feed_no"), _t.left_at.is_(None))
    .values(left_at=b("now"))
)
_LIFT = (
    sa.update(jobs)
    .where(among(_t.no, "nos"), _t.feed_no == b("feed_no"), _t.deleted_at.is_not(None))
    .values(deleted_at=sa.null())
)
_ALIVE = sa.select(_t.no).where(among(_t.no, "nos"), _t.left_at.is_(None))


# ── reading ─────────────────────────────────────────────────────────────────────────────────────
def _job(row: Row) -> Job:
    (
        no,
        id_,
        client_no,
        feed_no,
        status,
        valid,
        settings,
        created_at,
        updated_at,
        left_at,
        raw,
        blob,
    ) = row
    if raw is not None:
        brought = _BROUGHT.decode(raw)
        blob, valid, settings = (
            brought.body,
            brought.valid,
            settings_with(settings, brought.publishers),
        )
    body = _BODY.decode(blob)
    if settings is not None:
        body.settings = SETTINGS.decode(settings)
    return Job(
        no=no,
        id=id_,
        client_no=client_no,
        feed_no=feed_no,
        status=status,
        valid=bool(valid),
        body=body,
        created_at=created_at,
        updated_at=updated_at,
        left_at=left_at,
    )


def find(tx: Tx, client_no: int, ref: str) -> Job | None:
    row = tx.one(_ONE, client_no=client_no, ref=ref)
    return _job(row) if row else None


def page(tx: Tx, client_no: int, skip: int, limit: int, *, amid: bool) -> list[Job]:
    """``amid``: a takeover of the client is switched, and not settled yet."""
    return [_job(row) for row in tx.all(_PAGE[amid], client_no=client_no, skip=skip, limit=limit)]


def after(tx: Tx, client_no: int, no: int, limit: int) -> list[Job]:
    """Live jobs with higher numbers, in order; for reading all of them."""
    return [_job(row) for row in tx.all(_AFTER, client_no=client_no, after=no, limit=limit)]


def by_id(tx: Tx, client_no: int, job_id: str) -> Job | None:
    row = tx.one(_BY_ID, client_no=client_no, id=job_id)
    return None if row is None else _job(row)


def by_ids(tx: Tx, client_no: int, ids: Sequence[str]) -> list[Job]:
    some = map(_job, tx.all(_BY_IDS, ids=Listed(ids)))
    return [job for job in some if job.client_no == client_no]


def refs(tx: Tx, client_no: int, ids: Sequence[str]) -> dict[str, str]:
    rows = tx.all(_REFS, ids=Listed(ids))
    return {id_: ref for id_, ref, of in rows if of == client_no}


def places(tx: Tx, ids: list[str]) -> list[Row]:
    """Id, country, state and city of jobs, including those that have left."""
    return tx.all(_PLACES, ids=Listed(ids))


def settings_of(tx: Tx, ids: list[str]) -> list[tuple[str, JobSettings]]:
    """The settings of those of these jobs that have any, including jobs that have left."""
    rows = tx.all(_SETTINGS_OF, ids=Listed(ids))
    return [(id_, SETTINGS.decode(settings)) for id_, settings in rows]


def changed_at(tx: Tx, ids: list[str]) -> list[tuple[str, Instant]]:
    return [(id_, at) for id_, at in tx.all(_CHANGED_AT, ids=Listed(ids))]


def by_numbers(tx: Tx, nos: Sequence[int]) -> list[Job]:
    """Including those that have left: the past still names them."""
    return [_job(row) for row in tx.all(_BY_NOS, nos=Listed(nos))]


def bodies(tx: Tx, nos: Sequence[int]) -> Iterator[tuple[int, JobBody]]:
    """Number and body (without settings) of each job."""
    decode = _BODY.decode
    for no, blob in tx.all(_BODIES, nos=Listed(nos)):
        yield no, decode(blob)


def of_feed(tx: Tx, feed_no: int) -> Iterator[Row]:
    """Number, reference, raw digest and end of each live job of a feed."""
    return tx.stream(_OF_FEED, feed_no=feed_no)


def deleted_of_feed(tx: Tx, feed_no: int) -> list[Row]:
    """The same for jobs that were deleted while the feed carries them."""
    return tx.all(_DELETED_OF_FEED, feed_no=feed_no)


def standing(tx: Tx, client_no: int, refs: Sequence[str]) -> dict[str, FormerJob]:
    rows = tx.all(_STANDING, client_no=client_no, refs=Listed(refs))
    return {
        ref: FormerJob(
            no, feed_no, left_at, deleted_at, raw, digest, url, settings, tuple(matching)
        )
        for ref, no, feed_no, left_at, deleted_at, raw, digest, url, settings, *matching in rows
    }


# ── writing ─────────────────────────────────────────────────────────────────────────────────────
def insert(
    tx: Tx,
    client_no: int,
    client_id: str,
    feed_no: int | None,
    new: Sequence[WrittenJob],
    now: Instant,
    left_at: Instant | None = None,
) -> dict[str, int]:
    """Add jobs with their bodies; returns reference → number."""
    fixed = {
        "client_no": client_no,
        "feed_no": feed_no,
        "status": "A",
        "created_at": now,
        "updated_at": now,
        "left_at": left_at,
    }
    tx.put_many(
        jobs,
        [
            {
                **source_columns(job),
                **fixed,
                "id": job_id(client_id, job.ref),
                "settings": settings_with(None, job.publishers),
            }
            for job in new
        ],
    )
    rows = tx.all(_NUMBERS, client_no=client_no, refs=Listed(job.ref for job in new))
    numbers: dict[str, int] = dict(rows)
    tx.put_many(job_bodies, [{"job_no": numbers[job.ref], "body": job.body} for job in new])
    return numbers


def update(
    tx: Tx, feed_no: int | None, changed: Sequence[tuple[FormerJob, WrittenJob]], now: Instant
) -> None:
    """Rewrite jobs with their bodies; switch, id and time of creation stay."""
    text = tx.dialect.update_text(jobs, _UPDATED, ("no",))
    tx.run_text_many(
        text,
        [
            source_columns(job)
            | {
                "settings": settings_with(before.settings, job.publishers),
                "feed_no": feed_no,
                "left_at": None,
                "deleted_at": None,
                "updated_at": now,
                "key_no": before.no,
            }
            for before, job in changed
        ],
    )
    text = tx.dialect.update_text(job_bodies, ("body",), ("job_no",))
    bodies_now = [{"body": job.body, "key_job_no": before.no} for before, job in changed]
    tx.run_text_many(text, bodies_now)


def reread(tx: Tx, pairs: Sequence[tuple[int, bytes | None]]) -> None:
    """Set only the raw digests: the same content came in other bytes."""
    text = tx.dialect.update_text(jobs, ("raw_digest",), ("no",))
    tx.run_text_many(text, [{"raw_digest": digest, "key_no": no} for no, digest in pairs])


def leave(tx: Tx, feed_no: int, nos: Sequence[int], now: Instant) -> int:
    return tx.run(_LEAVE, nos=Listed(nos), feed_no=feed_no, now=now)


def lift(tx: Tx, feed_no: int, nos: Sequence[int]) -> None:
    """End deletions: whoever brings one of these jobs again offers something new."""
    tx.run(_LIFT, nos=Listed(nos), feed_no=feed_no)


def hand_over(tx: Tx, heirs: dict[int, int]) -> None:
    """Give jobs to other feeds. They have that feed's content only after its next import."""
    text = tx.dialect.update_text(jobs, ("feed_no", "raw_digest"), ("no",))
    tx.run_text_many(
        text,
        [{"feed_no": to, "raw_digest": None, "key_no": no} for no, to in heirs.items()],
    )


def alive(tx: Tx, nos: Sequence[int]) -> set[int]:
    """Which of these are in their feed."""
    return {no for (no,) in tx.all(_ALIVE, nos=Listed(nos))}


def set_settings(tx: Tx, no: int, settings: JobSettings, now: Instant) -> None:
    """Set all that an API caller set on a job."""
    tx.change(jobs, {"no": no}, settings=spelled(settings), updated_at=now)


def set_status(tx: Tx, no: int, status: str, now: Instant) -> None:
    """Set a job's own switch: A or P."""
    tx.change(jobs, {"no": no}, status=status, updated_at=now)


def leave_one(tx: Tx, no: int, now: Instant) -> None:
    """Delete a job that no feed carries."""
    tx.change(jobs, {"no": no}, left_at=now)


def delete_in_feed(tx: Tx, job: Job, feed_no: int, now: Instant) -> None:
    """Delete a job that this feed carries; if it was the API's, it becomes that feed's."""
    moved = {} if job.feed_no == feed_no else {"feed_no": feed_no, "raw_digest": None}
    tx.change(jobs, {"no": job.no}, left_at=now, deleted_at=now, **moved)
