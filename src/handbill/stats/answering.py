"""The answer to a plan: rows from the segments, with names and ratios, written part by part."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, Protocol

import duckdb

from handbill.campaigns.service import campaigns_by_number
from handbill.clients.service import clients_by_number
from handbill.groups.service import groups_by_number
from handbill.host.ids import Ids
from handbill.kit.batches import batches
from handbill.kit.instants import Instant
from handbill.publishers.service import publishers_by_number
from handbill.stats import files, from_days, resolved, rows
from handbill.stats.layouts import LAYOUTS
from handbill.stats.questions import Plan
from handbill.stats.ranges import MOST_KEPT, Ranges, Row, summed
from handbill.stats.rendering import (
    COUNT,
    COUNT_WHERE,
    few_text,
    fine_text,
    largest_text,
    range_text,
    rows_text,
    table_text,
    which_text,
)
from handbill.stats.rows import ReportFile
from handbill.stats.service import FOLDER
from handbill.stats.small_files import FineRow, SmallFiles, fitting
from handbill.store import segment_files, segments
from handbill.store.blobs import Blobs
from handbill.store.records import Tx
from handbill.store.segment_days import day_of_number, number_of_day

MOST_ROWS: Final = 5_000_000
_AT_ONCE = 5_000
_MEMORY_MB = 1_024
_THREADS = 2
_RANGES: Final = Ranges()
_SMALL: Final = SmallFiles()
_OWN_NAMES = frozenset(
    {"IP", "COUNTRY", "CITY", "BID_TYPE", "CURRENCY", "QUARTER"}
)  # texts of the entries themselves
Progress = Callable[[int], None]
Begun = Callable[[Callable[[], None]], None]
Names = tuple[str, ...]
Days = tuple[str, str]
"""First and last day."""
Sums = tuple[int, ...]


class ThingFilter(NamedTuple):
    """Which things are asked for: those with each of some raw sums and none of others, ordered by a
    raw sum; ``sums``: what is to be told of them.
    """

    by: str
    some: Sequence[str]
    none: Sequence[str]
    sums: Collection[str]


class AnswerTooLarge(Exception):
    """The answer has more rows than a report may have; the message says so."""


class Reads(Protocol):
    """Where transactions for reading come from."""

    def read(self) -> AbstractContextManager[Tx]: ...


class Within(NamedTuple):
    """Reads in a transaction that is open already: for an answer that is part of a larger one."""

    tx: Tx

    def read(self) -> AbstractContextManager[Tx]:
        return nullcontext(self.tx)


class Answering:
    """What answering needs besides the plan."""

    def __init__(self, records: Reads, blobs: Blobs, ids: Ids, scratch: Path) -> None:
        self._records = records
        self._blobs = blobs
        self._ids = ids
        self._scratch = scratch

    def answer(self, plan: Plan, now: Instant, progress: Progress) -> list[ReportFile]:
        """Write the parts to the blobs, durably; none if there are no rows, unless the plan wants
        one file in any case.

        ``progress`` is called with percents. **Refuses** more than 5,000,000 rows (TooLarge).
        """
        with self.rows(plan) as (total, lines):
            if not total and not plan.whole:
                return []
            progress(50)
            return self._parts(plan, lines, total, now, progress)

    @contextmanager
    def rows(
        self, plan: Plan, memory_mb: int = _MEMORY_MB, begun: Begun | None = None
    ) -> Iterator[tuple[int, Iterator[list[Any]]]]:
        """The number of rows of the answer, and the rows themselves, named and finished, in order.

        ``begun`` gets the function that interrupts the query of entries; few rows come from the
        sums of days, without one. **Refuses** more than 5,000,000 rows (TooLarge).
        """
        if (kept := self._kept(plan)) is not None:
            yield len(kept), self._named(plan, batches(kept, _AT_ONCE))
            return
        with self._table(plan, memory_mb, begun) as duck:
            if duck is None:
                yield 0, iter(())
                return
            total = _count(duck)
            if total > MOST_ROWS:
                raise AnswerTooLarge(f"The report would have {total} rows; {MOST_ROWS} are allowed")
            answer = duck.execute(rows_text(plan))
            yield total, self._named(plan, iter(lambda: answer.fetchmany(_AT_ONCE), []))

    def _kept(self, plan: Plan) -> list[list[int]] | None:
        """The rows of a plan, if the sums of days tell them."""
        with self._records.read() as tx:
            client = clients_by_number(tx, [plan.client_no])[plan.client_no]
            return [] if plan.empty else from_days.answered(tx, plan, client.zone)

    def in_ranges(
        self, plan: Plan, ranges: Iterable[Days], memory_mb: int = _MEMORY_MB
    ) -> dict[Days, dict[str, Sums]]:
        """For each range of days, the sums of each entity with any, by its id. The entries are read
        once. ``plan``: by one level and by day, and its days include all ranges.
        """
        by_range: dict[Days, dict[str, Sums]] = {one: {} for one in ranges}
        if plan.empty:
            return by_range
        listed = self._listed(plan)
        rows = _RANGES.rows(plan, listed, lambda its, some: self._few(its, some, memory_mb))
        if rows is not None:
            self._sum(plan, by_range, lambda first, last: summed(rows, first, last))
            return by_range
        with self._table(plan, memory_mb) as duck:
            if duck is not None:
                self._sum(plan, by_range, lambda *days: _within(duck, plan, *days))
        return by_range

    def _few(self, plan: Plan, listed: list[segments.Segment], memory_mb: int) -> list[Row] | None:
        """The rows of a plan in some segments, unless there are too many to keep. Several may be
        about the same thing and day.
        """
        small = fitting(plan, listed)
        read = partial(self._fine, memory_mb=memory_mb)
        rows: list[Row] = [*_SMALL.rows(plan, small, read)] if small else []
        added_up = {one.digest for one in small}
        large = [one for one in listed if one.digest not in added_up]
        if not large or len(rows) > MOST_KEPT:
            return rows if len(rows) <= MOST_KEPT else None
        with (
            segment_files.files(self._blobs, large, self._scratch) as local,
            segment_files.query(self._scratch, memory_mb=memory_mb, threads=_THREADS) as duck,
        ):
            entries = segment_files.source(local, {plan.client_no})
            of_large = duck.execute(*few_text(plan, entries, MOST_KEPT + 1)).fetchall()
        rows += of_large
        return rows if len(rows) <= MOST_KEPT else None

    def _fine(
        self, layout: str, listed: list[segments.Segment], memory_mb: int
    ) -> list[list[FineRow]]:
        """The rows of small segments, of each."""
        with (
            segment_files.files(self._blobs, listed, self._scratch) as local,
            segment_files.query(self._scratch, memory_mb=memory_mb, threads=_THREADS) as duck,
        ):
            text = fine_text(layout, segment_files.source(local, None))
            by_file: dict[str, list[FineRow]] = {file: [] for file in local}
            for file, *row in duck.execute(text).fetchall():
                by_file[file].append(row)
        return list(by_file.values())

    def _sum(
        self,
        plan: Plan,
        found: Mapping[Days, dict[str, Sums]],
        sums_of: Callable[[int, int], Iterable[Row]],
    ) -> None:
        """Fill in what each range of days comes to, with the ids of its entities."""
        known: dict[Any, Names] = {}
        for days, its in found.items():
            first, last = (number_of_day(date.fromisoformat(day)) for day in days)
            some = list(sums_of(first, last))
            new = {key for key, *_ in some} - known.keys()
            with self._records.read() as tx:
                known |= names_of(tx, plan.client_no, plan.levels[0], new)
            its |= {known[key][0]: tuple(sums) for key, *sums in some}

    def largest(
        self, plan: Plan, chosen: ThingFilter, skip: int, limit: int, memory_mb: int = _MEMORY_MB
    ) -> tuple[int, list[tuple[Names, Sums]]]:
        """How many things of a plan by one level are chosen, and some of them, the largest first:
        names and sums of each. Sums that are not asked for are 0.
        """
        level = plan.levels[0]
        names_of_sums = [name for name, _ in LAYOUTS[plan.layout].sums]
        only = {chosen.by, *chosen.some, *chosen.none, *chosen.sums}
        with self._table(plan, memory_mb, only=only) as duck:
            if duck is None:
                return 0, []
            which = which_text(plan, chosen.some, chosen.none)
            count = _count(duck, COUNT_WHERE.format(which=which))
            page = {"most": limit, "skipped": skip}
            things = duck.execute(largest_text(plan, chosen.by, which), page).fetchall()
        with self._records.read() as tx:
            names = names_of(tx, plan.client_no, level, {key for key, *_ in things})
        made = [name for name in names_of_sums if name in only]
        pairs = [(key, dict(zip(made, sums, strict=True))) for key, *sums in things]
        return count, [
            (names[key], tuple(sums.get(name, 0) for name in names_of_sums)) for key, sums in pairs
        ]

    @contextmanager
    def _table(
        self, plan: Plan, memory_mb: int, begun: Begun | None = None, only: Collection[str] = ()
    ) -> Iterator[duckdb.DuckDBPyConnection | None]:
        """The rows of a plan, in table ``answer``, with all sums or only some; None if there are
        none.
        """
        listed = self._listed(plan)
        if not listed or plan.empty:
            yield None
            return
        text, params = table_text(plan, only)
        with (
            segment_files.files(self._blobs, listed, self._scratch) as local,
            segment_files.query(self._scratch, memory_mb=memory_mb, threads=_THREADS) as duck,
        ):
            if begun is not None:
                begun(duck.interrupt)
            segment_files.show(duck, local, plan.client_no)
            duck.execute(text, params)
            yield duck

    def _listed(self, plan: Plan) -> list[segments.Segment]:
        first = plan.first - LAYOUTS[plan.layout].reach
        with self._records.read() as tx:
            return segments.segments_within(tx, plan.client_no, first, plan.end)

    def _named(self, plan: Plan, parts: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
        """Named and finished rows, in order. ``parts``: keys and raw sums, some at a time."""
        layout = LAYOUTS[plan.layout]
        levels = len(plan.levels)
        headings = [
            (place, name)
            for place, level in enumerate(plan.levels)
            for name, _ in layout.headings[level]
        ]
        known: list[dict[Any, Names]] = [{} for _ in plan.levels]
        stands = None
        if layout.tells_standing(plan.levels):
            with self._records.read() as tx:
                stands = resolved.told_of(tx, plan.client_no, plan.levels)
        for some in parts:
            with self._records.read() as tx:
                for place, level in enumerate(plan.levels):
                    if level == "JOB":
                        known[place].clear()
                    new = {row[place] for row in some} - known[place].keys()
                    known[place].update(names_of(tx, plan.client_no, level, new))
            for row in some:
                names = [known[place][row[place]][name] for place, name in headings]
                yield [*names, *layout.finish(row[levels:]), *(stands(row) if stands else ())]

    def _parts(
        self, plan: Plan, lines: Iterator[list[Any]], total: int, now: Instant, progress: Progress
    ) -> list[ReportFile]:
        parts: list[ReportFile] = []
        columns = LAYOUTS[plan.layout].columns(plan.levels)
        compressed = plan.gzip and plan.format != "PARQUET"
        suffix = files.SUFFIX[plan.format] + (".gz" if compressed else "")
        media_type = "application/gzip" if compressed else files.MEDIA_TYPE[plan.format]
        most = max(total, 1) if plan.whole else files.MOST_ROWS
        self._scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._scratch, prefix="report-") as folder:
            for first in range(0, max(total, 1), most):
                local = Path(folder) / f"{len(parts)}{suffix}"
                count = min(most, total - first)
                with files.part_file(local, columns, plan.format, compressed=compressed) as put:
                    for _ in range(count):
                        put(next(lines))
                size = local.stat().st_size
                path = f"{FOLDER}/{now:016d}-{self._ids.bytes(16).hex()}{suffix}"
                self._blobs.put_file(path, local)
                local.unlink()
                parts.append(ReportFile(path, count, size, media_type))
                progress(50 + 49 * (first + count) // max(total, 1))
        return parts


def _count(duck: duckdb.DuckDBPyConnection, text: str = COUNT) -> int:
    row = duck.execute(text).fetchone()
    assert row is not None, "a count has a row"
    return int(row[0])


def _within(duck: duckdb.DuckDBPyConnection, plan: Plan, first: int, last: int) -> Iterator[Row]:
    answer = duck.execute(range_text(plan), {"first": first, "last": last})
    while some := answer.fetchmany(_AT_ONCE):
        yield from some


def names_of(tx: Tx, client_no: int, level: str, keys: set[Any]) -> dict[Any, Names]:
    """The name columns of a level for each key; empty texts for what no longer exists."""
    if not keys:
        return {}
    if level == "DATE":
        return {key: (day_of_number(key).isoformat(),) for key in keys}
    if level == "JOB":
        by_id = rows.job_names(tx, client_no, sorted(keys))
        return {key: (key, *by_id.get(key, ("", ""))) for key in keys}
    if level in _OWN_NAMES:
        return {key: (key,) for key in keys}
    named: dict[Any, Names] = dict.fromkeys(keys, ("", ""))
    if level == "CLIENT":
        named |= {no: (it.id, it.body.company_name) for no, it in _of(clients_by_number, tx, keys)}
    elif level == "CAMPAIGN":
        named |= {no: (it.id, it.body.name) for no, it in _of(campaigns_by_number, tx, keys)}
    elif level == "JOBGROUP":
        named |= {no: (it.id, it.body.name) for no, it in _of(groups_by_number, tx, keys)}
    else:
        named |= {no: (it.id, it.body.name) for no, it in _of(publishers_by_number, tx, keys)}
    return named


def _of(
    look_up: Callable[[Tx, Sequence[int]], dict[int, Any]], tx: Tx, keys: set[int]
) -> Sequence[tuple[int, Any]]:
    return list(look_up(tx, sorted(keys)).items())
