"""Reports: requested, followed, and fetched part by part."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from handbill.callbacks import service as callbacks
from handbill.core.nouns import Client
from handbill.host.ids import Ids, new_uuid
from handbill.host.settings import Settings
from handbill.kit.faults import not_found, too_many
from handbill.kit.instants import DAY, SECOND, Instant
from handbill.stats import links, rows
from handbill.stats.links import Linked, NoLink
from handbill.stats.questions import DAYS_KEPT, Plan, Question, plan
from handbill.stats.rows import FAILED, NO_RECORDS, STATS, SUBMITTED, SUCCESS, Report, ReportFile
from handbill.store.blobs import Blobs
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

__all__ = [
    "FAILED",
    "FOLDER",
    "KEPT_FOR",
    "SUBMITTED",
    "SUCCESS",
    "Report",
    "RequestedReport",
    "Wish",
    "ask",
    "linked_part",
    "message_of",
    "report_of",
    "report_of_family",
    "require_room",
    "submit",
    "sweep",
    "tokens_of",
    "url_of",
]

KEPT_FOR = 7 * DAY
_SAME_WITHIN = 60 * SECOND
_SWEPT_AT_ONCE = 1_000
_TIMES_IN_ALL = 10
_LATER_SECONDS = 60
FOLDER = "reports"


class RequestedReport(NamedTuple):
    """A report's id, and whether it existed already, because the same was requested just before."""

    id: str
    is_repeated: bool


class Wish(NamedTuple):
    """The owner of a report, and whom to notify. ``is_new``: make a new one in any case."""

    kind: str
    family_no: int | None = None
    call_back_url: str = ""
    is_new: bool = False


def submit(
    tx: Tx, client: Client, question: Question, ids: Ids, now: Instant, *, is_new: bool = False
) -> RequestedReport:
    """Plan a question and request its answer. Hold the client's lock.

    **Refuses** what ``plan`` refuses.
    """
    wish = Wish(STATS, is_new=is_new)
    return ask(tx, client, plan(tx, client, question, now), ids, now, wish)


def ask(
    tx: Tx, client: Client, planned: Plan, ids: Ids, now: Instant, wish: Wish
) -> RequestedReport:
    """Request the answer to a plan. Hold the client's lock.

    The same plan and wish within 60 s is the same report, unless the wish is for a new one.
    """
    asked = msgspec.json.encode(planned)
    alike = msgspec.json.encode((wish.kind, wish.family_no, wish.call_back_url))
    digest = hashlib.blake2b(alike + asked, digest_size=16).digest()
    twin = None if wish.is_new else rows.twin(tx, client.no, digest, now - _SAME_WITHIN)
    if twin is not None:
        return RequestedReport(twin.id, True)
    report_id = new_uuid(ids)
    nothing = planned.empty and not planned.whole
    rows.add(
        tx,
        id=report_id,
        agency_no=client.agency_no,
        client_no=client.no,
        family_no=wish.family_no,
        kind=wish.kind,
        state=NO_RECORDS if nothing else SUBMITTED,
        question=asked.decode(),
        question_digest=digest,
        created_at=now,
        expires_at=now + KEPT_FOR,
        ended_at=now if nothing else None,
    )
    if wish.call_back_url:
        callbacks.agree(tx, ids, now, client.agency_no, report_id, wish.call_back_url)
    if not nothing:
        enqueue(tx, kinds.REPORT, report_id, now)
    return RequestedReport(report_id, False)


def require_room(tx: Tx, made: RequestedReport, most: int) -> None:
    """**Refuses** (429) a new report when more than so many of its agency are waiting or being
    made, or more than ten times as many in all.
    """
    if made.is_repeated:
        return
    waiting = rows.waiting(tx)
    if waiting.get(rows.agency_of(tx, made.id), 0) > most:
        raise too_many(f"{most} reports of this agency are being made; wait until one is ready")
    if sum(waiting.values()) > _TIMES_IN_ALL * most:
        raise too_many("Too many reports are being made; try again later", _LATER_SECONDS)


def report_of(
    tx: Tx, client_no: int, report_id: str, now: Instant, kinds: Sequence[str] = (STATS,)
) -> Report:
    """The client's own report of these kinds. **Refuses** any other id alike (404)."""
    report = rows.find(tx, client_no, report_id, now, kinds)
    if report is None:
        raise not_found()
    return report


def message_of(report: Report) -> str:
    """The message about a report: why it failed, or which days it leaves out."""
    plan = msgspec.json.decode(report.question, type=Plan)
    if report.message or not plan.cut:
        return report.message or ""
    return (
        f"The days before {plan.first_on} are left out: reports reach back {DAYS_KEPT} days, and "
        "only to days of which all entries are kept."
    )


def report_of_family(tx: Tx, family_no: int, report_id: str, now: Instant) -> Report:
    """The publisher family's own report. **Refuses** any other id alike (404)."""
    report = rows.find_of_family(tx, family_no, report_id, now)
    if report is None:
        raise not_found()
    return report


def tokens_of(
    report: Report, keys: Mapping[int, bytes], now: Instant, good_for: int = links.GOOD_FOR
) -> list[str]:
    """A signed token for each part, valid for a day or as long as the report is kept."""
    until = min(now + good_for, report.expires_at)
    return [
        links.token_of(Linked(report.no, part, until), keys) for part in range(len(report.parts))
    ]


def url_of(settings: Settings, token: str) -> str:
    """The public link of a token."""
    return f"{settings.public_api}/files/{token}"


def linked_part(
    tx: Tx, token: str, keys: Mapping[int, bytes], now: Instant
) -> tuple[Report, ReportFile]:
    """The part that a token leads to. **Refuses** (404) altered, foreign and expired ones alike."""
    try:
        linked = links.open_link(token, keys, now)
    except NoLink:
        raise not_found() from None
    report = rows.by_number(tx, linked.report_no, now)
    if report is None or linked.part >= len(report.parts):
        raise not_found()
    return report, report.parts[linked.part]


def sweep(tx: Tx, blobs: Blobs, now: Instant) -> int:
    """Delete reports whose time is over, with their files; how many."""
    gone = rows.expired(tx, now, _SWEPT_AT_ONCE)
    for report in gone:
        for part in report.parts:
            blobs.delete(part.path)
        rows.drop(tx, report.no)
    return len(gone)
