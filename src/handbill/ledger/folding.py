"""Sums of the entries of segments: the right side of the books, for the check and for retiring."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, tzinfo

import duckdb

from handbill.core.charging import CounterKey, Place, folded
from handbill.core.job_caps import Count, TakenOfJob, folded_jobs
from handbill.core.judging import TAKES_ROOM
from handbill.core.metrics import RAW, Raw
from handbill.store.segment_days import day_of_number, day_text
from handbill.store.segment_files import source
from handbill.store.segments import Segment

ROOM = ", ".join(f"'{name}'" for name in sorted(TAKES_ROOM))
# The spend with both factors and the marked-up spend differ by half a micro at most; if by exactly
# half, the marked-up spend is even.
MISMARKED = """(twice > 1000000000000 OR (twice = 1000000000000 AND marked_micros % 2 != 0))"""
# In an entry that cancels another one, all amounts are below 0.
_TWICE = """2 * abs(
    spend_micros::HUGEINT * (1000000 + agency_ppm) * (1000000 + override_ppm)
    - marked_micros::HUGEINT * 1000000000000
) AS twice"""
# An amount in another currency, at its rate, is rounded down; a charge is at most the bid.
MISCONVERTED = """(
    bid_rate_picos != 0
    AND sign * spend_micros != (sign * bid_micros)::HUGEINT * bid_rate_picos // 1000000000000
) OR (
    price_rate_picos != 0 AND sign * charge_micros != least(
        sign * spend_micros, (sign * price_micros)::HUGEINT * price_rate_picos // 1000000000000
    )
)"""
Taken = tuple[Place, date, tuple[int, int, int]]
Told = tuple[int, str, str, int, int, int, int]


def load(
    duck: duckdb.DuckDBPyConnection, files: Sequence[str], client_nos: Collection[int] | None
) -> None:
    """Read what segments hold of these clients (None: of all), each entry once, into the table
    ``entries``, which the other functions add up.
    """
    duck.execute(
        'CREATE OR REPLACE TEMP TABLE entries AS SELECT filename, id, "at", kind, disposition, '
        "sign, corrects, client_no, campaign_no, group_no, publisher_no, job_id, charge_micros, "
        "spend_micros, marked_micros, bid_micros, bid_rate_picos, price_micros, "
        f"price_rate_picos, {_TWICE} FROM {source(files, client_nos)}"
    )


def folded_sums(duck: duckdb.DuckDBPyConnection) -> list[Told]:
    """By client, kind and disposition: the number of entries, less those that were cancelled; their
    charge, spend and marked-up spend.
    """
    return duck.execute(
        "SELECT client_no, kind, disposition, sum(sign), sum(charge_micros), sum(spend_micros), "
        "sum(marked_micros) FROM entries GROUP BY ALL"
    ).fetchall()


def sum_text(raw: Raw) -> str:
    """A raw sum as a column of entries; an entry and the one that cancels it add up to 0."""
    if raw.amount:
        return f"sum({raw.amount})"
    if not raw.dispositions:
        return f"coalesce(sum(sign) FILTER (kind = '{raw.kind}'), 0)"
    words = ", ".join(f"'{word}'" for word in raw.dispositions)
    return f"coalesce(sum(sign) FILTER (kind = '{raw.kind}' AND disposition IN ({words})), 0)"


def come_to(
    duck: duckdb.DuckDBPyConnection, listed: Sequence[Segment], zones: Mapping[int, tzinfo]
) -> Iterator[tuple[int, str, list[int]]]:
    """The raw sums of these clients' entries on each day: client, day, sums."""
    sums = ", ".join(sum_text(raw) for raw in RAW)
    for zone, client_nos in by_zone(zones).items():
        rows = duck.execute(
            f"SELECT client_no, {_day(listed, zone)}, {sums} FROM entries "
            "WHERE list_contains($clients, client_no) GROUP BY ALL",
            {"clients": client_nos},
        )
        while row := rows.fetchone():
            client_no, number, *amounts = row
            assert len(amounts) == len(RAW), "there is a sum of each kind"
            yield client_no, day_of_number(number).isoformat(), list(map(int, amounts))


