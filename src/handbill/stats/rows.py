"""Rows of table reports, and the names that a report's rows show."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import (
    api_keys,
    feed_parts,
    jobs,
    persons,
    report_streams,
    reports,
)

SUBMITTED = "SUBMITTED"
IN_PROGRESS = "IN_PROGRESS"
SUCCESS = "SUCCESS"
FAILED = "FAILED"
NO_RECORDS = "NO_RECORDS_FOUND"

# The kind of a report: of POST /stats, of POST /reports/…, of a publisher family.
STATS = "stats"
GROUPED = "grouped"
BY_ADDRESS = "ip"
OF_FAMILY = "publisher"


class ReportFile(msgspec.Struct, frozen=True):
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
    family_no: int | None
    kind: str
    state: str
    percent: int
    question: str
    parts: tuple[ReportFile, ...]
    message: str | None
    created_at: Instant
    expires_at: Instant


_t = reports.c
_REPORTS = Mapper(reports, Report)
_FRESH = _t.expires_at > b("now")
_ONE = _REPORTS.ever("id", "client_no", among(_t.kind, "kinds"), _FRESH)
_FAMILYS = _REPORTS.ever("id", "family_no", _FRESH)
_BY_ID = _REPORTS.ever("id")
_BY_NO = _REPORTS.ever("no", _FRESH)
_TWIN = _REPORTS.ever(
    "client_no",
    _t.question_digest == b("digest"),
    _t.created_at >= b("since"),
    order=_t.no.desc(),
)
_EXPIRED = _REPORTS.ever(_t.expires_at <= b("now"))
_WAITING = (
    sa.select(_t.agency_no, sa.func.count())
    .where(_t.ended_at.is_(sa.null()))
    .group_by(_t.agency_no)
)
_AGENCY = sa.select(_t.agency_no).where(_t.id == b("id"))
_OPEN = sa.select(_t.no).where(_t.no == b("no"), _t.ended_at.is_(sa.null())).with_for_update()
_DROP = sa.delete(reports).where(_t.no == b("gone"))
_JOBS_BY_REF = sa.select(jobs.c.ref, jobs.c.id).where(
    jobs.c.client_no == b("client_no"), among(jobs.c.ref, "refs")
)
_JOBS_BY_ID = sa.select(jobs.c.id, jobs.c.ref, jobs.c.title).where(
    jobs.c.client_no == b("client_no"), among(jobs.c.id, "ids")
)
_PLACED = (
    sa.select(feed_parts.c.no)
    .where(feed_parts.c.client_no == b("client_no"), among(feed_parts.c.publisher_no, "nos"))
    .limit(sa.literal_column("1"))
)
_s = report_streams.c
_STREAMS = sa.select(_s.key_no).where(_s.until_at > b("now"))
_END_STREAM = sa.delete(report_streams).where(_s.key_no == b("key_no"), _s.holder == b("holder"))


def find(
    tx: Tx, client_no: int, report_id: str, now: Instant, kinds: Sequence[str]
) -> Report | None:
    """The client's own report of one of these kinds."""
    return _ONE.first(tx, id=report_id, client_no=client_no, now=now, kinds=Listed(kinds))


def find_of_family(tx: Tx, family_no: int, report_id: str, now: Instant) -> Report | None:
    """The publisher family's own report."""
    return _FAMILYS.first(tx, id=report_id, family_no=family_no, now=now)


def by_id(tx: Tx, report_id: str) -> Report | None:
    """For the worker: the id comes from ourselves."""
    return _BY_ID.first(tx, id=report_id)


def by_number(tx: Tx, no: int, now: Instant) -> Report | None:
    """For a link that we have signed."""
    return _BY_NO.first(tx, no=no, now=now)


def waiting(tx: Tx) -> dict[int, int]:
    """How many reports are waiting or being made, by agency."""
    return dict(tx.all(_WAITING))


def agency_of(tx: Tx, report_id: str) -> int:
    """The agency of a report."""
    return int(tx.value(_AGENCY, id=report_id))


def twin(tx: Tx, client_no: int, digest: bytes, since: Instant) -> Report | None:
    """The newest report of the same question that was asked since then."""
    return _TWIN.first(tx, client_no=client_no, digest=digest, since=since)


def add(tx: Tx, **columns: Any) -> int:
    return tx.put(reports, percent=0, parts="[]", **columns)


def change(tx: Tx, no: int, **columns: Any) -> bool:
    """Change a report that has not ended; False: it has, by another worker's work."""
    if tx.one(_OPEN, no=no) is None:
        return False
    tx.change(reports, {"no": no}, **columns)
    return True


def expired(tx: Tx, now: Instant, most: int) -> list[Report]:
    return _EXPIRED.page(tx, 0, most, now=now)


def drop(tx: Tx, no: int) -> None:
    tx.run(_DROP, gone=no)


def encode_parts(parts: Sequence[ReportFile]) -> str:
    return msgspec.json.encode(parts).decode()


def job_ids_of(tx: Tx, client_no: int, refs: Sequence[str]) -> dict[str, str]:
    """Reference → job id, including jobs that have left."""
    if not refs:
        return {}
    return dict(tx.all(_JOBS_BY_REF, client_no=client_no, refs=Listed(refs)))


def job_names(tx: Tx, client_no: int, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Job id → reference and title, including jobs that have left."""
    rows = tx.all(_JOBS_BY_ID, client_no=client_no, ids=Listed(ids))
    return {id_: (ref, title) for id_, ref, title in rows}


def was_placed(tx: Tx, client_no: int, publisher_nos: Sequence[int]) -> bool:
    """Whether any of these publishers was ever given a file of the client's jobs."""
    nos = Listed(publisher_nos)
    return tx.one(_PLACED, client_no=client_no, nos=nos) is not None


def lock_key(tx: Tx, key_no: int) -> None:
    """Lock this credential's stream until the transaction ends; a person's number is negative."""
    tx.lock_row(*((api_keys, key_no) if key_no > 0 else (persons, -key_no)))


def streams(tx: Tx, now: Instant) -> set[int]:
    """Numbers of the API keys that hold a stream."""
    return {key_no for (key_no,) in tx.all(_STREAMS, now=now)}


def put_stream(tx: Tx, key_no: int, holder: str, until_at: Instant) -> None:
    row = {"key_no": key_no, "holder": holder, "until_at": until_at}
    tx.upsert_many(report_streams, ["key_no"], [row])


def end_stream(tx: Tx, key_no: int, holder: str) -> None:
    tx.run(_END_STREAM, key_no=key_no, holder=holder)
