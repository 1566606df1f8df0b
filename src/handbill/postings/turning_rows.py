"""Rows of table posting_jobs for turns, and what turns write; a purchase may have ten thousand, so
only what is needed is read.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.postings import can_be_shown
from handbill.core.rotation import RotatingJob, Turn
from handbill.kit.instants import Instant
from handbill.postings.rows import change_jobs
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import NOW, jobs, posting_jobs

_p, _j = posting_jobs.c, jobs.c
_ONE: sa.ColumnElement[int] = sa.literal_column("1")
_ZERO: sa.ColumnElement[int] = sa.literal_column("0")
_OF_CONFIG = (_p.config_no == b("config_no"), _p.deleted_at.is_(None))
_AT_STAKE = (*_OF_CONFIG, _p.ended_at.is_(None))
_STANDING = (
    sa.select(
        _p.no,
        _p.pinned,
        _p.paused,
        _j.status,
        _j.valid,
        _j.end_at,
        NOW.left_at,
        _p.times,
        _p.waiting_at,
        _p.posted_at,
        _p.credit_at,
    )
    .join(jobs, _j.no == _p.job_no)
    .where(*_AT_STAKE)
)
_PINNED_NOS = sa.select(_p.no).where(*_AT_STAKE, _p.pinned == _ONE)
_HOW_MANY = sa.select(sa.func.count()).select_from(posting_jobs).where(*_OF_CONFIG)
_WHOSE = sa.select(_p.client_no).where(among(_p.no, "nos")).distinct()
_WHOSE_POSTED = (
    sa.select(_p.client_no).where(_p.config_no == b("config_no"), _p.posted == _ONE).distinct()
)
_END_POSTED = (
    sa.update(posting_jobs)
    .where(_p.config_no == b("config_no"), _p.posted == _ONE)
    .values(posted=_ZERO, posted_at=sa.null(), ended_at=b("now"), updated_at=b("now"))
)
_POST = (
    sa.update(posting_jobs)
    .where(_p.no == b("job"))
    .values(
        posted=sa.literal_column("1"),
        posted_at=b("now"),
        times=_p.times + _ONE,
        updated_at=b("now"),
    )
)


def standing(tx: Tx, config_no: int, now: Instant) -> list[RotatingJob]:
    """Each job of a purchase that has not ended, with what turns need of it."""
    return [
        RotatingJob(
            no,
            bool(pinned),
            bool(paused),
            left_at is None and can_be_shown(status, valid, end_at, now),
            *turned,
        )
        for no, pinned, paused, status, valid, end_at, left_at, *turned in tx.all(
            _STANDING, config_no=config_no
        )
    ]


def pinned(tx: Tx, config_no: int) -> set[int]:
    """The rows of a purchase's jobs that are pinned and have not ended."""
    return {no for (no,) in tx.all(_PINNED_NOS, config_no=config_no)}


def job_count(tx: Tx, config_no: int) -> int:
    """How many jobs a purchase has, ended ones too."""
    return int(tx.value(_HOW_MANY, config_no=config_no))


def whose(tx: Tx, nos: Sequence[int]) -> list[int]:
    """The clients of some rows of jobs."""
    return [no for (no,) in tx.all(_WHOSE, nos=Listed(nos))] if nos else []


def end_posted(tx: Tx, config_no: int, now: Instant) -> list[int]:
    """End all jobs that hold a slot; returns their clients."""
    client_nos = [no for (no,) in tx.all(_WHOSE_POSTED, config_no=config_no)]
    tx.run(_END_POSTED, config_no=config_no, now=now)
    return client_nos


def apply_turn(tx: Tx, turn: Turn, credited: set[int], now: Instant) -> None:
    """Write the result of a turn. ``credited``: newly posted jobs that used up a credit."""
    change_jobs(tx, turn.out, now, posted=0, posted_at=None, waiting_at=now)
    change_jobs(tx, turn.ended, now, posted=0, posted_at=None, ended_at=now)
    tx.run_text_many(tx.dialect.text_of(_POST), [{"job": no, "now": now} for no in turn.into])
    change_jobs(tx, sorted(credited), now, credit_at=now)
