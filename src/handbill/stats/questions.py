"""What can be asked of a report, and the plan that a sound question becomes.

The plan is whole: rows' numbers, days and zone; whoever runs it looks up names and nothing else.
**Source**: contract 4, domain 14.22 and 14.23.
"""

from datetime import date, timedelta
from typing import Any, Final

import msgspec

from handbill.campaigns import service as campaigns
from handbill.core.nouns import Client
from handbill.groups import service as groups
from handbill.kit.faults import Fault
from handbill.kit.instants import Instant
from handbill.kit.zones import bounds_of, day_of, zone_of
from handbill.publishers import service as publishers
from handbill.stats import rows
from handbill.store.records import Tx
from handbill.wire.shapes import Choice, Day, Faults, Field, Flag, ListOf, Object, Text, Zone

LEVELS: Final = ("CLIENT", "CAMPAIGN", "JOBGROUP", "JOB", "PUBLISHER", "DATE")
FORMATS: Final = ("CSV", "JSONL", "PARQUET")
DAYS_KEPT: Final = 60
_MOST_IDS = 1_000
_NEXT = {"secondaryLevel": "primaryLevel", "tertiaryLevel": "secondaryLevel"}


class Plan(msgspec.Struct, frozen=True):
    """A checked question. Empty filters let everything through; ``end`` is exclusive.

    ``layout``: what its rows say (``stats.layouts``). ``whole``: one file, and that in any case.
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
        """Whether nothing can be meant: the whole range is older than what is kept, or still to
        come; or no reference that was given is known.
        """
        return self.first >= self.end


def _check_levels(found: dict[str, Any], at: str, faults: Faults) -> None:
    for name, former in _NEXT.items():
        if found.get(name) and not found.get(former):
            faults.append(Fault(f"{at}/{name}", f"needs a {former}"))
    given = [(name, found[name]) for name in ("primaryLevel", *_NEXT) if found.get(name)]
    for place, (name, level) in enumerate(given):
        if level in [other for _, other in given[:place]]:
            faults.append(Fault(f"{at}/{name}", "must differ from the other levels"))


def _check_days(found: dict[str, Any], at: str, faults: Faults) -> None:
    if found["startDate"] > found["endDate"]:
        faults.append(Fault(f"{at}/endDate", "must not be before startDate"))


def _ids(about: str) -> Field:
    return Field(ListOf(Text(1, 500), 0, _MOST_IDS), about)


_LEVEL = Choice(LEVELS)
FILTERS: Final = Object({
    "startDate": Field(
        Day(),
        "The first day. At most 60 days back; what is older is left out, and the answer says so.",
        required=True,
    ),
    "endDate": Field(Day(), "The last day, included.", required=True),
    "timeZone": Field(Zone(), "Zone in which days are counted; the client's own if absent."),
    "campaignIds": _ids("Only these campaigns, deleted ones too; another's is 404."),
    "jobGroupIds": _ids("Only these job groups, deleted ones too; another's is 404."),
    "publisherIds": _ids("Only these publishers, deleted ones too; another's is 404."),
    "refNumbers": _ids("Only the jobs of these references, deleted ones too; unknown ones match "
        "nothing."),
}, check=_check_days)  # fmt: skip
QUESTION: Final = Object({
    "filters": Field(FILTERS, "Which events are counted.", required=True),
    "aggregationLevel": Field(Object({
        "primaryLevel": Field(_LEVEL, "What a row is about.", required=True),
        "secondaryLevel": Field(_LEVEL, "A second thing that a row is about."),
        "tertiaryLevel": Field(_LEVEL, "A third one; needs the second."),
    }, check=_check_levels), "What a row of the report is about.", required=True),
    "format": Field(Choice(FORMATS), "Of the files; CSV if absent."),
    "gzip": Field(Flag(), "Whether CSV and JSONL files are compressed; false if absent."),
})  # fmt: skip


def plan(tx: Tx, client: Client, question: dict[str, Any], now: Instant) -> Plan:
    """The plan of a well-formed question.

    **Refuses** ids that are not the client's (404).
    """
    named = question["aggregationLevel"]
    levels = tuple(named[name] for name in ("primaryLevel", *_NEXT) if named.get(name))
    return msgspec.structs.replace(
        planned(tx, client, question["filters"], levels, now),
        format=question.get("format") or "CSV", gzip=bool(question.get("gzip")),
    )  # fmt: skip


def planned(
    tx: Tx, client: Client, filters: dict[str, Any], levels: tuple[str, ...], now: Instant
) -> Plan:
    """The plan of what ``FILTERS`` read, by these levels.

    **Refuses** ids that are not the client's (404).
    """
    zone_name = filters.get("timeZone") or client.zone
    zone = zone_of(zone_name)
    today = day_of(now, zone)
    asked_on, oldest = date.fromisoformat(filters["startDate"]), today - timedelta(days=DAYS_KEPT)
    first_on = max(asked_on, oldest)
    last_on = min(date.fromisoformat(filters["endDate"]), today)
    first, end = bounds_of(first_on, max(last_on, first_on), zone)
    refs = filters.get("refNumbers") or []
    job_ids = rows.job_ids_of(tx, client.no, refs)
    if first_on > last_on or (refs and not job_ids):
        end = first
    return Plan(
        client_no=client.no, zone=zone_name, first_on=first_on.isoformat(),
        last_on=last_on.isoformat(), first=first, end=end, levels=levels, cut=asked_on < oldest,
        campaign_nos=_numbers(
            filters, "campaignIds", lambda id_: campaigns.number_ever(tx, client.no, id_)
        ),
        group_nos=_numbers(
            filters, "jobGroupIds", lambda id_: groups.number_ever(tx, client.no, id_)
        ),
        publisher_nos=_numbers(
            filters, "publisherIds", lambda id_: publishers.number_ever(tx, client.agency_no, id_)
        ),
        job_ids=tuple(sorted(job_ids.values())),
    )  # fmt: skip


def _numbers(filters: dict[str, Any], name: str, number: Any) -> tuple[int, ...]:
    return tuple(sorted({number(id_) for id_ in filters.get(name) or []}))
