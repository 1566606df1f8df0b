"""The ledger's export: every booked entry in the API's own ids, line by line."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from handbill.campaigns.service import campaigns_by_number
from handbill.clients.service import clients_by_number
from handbill.core.charging import CounterKey, Limit, Measure, Scope, key_of, period_keys
from handbill.core.entries import OF_POSTING
from handbill.core.rates import rate_number
from handbill.groups.service import groups_by_number
from handbill.jobs.service import refs_of
from handbill.kit.instants import Instant, iso_of
from handbill.kit.zones import bounds_of, zone_of
from handbill.ledger import counter_rows, month_rows, rows
from handbill.publishers.service import publishers_by_number
from handbill.store import marks, segment_files, segments
from handbill.store.blobs import Blobs
from handbill.store.journal_reading import JournalReader
from handbill.store.journal_streams import Damage
from handbill.store.records import Records, Tx

_SOURCES_AT_ONCE = 256
_AT_ONCE = 2_000
_MEMORY_MB = 256
_COLUMNS = (
    "id",
    "at",
    "campaign_no",
    "group_no",
    "job_id",
    "publisher_no",
    "kind",
    "disposition",
    "reason",
    "charge_micros",
    "spend_micros",
    "marked_micros",
    "currency",
    "click_id",
    "application_id",
    "bid_type",
    "agency_ppm",
    "override_ppm",
    "source",
    "bid_micros",
    "bid_currency",
    "bid_rate_picos",
    "price_micros",
    "price_currency",
    "price_rate_picos",
    "sign",
    "corrects",
    "definition",
)
_QUOTED = ", ".join(f'"{name}"' for name in _COLUMNS)
_READ = f'SELECT {_QUOTED} FROM entries WHERE "at" >= $first AND "at" < $end ORDER BY "at", "id"'
_EVER: Final = (0, 2**62)
NAMES: Final = (
    "id",
    "at",
    "agencyId",
    "clientId",
    "campaignId",
    "jobGroupId",
    "jobId",
    "publisherId",
    "kind",
    "disposition",
    "reason",
    "chargeMicros",
    "spendMicros",
    "markedUpMicros",
    "currency",
    # The names above keep their places for existing scripts; new ones come after them.
    "clickId",
    "applicationId",
    "refNumber",
    "bidType",
    "agencyMarkupPpm",
    "overrideMarkupPpm",
    "postingId",
    "bidMicros",
    "bidCurrency",
    "bidRate",
    "priceMicros",
    "priceCurrency",
    "priceRate",
    "sign",
    "correctedId",
    "definitionVersion",
)
"""The fields of an exported entry, in this order."""


class Wanted(NamedTuple):
    """Which entries: of one client or of all, of these days of the client's zone, both included."""

    client_no: int | None = None
    first_on: date = date.min
    last_on: date = date.max

    def bounds(self, zone: str) -> tuple[Instant, Instant]:
        first, end = _EVER
        if self.first_on > date.min:
            first, _ = bounds_of(self.first_on, self.first_on, zone_of(zone))
        if self.last_on < date.max:
            _, end = bounds_of(self.last_on, self.last_on, zone_of(zone))
        return first, end


EVERYTHING: Final = Wanted()


class _Names:
    """Row numbers to the API's ids, looked up once each; 0 and unknown ones have none."""

    def __init__(self, look_up: Callable[[Tx, Iterable[int]], dict[int, Any]]) -> None:
        self._look_up = look_up
        self._known: dict[int, str | None] = {0: None}

    def learn(self, tx: Tx, nos: Iterable[int]) -> None:
        new = set(nos) - self._known.keys()
        if new:
            nouns = self._look_up(tx, new)
            self._known.update({no: nouns[no].id if no in nouns else None for no in new})

    def __getitem__(self, no: int) -> str | None:
        return self._known[no]


def export(
    records: Records, blobs: Blobs, scratch: Path, wanted: Wanted = EVERYTHING
) -> Iterator[dict[str, Any]]:
    """Every requested entry, client by client, in order of time; in bounded memory and safe beside
    a running judge.

    **Shape**: an object with ``NAMES``, null where a field does not apply. Sums are micros; the two
    markups are millionths, as frozen in the entry. ``clickId`` is the click's own ``id``. Bid and
    price are spend and charge before conversion, with the rates beside them; no rate if nothing was
    converted.

    ``sign`` -1: it cancels the entry ``correctedId``, with all amounts below 0; 1 with a
    ``correctedId``: it replaces that entry. ``definitionVersion``: the rules that classed a click.
    **Source**: contract 6.
    """
    with records.read() as tx:
        client_nos = sorted(segments.rows_of_clients(tx))
    for client_no in client_nos:
        if wanted.client_no in {None, client_no}:
            yield from _of_client(records, blobs, scratch, client_no, wanted)


