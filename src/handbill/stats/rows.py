"""Rows of table reports; and the names that a report's rows are told by."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import jobs, reports

SUBMITTED = "SUBMITTED"
IN_PROGRESS = "IN_PROGRESS"
SUCCESS = "SUCCESS"
FAILED = "FAILED"
NO_RECORDS = "NO_RECORDS_FOUND"


class Part(msgspec.Struct, frozen=True):
    """One file of a report, in the blobs."""

    path: str
    rows: int
    bytes: int
    media_type: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    no: int
    id: str
    agency_no: int
    client_no: int
    state: str
    percent: int
    question: str
    parts: tuple[Part, ...]
    message: str | None
    created_at: Instant
    expires_at: Instant


_PARTS = msgspec.json.Decoder(tuple[Part, ...])
_t = reports.c
_COLUMNS = (
    _t.no, _t.id, _t.agency_no, _t.client_no, _t.state, _t.percent, _t.question, _t.parts,
    _t.message, _t.created_at, _t.expires_at,
)  # fmt: skip
_ONE = sa.select(*_COLUMNS).where(
    _t.id == b("id"), _t.client_no == b("client_no"), _t.expires_at > b("now")
)
_BY_ID = sa.select(*_COLUMNS).where(_t.id == b("id"))
_BY_NO = sa.select(*_COLUMNS).where(_t.no == b("at_no"), _t.expires_at > b("now"))
_TWIN = (
    sa.select(*_COLUMNS)
    .where(
        _t.client_no == b("client_no"), _t.question_digest == b("digest"),
        _t.created_at >= b("since"),
    )
    .order_by(_t.no.desc())
    .limit(sa.literal_column("1"))
)  # fmt: skip
_EXPIRED = (
    sa.select(*_COLUMNS)
    .where(_t.expires_at <= b("now"))
    .order_by(_t.no)
    .limit(b("most", type_=sa.Integer))
)
_DROP = sa.delete(reports).where(_t.no == b("gone"))
_JOBS_BY_REF = sa.select(jobs.c.ref, jobs.c.id).where(
    jobs.c.client_no == b("client_no"), among(jobs.c.ref, "refs")
)
_JOBS_BY_ID = sa.select(jobs.c.id, jobs.c.ref, jobs.c.title).where(
    jobs.c.client_no == b("client_no"), among(jobs.c.id, "ids")
)


def _report(row: Row) -> Report:
    no, id_, agency_no, client_no, state, percent, question, parts, message, made, expires = row
    return Report(
        no=no, id=id_, agency_no=agency_no, client_no=client_no, state=state, percent=percent,
        question=question, parts=_PARTS.decode(parts), message=message, created_at=made,
        expires_at=expires,
    )  # fmt: skip


def find(tx: Tx, client_no: int, report_id: str, now: Instant) -> Report | None:
    row = tx.one(_ONE, id=report_id, client_no=client_no, now=now)
    return _report(row) if row else None


def by_id(tx: Tx, report_id: str) -> Report | None:
    """For the worker, which was told the id by ourselves."""
    row = tx.one(_BY_ID, id=report_id)
    return _report(row) if row else None


def by_number(tx: Tx, no: int, now: Instant) -> Report | None:
    """For a link that we have signed."""
    row = tx.one(_BY_NO, at_no=no, now=now)
    return _report(row) if row else None


def twin(tx: Tx, client_no: int, digest: bytes, since: Instant) -> Report | None:
    """The newest report of the same question asked since then."""
    row = tx.one(_TWIN, client_no=client_no, digest=digest, since=since)
    return _report(row) if row else None


def add(tx: Tx, **columns: Any) -> int:
    return tx.put(reports, kind="stats", percent=0, parts="[]", **columns)


def change(tx: Tx, no: int, **columns: Any) -> None:
    tx.change(reports, {"no": no}, **columns)


def expired(tx: Tx, now: Instant, most: int) -> list[Report]:
    return [_report(row) for row in tx.all(_EXPIRED, now=now, most=most)]


def drop(tx: Tx, no: int) -> None:
    tx.run(_DROP, gone=no)


def encode_parts(parts: Sequence[Part]) -> str:
    return msgspec.json.encode(parts).decode()


def job_ids_of(tx: Tx, client_no: int, refs: Sequence[str]) -> dict[str, str]:
    """Reference → job id, of jobs that left too."""
    if not refs:
        return {}
    return dict(tx.all(_JOBS_BY_REF, client_no=client_no, refs=Listed(refs)))


def job_names(tx: Tx, client_no: int, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Job id → reference and title, of jobs that left too."""
    found = tx.all(_JOBS_BY_ID, client_no=client_no, ids=Listed(ids))
    return {id_: (ref, title) for id_, ref, title in found}
