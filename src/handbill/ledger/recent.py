"""The newest conversions and test clicks of a client: judged, parked, or still waiting.

For those who set up a pixel or S2S events and want to know what arrived.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from handbill.core.judging import KIND_OF_ACTION, PARKED, TEST
from handbill.core.received import ReceivedClick, ReceivedConversion, decode
from handbill.kit.instants import DAY, Instant
from handbill.ledger import rows
from handbill.store import marks, segment_files, segments
from handbill.store.blobs import Blobs
from handbill.store.journal_reading import JournalReader
from handbill.store.records import Tx

WAITING = "waiting"
REACH = 7 * DAY
_MOST_LINES = 10_000  # of the journal: more waits only when the judge is far behind
_MEMORY_MB = 128
_ENTRY_ID = 16
_READ = (
    'SELECT "at", kind, disposition, reason, source, job_id, octet_length(click_id) > 0, '
    "application_id, candidate_id, lower(hex(click_id)) FROM entries "
    "WHERE (kind IN ('VIEW', 'APPLY_START', 'APPLY') OR "
    f"(kind = 'CLICK' AND split_part(reason, ' ', 1) = '{TEST}')) AND sign > 0 "
    "AND id NOT IN (SELECT corrects FROM entries WHERE sign < 0) "
    'AND "at" >= $first ORDER BY "at" DESC LIMIT $most'
)


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """**Shape**: ``job_id``, ``click_id`` 32 hex digits or empty; ``has_click``: it carries a click
    id.
    """

    at: Instant
    kind: str
    disposition: str
    reason: str
    source: str
    job_id: str
    has_click: bool
    application_id: str
    candidate_id: str
    click_id: str


def recent(
    tx: Tx,
    blobs: Blobs,
    journal: JournalReader,
    scratch: Path,
    client_no: int,
    now: Instant,
    most: int,
) -> list[Recent]:
    """At most so many conversions and test clicks of the last seven days, newest first."""
    latest = _waiting(tx, journal, client_no, now)
    latest += [
        _of(event, PARKED)
        for row in rows.parked_of(tx, client_no, most)
        for event in decode(row.body[_ENTRY_ID:])
        if isinstance(event, ReceivedConversion)
    ]
    latest += _judged(tx, blobs, scratch, client_no, now, most)
    return sorted(latest, key=lambda one: one.at, reverse=True)[:most]


def _waiting(tx: Tx, journal: JournalReader, client_no: int, now: Instant) -> list[Recent]:
    """What the judge has not read yet, as far as it is readable."""
    lines = journal.read(marks.read(tx).of, _MOST_LINES, now).lines
    arrived: Iterable[object] = (event for line in lines for event in line.received)
    return [
        _of(event, WAITING)
        for event in arrived
        if isinstance(event, ReceivedConversion | ReceivedClick)
        and event.client_no == client_no
        and (isinstance(event, ReceivedConversion) or event.ahead == TEST)
    ]


def _judged(
    tx: Tx, blobs: Blobs, scratch: Path, client_no: int, now: Instant, most: int
) -> list[Recent]:
    first = now - REACH
    listed = segments.segments_within(tx, client_no, first, now + DAY)
    if not listed:
        return []
    with (
        segment_files.files(blobs, listed, scratch) as files,
        segment_files.query(scratch, memory_mb=_MEMORY_MB, threads=1) as duck,
    ):
        segment_files.show(duck, files, client_no)
        entries = duck.execute(_READ, {"first": first, "most": most}).fetchall()
    return [Recent(**dict(zip(Recent.__struct_fields__, row, strict=True))) for row in entries]


def _of(event: ReceivedConversion | ReceivedClick, disposition: str) -> Recent:
    if isinstance(event, ReceivedClick):
        return Recent(
            at=event.at,
            kind="CLICK",
            disposition=disposition,
            reason="",
            source="edge",
            job_id=event.job_id.hex(),
            has_click=True,
            application_id="",
            candidate_id="",
            click_id=bytes.hex(event.random),
        )
    return Recent(
        at=event.at,
        kind=KIND_OF_ACTION[event.action],
        disposition=disposition,
        reason="",
        source=event.source,
        job_id=event.job_id.hex(),
        has_click=bool(event.click_random),
        application_id=event.application_id,
        candidate_id=event.candidate_id,
        click_id=event.click_random.hex(),
    )
