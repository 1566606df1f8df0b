"""Jobs as files: all that a question takes, however many, asked for some at a time.

Figures of today may change between two calls, so that a job may then be told twice or not at all.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from handbill.pages.calls import Calls
from handbill.pages.csvs import csv_stream
from handbill.pages.exports import exact
from handbill.pages.wording import words

_AT_ONCE: Final = 1_000
LINES_AT_ONCE: Final = 10_000
"""Each time all jobs are sorted, or all that publishers list is read."""
GONE: Final = "A job that is no longer kept"


async def jobs_file(calls: Calls, of: str, wish: Mapping[str, Any]) -> Response:
    """Jobs in brief."""
    path, wish = f"{of}/job-lines", {**wish, "limit": LINES_AT_ONCE}
    reply = await calls.get(path, wish)

    async def rows() -> AsyncIterator[Sequence[Any]]:
        answer = reply
        while True:
            for job in answer.json["data"]:
                yield job["title"], job["refNumber"], job["company"], place(job), state(job)
            if answer.json["next"] is None:
                return
            answer = await calls.get(path, wish | {"cursor": answer.json["next"]})

    return csv_stream("jobs", ("Job", "Reference", "Company", "Place", "State"), rows())


async def figures_file(
    calls: Calls, of: str, wish: Mapping[str, Any], columns: Mapping[str, str]
) -> Response:
    """Jobs by their figures, the largest first. ``columns``: by metric, its heading."""
    path, page = f"{of}/job-figures", {**wish, "metrics": ",".join(columns), "limit": _AT_ONCE}
    reply = await calls.get(path, page | {"page": 0})

    async def rows() -> AsyncIterator[Sequence[Any]]:
        answer, number = reply, 0
        while answer.json["data"]:
            for job in answer.json["data"]:
                yield job["title"] or GONE, job["refNumber"], *_figures(job["total"], columns)
            number += 1
            if number * _AT_ONCE >= answer.json["total"]:
                return
            answer = await calls.get(path, page | {"page": number})

    return csv_stream("jobs", ("Job", "Reference", *columns.values()), rows())


def _figures(total: Mapping[str, Any], columns: Mapping[str, str]) -> list[str]:
    """Each figure, exactly; none where it is a share of what there was none of."""
    under = {"cpa": "applies", "cta": "clicks"}
    return [
        "" if name in under and not total[under[name]] else exact(total[name]) for name in columns
    ]


def place(job: Mapping[str, Any]) -> str:
    """Where a job is."""
    return ", ".join(job[part] for part in ("city", "state", "country") if job[part])


def state(job: Mapping[str, Any]) -> str:
    """The state of a job in words, and which mandatory fields it lacks."""
    if job["valid"]:
        return words(job["status"])
    return f"{words(job['status'])}, not valid: {', '.join(job['missingFields']) or 'incomplete'}"
