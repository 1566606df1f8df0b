"""What an employer sees of its clients: marked-up spend and what it brought, and no price below it.

The API decides what it may ask for; these pages ask for nothing else.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Reply, asked, at
from handbill.pages.exports import asked_for
from handbill.pages.frame import calls_of, render
from handbill.pages.job_files import figures_file
from handbill.pages.queries import MOST_DAYS_OF_STATS, days_in, page_in
from handbill.pages.wording import counted, days_back
from handbill.pages.workbooks import workbook_file

LEVELS: Final = {"CAMPAIGN": "Campaign", "DAY": "Day", "CAMPAIGN_DAY": "Campaign and day"}
_FIGURES: Final = {
    "spent": "Spend",
    "clicks": "Clicks",
    "applyStarts": "Starts",
    "applies": "Applies",
    "hires": "Hires",
    "cpa": "CPA",
    "cph": "Cost per hire",
    "cta": "Applies per click, %",
}
_OF: Final = {"cpa": "applies", "cph": "hires", "cta": "clicks"}
_AMOUNTS: Final = frozenset(("Spend", "CPA", "Cost per hire"))
_OF_JOBS: Final = {
    "clicks": "Clicks",
    "applyStarts": "Starts",
    "applies": "Applies",
    "hires": "Hires",
    "cta": "Applies per click",
}
_SHOWN: Final = {"all": "ALL", "no-apply": "NO_APPLY"}
_SORTS: Final = ("clicks", "applies")
_ON_A_PAGE, _MOST_LINES, _MOST_CLIENTS = 25, 500, 1_000
Row = list[str | Decimal | int | None]


async def client(request: Request) -> Response:
    """Its figures by day and campaign, beside its plan of the month, in three calls."""
    calls, days = calls_of(request), days_in(request)
    whole, campaigns, all_lines = await asyncio.gather(
        _figures(request, days, "none"),
        _figures(request, days, "campaign"),
        calls.get("/overview", {"days": 1, "page": 0, "limit": _MOST_CLIENTS}),
    )
    of = _named(whole)
    line = next((one for one in all_lines.json["data"] if one["id"] == of["id"]), None)
    return render(
        request,
        "employer_client.html",
        client=of,
        days=days,
        whole=whole,
        campaigns=campaigns,
        all_lines=all_lines,
        line=line,
    )


async def reports(request: Request) -> Response:
    """The figures of some days by campaign, by day or by both, as a page or as a file."""
    days = days_in(request)
    level = request.query_params.get("level", "CAMPAIGN")
    level = level if level in LEVELS else "CAMPAIGN"
    whole, answer = await asyncio.gather(
        _figures(request, 1, "none"),
        _figures(request, days, "none" if level == "DAY" else "campaign"),
    )
    heading = [*LEVELS[level].replace("day", "Day").split(" and "), *_FIGURES.values()]
    rows = list(_rows(level, answer.json))
    if request.query_params.get("format") == "xlsx":
        name = f"{level.lower().replace('_', '-')}-{days}-days"
        return await workbook_file(name, heading, rows, _AMOUNTS, answer.json["currency"])
    most = len(rows) if asked_for(request) else _MOST_LINES
    of = _named(whole)
    return render(
        request,
        "employer_reports.html",
        client=of,
        days=days,
        level=level,
        levels=LEVELS,
        answer=answer,
        heading=heading,
        texts=len(heading) - len(_FIGURES),
        amounts=_AMOUNTS,
        rows=rows[:most],
        left_out=max(0, len(rows) - most),
        xlsx=asked(request.url.path, {"level": level, "days": days, "format": "xlsx"}),
    )


async def jobs(request: Request) -> Response:
    """Its jobs by clicks or applies, or those with clicks and no apply, page by page."""
    query, page = request.query_params, page_in(request)
    days = days_in(request, MOST_DAYS_OF_STATS)
    show = query.get("show", "all") if query.get("show") in _SHOWN else "all"
    sort = query.get("sort", "clicks") if query.get("sort") in _SORTS else "clicks"
    wish = {"days": days, "show": _SHOWN[show], "sort": sort}
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    if asked_for(request) == "jobs":
        return await figures_file(calls, of, wish, _OF_JOBS)
    on = {"metrics": ",".join(_OF_JOBS), "page": page, "limit": _ON_A_PAGE}
    whole, figures = await asyncio.gather(
        _figures(request, 1, "none"), calls.get(f"{of}/job-figures", wish | on)
    )
    return render(
        request,
        "employer_jobs.html",
        client=_named(whole),
        days=days,
        show=show,
        sort=sort,
        page=page,
        found=figures,
        more=(page + 1) * _ON_A_PAGE < figures.json["total"],
    )


async def _figures(request: Request, days: int, by: str) -> Reply:
    path = at("clients", request.path_params["client_id"], "timeseries")
    wish = {"days": days, "by": by, "metrics": ",".join(_FIGURES)}
    return await calls_of(request).get(path, wish)


def _named(whole: Reply) -> dict[str, str]:
    """The client, as figures of all of it name it."""
    one = whole.json["series"][0]
    return {"id": one["id"], "name": one["name"]}


def _rows(level: str, told: Any) -> Iterator[Row]:
    others = told["others"]
    some = [
        (one["name"] or "No campaign", one)
        for one in told["series"]
        if one["name"] or any(one["total"].values())
    ]
    some += [(counted(others["count"], "other"), others)] if others else []
    for name, one in some:
        if level == "CAMPAIGN":
            yield [name, *_told(one["total"])]
            continue
        on = days_back(told["endDate"], len(one["values"]["spent"]))
        for back, day in enumerate(on, 1):
            figures = {metric: values[-back] for metric, values in one["values"].items()}
            texts: Sequence[str] = (day,) if level == "DAY" else (name, day)
            yield [*texts, *_told(figures)]


def _told(figures: Mapping[str, Any]) -> Iterator[Decimal | int | None]:
    """The figures in their order; none where it is a share of what there was none of."""
    for name in _FIGURES:
        yield None if name in _OF and not figures[_OF[name]] else figures[name]