def _day(listed: Sequence[Segment], zone: tzinfo) -> str:
    """The day, as a column of entries."""
    first = min(segment.first_at for segment in listed)
    end = max(segment.last_at for segment in listed) + 1
    return f"{day_text(first, end, zone)} AS day"


def _taken_by_day(listed: Sequence[Segment], zone: tzinfo) -> str:
    """The day and the use of each measure, as columns of entries."""
    return (
        f"{_day(listed, zone)}, sum(marked_micros), "
        "coalesce(sum(sign) FILTER (kind = 'CLICK'), 0), "
        "coalesce(sum(sign) FILTER (kind = 'APPLY'), 0) FROM entries"
    )


def by_zone(zones: Mapping[int, tzinfo]) -> dict[tzinfo, list[int]]:
    """The clients of each zone."""
    of_zone: dict[tzinfo, list[int]] = {}
    for client_no, zone in sorted(zones.items()):
        of_zone.setdefault(zone, []).append(client_no)
    return of_zone


def taken(
    duck: duckdb.DuckDBPyConnection, listed: Sequence[Segment], zones: Mapping[int, tzinfo]
) -> Iterator[Taken]:
    """The use of each measure by these clients' entries, at each place on each day."""
    for zone, client_nos in by_zone(zones).items():
        rows = duck.execute(
            "SELECT client_no, campaign_no, group_no, publisher_no, "
            f"{_taken_by_day(listed, zone)} WHERE list_contains($clients, client_no) "
            f"AND disposition IN ({ROOM}) AND kind <> 'POSTING' GROUP BY ALL",
            {"clients": client_nos},
        )
        while row := rows.fetchone():
            *place, number, marked, clicks, applies = row
            yield Place(*place), day_of_number(number), (int(marked), int(clicks), int(applies))


def taken_of_jobs(
    duck: duckdb.DuckDBPyConnection,
    listed: Sequence[Segment],
    zones: Mapping[int, tzinfo],
    counts: Iterable[Count],
) -> Iterator[TakenOfJob]:
    """The use of each measure by each job that is counted."""
    counts = list(counts)
    if not counts:
        return
    groups = sorted({int(one.owner) for one in counts if one.scope == "group_job"})
    jobs = sorted({one.owner.partition("/")[0] for one in counts if one.scope != "group_job"})
    for zone, client_nos in by_zone(zones).items():
        rows = duck.execute(
            "SELECT client_no, group_no, publisher_no, job_id, "
            f"{_taken_by_day(listed, zone)} WHERE list_contains($clients, client_no) "
            f"AND disposition IN ({ROOM}) AND kind IN ('CLICK', 'APPLY') AND job_id <> '' "
            "AND (list_contains($groups, group_no) OR list_contains($jobs, job_id)) GROUP BY ALL",
            {"clients": client_nos, "groups": groups, "jobs": jobs},
        )
        while row := rows.fetchone():
            client_no, group_no, publisher_no, job_id, number, marked, clicks, applies = row
            day, amounts = day_of_number(number), (int(marked), int(clicks), int(applies))
            assert job_id, "what was taken is a job's"
            yield TakenOfJob(client_no, group_no, publisher_no, job_id, day, amounts)


def counters(
    duck: duckdb.DuckDBPyConnection,
    listed: Sequence[Segment],
    zones: Mapping[int, tzinfo],
    counts: Mapping[int, Iterable[Count]],
) -> Iterator[tuple[int, dict[CounterKey, int]]]:
    """The counters of each client's entries: all of them, for jobs only those that are kept."""
    every = [count for of_one in counts.values() for count in of_one]
    places: dict[int, list[Taken]] = {}
    for one in taken(duck, listed, zones):
        places.setdefault(one[0].client_no, []).append(one)
    jobs: dict[int, list[TakenOfJob]] = {}
    for of_job in taken_of_jobs(duck, listed, zones, every):
        jobs.setdefault(of_job.client_no, []).append(of_job)
    assert places.keys() | jobs.keys() <= zones.keys(), "what was taken is of those asked for"
    for client_no in places.keys() | jobs.keys():
        of_jobs = folded_jobs(jobs.get(client_no, ()), counts.get(client_no, ()))
        yield client_no, folded(places.get(client_no, ())) | of_jobs
