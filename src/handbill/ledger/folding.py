"""The entries of segments added up: the right side of the books, for the check and for retiring."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, tzinfo

import duckdb

from handbill.core.charging import Place
from handbill.core.job_caps import Count, TakenOfJob
from handbill.core.judging import TAKES_ROOM
from handbill.store.segments import Segment, day_of_number, day_text

ROOM = ", ".join(f"'{name}'" for name in sorted(TAKES_ROOM))
# What is left over between spend times both factors and the marked-up spend is half a micro at
# most; where it is just a half, the marked-up spend is even.
MISMARKED = """SELECT count(*) FROM (
    SELECT marked_micros, 2 * abs(
        spend_micros::HUGEINT * (1000000 + agency_ppm) * (1000000 + override_ppm)
        - marked_micros::HUGEINT * 1000000000000
    ) AS twice FROM entries
) WHERE twice > 1000000000000 OR (twice = 1000000000000 AND marked_micros % 2 != 0)"""
# What was said in another currency, at its rate, is rounded down; a charge is at most the bid.
MISCONVERTED = """SELECT count(*) FROM entries WHERE (
    bid_rate_picos != 0
    AND spend_micros != bid_micros::HUGEINT * bid_rate_picos // 1000000000000
) OR (
    price_rate_picos != 0 AND charge_micros != least(
        spend_micros, price_micros::HUGEINT * price_rate_picos // 1000000000000
    )
)"""
Taken = tuple[Place, date, tuple[int, int, int]]
Told = tuple[str, str, int, int, int, int]


def load(duck: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    """Read segments, each once, into the table ``entries``, which the other functions add up."""
    duck.execute(
        'CREATE OR REPLACE TEMP TABLE entries AS SELECT filename, id, "at", kind, disposition, '
        "client_no, campaign_no, group_no, publisher_no, job_id, charge_micros, spend_micros, "
        "marked_micros, agency_ppm, override_ppm, bid_micros, bid_rate_picos, price_micros, "
        "price_rate_picos FROM read_parquet($files, filename = true)",
        {"files": files},
    )


def told(duck: duckdb.DuckDBPyConnection) -> list[Told]:
    """By kind and disposition: how many entries, and their charge, spend and marked-up spend."""
    return duck.execute(
        "SELECT kind, disposition, count(*), sum(charge_micros), sum(spend_micros), "
        "sum(marked_micros) FROM entries GROUP BY ALL"
    ).fetchall()


def _taken_by_day(segments: Sequence[Segment], zone: tzinfo) -> str:
    """The day and what was taken of each measure, as columns of entries."""
    first = min(segment.first_at for segment in segments)
    end = max(segment.last_at for segment in segments) + 1
    return (
        f"{day_text(first, end, zone)} AS day, sum(marked_micros), "
        "count(*) FILTER (kind = 'CLICK'), count(*) FILTER (kind = 'APPLY') FROM entries"
    )


def taken(
    duck: duckdb.DuckDBPyConnection, segments: Sequence[Segment], zone: tzinfo
) -> Iterator[Taken]:
    """What one client's entries took of each measure at each place on each day."""
    found = duck.execute(
        f"SELECT campaign_no, group_no, publisher_no, {_taken_by_day(segments, zone)} "
        f"WHERE disposition IN ({ROOM}) AND kind <> 'POSTING' GROUP BY ALL"
    )
    while row := found.fetchone():
        campaign_no, group_no, publisher_no, number, marked, clicks, applies = row
        place = Place(segments[0].client_no, campaign_no, group_no, publisher_no)
        yield place, day_of_number(number), (marked, clicks, applies)


def taken_of_jobs(
    duck: duckdb.DuckDBPyConnection, segments: Sequence[Segment], zone: tzinfo,
    counts: Collection[Count],
) -> Iterator[TakenOfJob]:  # fmt: skip
    """The same, of each job that is counted."""
    if not counts:
        return
    groups = [int(one.owner) for one in counts if one.scope == "group_job"]
    jobs = [one.owner.partition("/")[0] for one in counts if one.scope != "group_job"]
    found = duck.execute(
        f"SELECT group_no, publisher_no, job_id, {_taken_by_day(segments, zone)} "
        f"WHERE disposition IN ({ROOM}) AND kind IN ('CLICK', 'APPLY') AND job_id <> '' "
        "AND (list_contains($groups, group_no) OR list_contains($jobs, job_id)) GROUP BY ALL",
        {"groups": sorted(set(groups)), "jobs": sorted(set(jobs))},
    )
    while row := found.fetchone():
        group_no, publisher_no, job_id, number, marked, clicks, applies = row
        day = day_of_number(number)
        yield TakenOfJob(group_no, publisher_no, job_id, day, (int(marked), clicks, applies))
