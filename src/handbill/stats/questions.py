"""What can be asked of a report, and the plan that is made from a valid question.

The plan is complete: rows' numbers, days and zone; whoever runs it only looks up names. **Source**:
contract 4, domain 14.22 and 14.23.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

import msgspec

from handbill.campaigns import service as campaigns
from handbill.core.nouns import Client
from handbill.groups import service as groups
from handbill.kit.instants import Instant
from handbill.kit.zones import bounds_of, day_of, zone_of
from handbill.ledger import daily_sums
from handbill.publishers import service as publishers
from handbill.stats import rows
from handbill.store.records import Tx

Level = Literal["CLIENT", "CAMPAIGN", "JOBGROUP", "JOB", "PUBLISHER", "DATE"]
GroupedBy = Literal["JOB", "JOBGROUP", "CAMPAIGN", "CLIENT"]
Format = Literal["CSV", "JSONL", "PARQUET"]
Span = Literal["LAST_MONTH", "THIS_MONTH", "LAST_30_DAYS"]
DAYS_KEPT: Final = 60


class Filters(NamedTuple):
    """Which events are counted. Days are ISO text, of the client's zone where none is named; empty
    lists do not filter.
    """

    start_on: str
    end_on: str
    zone: str = ""
    campaign_ids: Sequence[str] = ()
    group_ids: Sequence[str] = ()
    publisher_ids: Sequence[str] = ()
    refs: Sequence[str] = ()


class Question(NamedTuple):
    """What a stats report is to contain. ``levels``: what its rows are about, one to three."""

    filters: Filters
    levels: Sequence[Level]
    format: Format = "CSV"
    gzip: bool = False


class OneFile(NamedTuple):
    """A report of one file. An IP report has its own kind of rows and ignores grouping."""

    filters: Filters
    group_by: GroupedBy = "CLIENT"
    by_publisher: bool = False
    call_back_url: str = ""


class OfFamily(NamedTuple):
    """A publisher family's report about one client. ``currency`` empty: that of the amounts."""

    client_id: str
    span: Span
    currency: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A checked question. Empty filters let everything through; ``end`` is exclusive.

    ``layout``: the columns of its rows (``stats.layouts``). ``whole``: always exactly one file.
    ``cut``: days before ``first_on`` were asked for, and are left out.
    """

    client_no: int
    zone: str
    first_on: str
    last_on: str
    first: Instant
    end: Instant
    levels: tuple[str, ...]
    campaign_nos: tuple[int, ...] = ()
    group_nos: tuple[int, ...] = ()
    publisher_nos: tuple[int, ...] = ()
    job_ids: tuple[str, ...] = ()
    format: str = "CSV"
    gzip: bool = False
    layout: str = "stats"
    whole: bool = False
    cut: bool = False

    @property
    def empty(self) -> bool:
        """Whether the answer must be empty: the whole range is older than what is kept or still to
        come, or no given reference is known.
        """
        return self.first >= self.end


def plan(tx: Tx, client: Client, question: Question, now: Instant) -> Plan:
    """The plan of a question. **Refuses** ids that are not the client's (404)."""
    return msgspec.structs.replace(
        planned(tx, client, question.filters, question.levels, now),
        format=question.format,
        gzip=question.gzip,
    )


def planned(tx: Tx, client: Client, filters: Filters, levels: Sequence[str], now: Instant) -> Plan:
    """The plan for these filters and levels.

    **Refuses** ids that are not the client's (404).
    """
    zone_name = filters.zone or client.zone
    zone = zone_of(zone_name)
    today = day_of(now, zone)
    asked_on = date.fromisoformat(filters.start_on)
    first_on = max(asked_on, today - timedelta(days=DAYS_KEPT), first_whole(tx, client, zone))
    last_on = min(date.fromisoformat(filters.end_on), today)
    first, end = bounds_of(first_on, max(last_on, first_on), zone)
    job_ids = rows.job_ids_of(tx, client.no, filters.refs)
    if first_on > last_on or (filters.refs and not job_ids):
        end = first
    return Plan(
        client_no=client.no,
        zone=zone_name,
        first_on=first_on.isoformat(),
        last_on=last_on.isoformat(),
        first=first,
        end=end,
        levels=tuple(levels),
        cut=asked_on < first_on,
        campaign_nos=_sorted(
            campaigns.number_ever(tx, client.no, id_) for id_ in filters.campaign_ids
        ),
        group_nos=_sorted(groups.number_ever(tx, client.no, id_) for id_ in filters.group_ids),
        publisher_nos=_sorted(
            publishers.number_ever(tx, client.agency_no, id_) for id_ in filters.publisher_ids
        ),
        job_ids=tuple(sorted(job_ids.values())),
    )


def first_whole(tx: Tx, client: Client, zone: tzinfo) -> date:
    """The first day, in a zone, after all of which entries of the client have left the ledger: what
    is left of a day would be taken for the whole.
    """
    left_on = daily_sums.last_left(tx, client.no)
    if left_on is None:
        return date.min
    left = date.fromisoformat(left_on)
    _, end = bounds_of(left, left, zone_of(client.zone))
    return day_of(end - 1, zone) + timedelta(days=1)


def _sorted(nos: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(nos)))
