"""The ledger, told: every booked entry in the API's own ids, line by line."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from handbill.campaigns.service import campaigns_by_number
from handbill.clients.service import clients_by_number
from handbill.core.received import decode
from handbill.groups.service import groups_by_number
from handbill.kit.instants import Instant, iso_of
from handbill.ledger import rows
from handbill.publishers.service import publishers_by_number
from handbill.store import events, marks
from handbill.store.blobs import Blobs
from handbill.store.journal_reading import Damage, JournalReader
from handbill.store.records import Records, Tx

_SOURCES_AT_ONCE = 256
_AT_ONCE = 2_000
_MEMORY_MB = 256
_COLUMNS = (
    "id", "at", "campaign_no", "group_no", "job_id", "publisher_no", "kind", "disposition",
    "reason", "charge_micros", "spend_micros", "marked_micros", "currency",
)  # fmt: skip
_QUOTED = ", ".join(f'"{name}"' for name in _COLUMNS)
_READ = f'SELECT {_QUOTED} FROM read_parquet($files) ORDER BY "at", "id"'


class _Names:
    """Row numbers to the API's ids, looked up once each; 0 and unknown ones have none."""

    def __init__(self, look_up: Callable[[Tx, Iterable[int]], dict[int, Any]]) -> None:
        self._look_up = look_up
        self._known: dict[int, str | None] = {0: None}

    def learn(self, tx: Tx, nos: Iterable[int]) -> None:
        new = set(nos) - self._known.keys()
        if new:
            found = self._look_up(tx, new)
            self._known.update({no: found[no].id if no in found else None for no in new})

    def __getitem__(self, no: int) -> str | None:
        return self._known[no]


def export(records: Records, blobs: Blobs, scratch: Path) -> Iterator[dict[str, Any]]:
    """Every booked entry, client by client, in order of time; safe beside a running judge.

    **Shape**: ``{id, at, agencyId, clientId, campaignId, jobGroupId, jobId, publisherId, kind,
    disposition, reason, chargeMicros, spendMicros, markedUpMicros, currency}``, null where nothing
    applies.
    **Source**: contract 6.
    """
    with records.read() as tx:
        client_nos = events.clients_with_entries(tx)
    for client_no in client_nos:
        yield from _of_client(records, blobs, scratch, client_no)


def _of_client(
    records: Records, blobs: Blobs, scratch: Path, client_no: int
) -> Iterator[dict[str, Any]]:
    with records.read() as tx:
        paths = [segment.path for segment in events.segments_of(tx, client_no)]
        client = clients_by_number(tx, [client_no]).get(client_no)
        agencies = rows.agency_ids(tx, [client.agency_no]) if client else {}
    head = {
        "agencyId": agencies.get(client.agency_no) if client else None,
        "clientId": client.id if client else None,
    }
    names = (
        _Names(campaigns_by_number), _Names(groups_by_number), _Names(publishers_by_number),
    )  # fmt: skip
    with (
        events.files(blobs, paths, scratch) as files,
        events.query(scratch, memory_mb=_MEMORY_MB, threads=1) as duck,
    ):
        found = duck.execute(_READ, {"files": files})
        while some := found.fetchmany(_AT_ONCE):
            with records.read() as tx:
                for place, of in zip((2, 3, 5), names, strict=True):
                    of.learn(tx, {row[place] for row in some})
            yield from (_line(row, head, names) for row in some)


def _line(
    row: tuple[Any, ...], head: dict[str, Any], names: tuple[_Names, _Names, _Names]
) -> dict[str, Any]:
    campaigns, groups, publishers = names
    (id_, at, campaign_no, group_no, job_id, publisher_no, kind, disposition, reason, charge,
     spend, marked, currency) = row  # fmt: skip
    return {
        "id": bytes(id_).hex(),
        "at": iso_of(at),
        **head,
        "campaignId": campaigns[campaign_no],
        "jobGroupId": groups[group_no],
        "jobId": job_id or None,
        "publisherId": publishers[publisher_no],
        "kind": kind,
        "disposition": disposition,
        "reason": reason or None,
        "chargeMicros": charge,
        "spendMicros": spend,
        "markedUpMicros": marked,
        "currency": currency,
    }


def waiting_since(tx: Tx, journal: JournalReader) -> tuple[Instant | None, tuple[Damage, ...]]:
    """When the oldest event came that the judge has not booked, None when nothing waits; and what
    it cannot read.
    """
    reading = journal.read(marks.read(tx).of, _SOURCES_AT_ONCE)
    oldest = min((decode(line.record)[0].at for line in reading.entries), default=None)
    return oldest, reading.damages
