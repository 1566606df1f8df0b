"""From a plan to SQL over the segments: fixed text, with checked words and integers only."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from handbill.kit.zones import QUARTER, zone_of
from handbill.stats.layouts import LAYOUTS
from handbill.stats.questions import Plan
from handbill.store.segment_days import day_text

_KEY_OF_LEVEL: Final = {
    "CLIENT": "client_no",
    "CAMPAIGN": "campaign_no",
    "JOBGROUP": "group_no",
    "JOB": "job_id",
    "PUBLISHER": "publisher_no",
    "DATE": "day",
    "IP": "ip",
    "COUNTRY": "country",
    "CITY": "city",
    "BID_TYPE": "bid_type",
    "CURRENCY": "currency",
    "QUARTER": "quarter",
}
_QUARTER: Final = f'"at" // {QUARTER} AS quarter'
FINE: Final = ("client_no", "campaign_no", "group_no", "publisher_no", "job_id", "quarter")
"""The columns by which any question by days can be added up."""
ANSWER: Final = """SELECT * FROM answer ORDER BY {keys}"""
RANGE: Final = """
    SELECT {key}, {sums} FROM answer WHERE day BETWEEN $first AND $last
    GROUP BY ALL HAVING {some} ORDER BY {key}
"""
COUNT: Final = "SELECT count(*) FROM answer"
LARGEST: Final = """
    SELECT * FROM answer WHERE {which} ORDER BY "{by}" DESC, {key} LIMIT $most OFFSET $skipped
"""
COUNT_WHERE: Final = "SELECT count(*) FROM answer WHERE {which}"


def keys_of(plan: Plan) -> list[str]:
    """The key columns of a row, in the order of the levels."""
    return [_KEY_OF_LEVEL[level] for level in plan.levels]


def table_text(plan: Plan, only: Collection[str] = ()) -> tuple[str, dict[str, Any]]:
    """The statement that puts the answer's rows into table ``answer``, and its parameters. It reads
    ``entries``, which are the client's only. Rows with only zeros are left out, unless ``only``
    some raw sums are made, which costs less.
    """
    text, params = _answer_text(plan, LAYOUTS[plan.layout].source, only)
    return f"CREATE TEMP TABLE answer AS {text}", params


def few_text(plan: Plan, entries: str, most: int) -> tuple[str, dict[str, Any]]:
    """The statement for at most so many rows of a plan whose layout reads ``entries`` once, and its
    parameters. ``entries``: SQL for the client's entries in a few files; a view costs more than
    reading them.
    """
    assert LAYOUTS[plan.layout].source == "entries", "it reads nothing else"
    text, params = _answer_text(plan, f"{entries} AS entries")
    return f"{text} LIMIT {most:d}", params


def fine_text(layout: str, entries: str) -> str:
    """The statement for the raw sums of a layout by file and by all of ``FINE``, without rows of
    zeros. ``entries``: SQL for the entries of every client in some files.
    """
    assert LAYOUTS[layout].source == "entries", "it reads nothing else"
    keys = ", ".join(_QUARTER if key == "quarter" else key for key in FINE)
    sums, some = _sums_text(LAYOUTS[layout].sums)
    return f"SELECT filename, {keys}, {sums} FROM {entries} AS entries GROUP BY ALL HAVING {some}"


def _sums_text(made: Collection[tuple[str, str]]) -> tuple[str, str]:
    """Raw sums, and the condition that any of them is not 0."""
    sums = ", ".join(f'{text} AS "{name}"' for name, text in made)
    return sums, " OR ".join(f'"{name}" != 0' for name, _ in made)


def _answer_text(plan: Plan, source: str, only: Collection[str] = ()) -> tuple[str, dict[str, Any]]:
    day = day_text(plan.first, plan.end, zone_of(plan.zone))
    named = {"day": f"{day} AS day", "quarter": _QUARTER}
    keys = [named.get(key, key) for key in keys_of(plan)]
    where = ['"at" >= $first', '"at" < $end']
    params: dict[str, Any] = {"first": plan.first, "end": plan.end}
    for column, name, wanted in (
        ("campaign_no", "campaigns", plan.campaign_nos),
        ("group_no", "groups", plan.group_nos),
        ("publisher_no", "publishers", plan.publisher_nos),
        ("job_id", "jobs", plan.job_ids),
    ):
        if wanted:
            where.append(f"{column} IN (SELECT unnest(${name}))")
            params[name] = list(wanted)
    layout = LAYOUTS[plan.layout]
    made = [(name, text) for name, text in layout.sums if not only or name in only]
    sums, some = _sums_text(made)
    text = (
        f"SELECT {', '.join(keys)}, {sums} FROM {source} WHERE {' AND '.join(where)} GROUP BY ALL"
    )
    return text if only else f"{text} HAVING {some}", params


def rows_text(plan: Plan) -> str:
    return ANSWER.format(keys=", ".join(keys_of(plan)))


def range_text(plan: Plan) -> str:
    """The rows of a range of days ($first to $last, as numbers), if the plan is by one level and by
    day.
    """
    names = [name for name, _ in LAYOUTS[plan.layout].sums]
    sums = ", ".join(f'sum("{name}") AS "{name}"' for name in names)
    some = " OR ".join(f'sum("{name}") != 0' for name in names)
    return RANGE.format(key=keys_of(plan)[0], sums=sums, some=some)


def which_text(plan: Plan, some: Sequence[str], none: Sequence[str]) -> str:
    """The condition that a row is about something, and has each of some raw sums, and none of
    others.
    """
    (key,) = keys_of(plan)
    has = [f'"{name}" != 0' for name in some] + [f'"{name}" = 0' for name in none]
    return " AND ".join([f"{key} <> ''", *has])


def largest_text(plan: Plan, by: str, which: str) -> str:
    """The $most rows after the $skipped largest, by a raw sum, of those that meet a condition."""
    return LARGEST.format(which=which, by=by, key=keys_of(plan)[0])