def _of_client(
    records: Records, blobs: Blobs, scratch: Path, client_no: int, wanted: Wanted
) -> Iterator[dict[str, Any]]:
    with records.read() as tx:
        client = clients_by_number(tx, [client_no]).get(client_no)
        first, end = wanted.bounds(client.zone if client else "UTC")
        listed = segments.segments_within(tx, client_no, first, end)
        agencies = rows.agency_ids(tx, [client.agency_no]) if client else {}
    if not listed:
        return
    head = (
        agencies.get(client.agency_no) if client else None,
        client.id if client else None,
    )
    names = (
        _Names(campaigns_by_number),
        _Names(groups_by_number),
        _Names(publishers_by_number),
    )
    with (
        segment_files.all_sound(blobs, listed, scratch) as files,
        segment_files.query(scratch, memory_mb=_MEMORY_MB, threads=1) as duck,
    ):
        segment_files.show(duck, files, client_no)
        entries = duck.execute(_READ, {"first": first, "end": end})
        while some := entries.fetchmany(_AT_ONCE):
            with records.read() as tx:
                for place, of in zip((2, 3, 5), names, strict=True):
                    of.learn(tx, {row[place] for row in some})
                refs = refs_of(tx, client_no, sorted({row[4] for row in some if row[4]}))
            yield from (_line(row, head, names, refs) for row in some)


def _line(
    row: tuple[Any, ...],
    head: tuple[str | None, str | None],
    names: tuple[_Names, _Names, _Names],
    refs: dict[str, str],
) -> dict[str, Any]:
    campaigns, groups, publishers = names
    (
        id_,
        at,
        campaign_no,
        group_no,
        job_id,
        publisher_no,
        kind,
        disposition,
        reason,
        charge,
        spend,
        marked,
        currency,
        click_id,
        application_id,
        bid_type,
        agency_ppm,
        override_ppm,
        source,
        *rest,
    ) = row
    values = (
        bytes(id_).hex(),
        iso_of(at),
        *head,
        campaigns[campaign_no],
        groups[group_no],
        job_id or None,
        publishers[publisher_no],
        kind,
        disposition,
        reason or None,
        charge,
        spend,
        marked,
        currency,
        bytes(click_id).hex() or None,
        application_id or None,
        refs.get(job_id),
        bid_type or None,
        agency_ppm,
        override_ppm,
        source.removeprefix(OF_POSTING) if source.startswith(OF_POSTING) else None,
        *_quoted(spend, currency, rest[:3]),
        *_quoted(charge, currency, rest[3:6]),
        *_corrected(*rest[6:]),
    )
    return dict(zip(NAMES, values, strict=True))


def used(tx: Tx, client_no: int, limits: Iterable[Limit], day: date) -> Mapping[Limit, int]:
    """What a client has used of each limit in the period that contains a day of its zone: micros of
    marked-up spend, clicks or applies.

    A job is counted from the first event under its cap on: until then nothing is used.
    """
    assert client_no > 0, "limits are a client's"
    return used_of_any(tx, limits, day)


def used_of_any(tx: Tx, limits: Iterable[Limit], day: date) -> Mapping[Limit, int]:
    """The same of limits of several clients, where it is the same day."""
    keys = {limit: key_of(limit, day) for limit in limits}
    counters = counter_rows.counters_used(tx, keys.values())
    return {limit: counters.get(key, 0) for limit, key in keys.items()}


def used_by_days(
    tx: Tx, counted: Iterable[tuple[Scope, str, Measure]], first_on: str, end: date
) -> dict[tuple[Scope, str, Measure], dict[str, int]]:
    """What was used of each of these on each day from the first on, before the end. Days of closed
    months are not kept apart any more.
    """
    entities: dict[tuple[Scope, Measure], list[str]] = {}
    for scope, entity, measure in counted:
        entities.setdefault((scope, measure), []).append(entity)
    uses: dict[tuple[Scope, str, Measure], dict[str, int]] = {}
    for of, some in entities.items():
        rows = counter_rows.counters_by_day(tx, *of, some, first_on, end.isoformat())
        for entity, day_on, value in rows:
            uses.setdefault((of[0], entity, of[1]), {})[day_on] = value
    return uses


used_in_month = month_rows.used_in_month


def used_of_jobs(tx: Tx, group_no: int, limit: Limit, day: date, above: int) -> dict[str, int]:
    """The jobs that have used more than an amount of a job group's cap for each job: by the entity
    of their counter.
    """
    assert limit.scope == "group_job", "the cap is of each job of a job group"
    key = key_of(limit, day)
    return counter_rows.counters_above(tx, (f"{group_no}/", f"{group_no}0"), key, above)


def used_by_jobs(tx: Tx, client_no: int, day: date) -> dict[CounterKey, int]:
    """What a client's jobs have used of their own caps, in the periods that contain a day."""
    return counter_rows.counters_in(tx, client_no, ("job", "job_placement"), period_keys(day))


def _quoted(
    micros: int, currency: str, quoted: Sequence[Any]
) -> tuple[int, str | None, Decimal | int | None]:
    """The original amount: micros, currency and rate; no rate if nothing was converted."""
    original, original_in, rate_picos = quoted
    if not rate_picos:
        return micros, currency or None, None
    return original, original_in, rate_number(rate_picos)


def _corrected(sign: int, corrects: bytes, definition: str) -> tuple[int, str | None, str | None]:
    return sign, bytes(corrects).hex() or None, definition or None


def waiting_since(
    tx: Tx, journal: JournalReader, now: Instant
) -> tuple[Instant | None, tuple[Damage, ...]]:
    """When the oldest event came that the judge has not booked, None if nothing waits; and what it
    cannot judge.
    """
    reading = journal.read(marks.read(tx).of, _SOURCES_AT_ONCE, now)
    oldest = min((line.received[0].at for line in reading.lines), default=None)
    return oldest, reading.damages
