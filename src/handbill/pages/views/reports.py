"""Reports: a question about days and levels, whose address is the question; saved questions, and
what a link to one shows.
"""

from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.amounts import plain_number
from handbill.pages.calls import Declined, Reply, asked, at
from handbill.pages.exports import asked_for
from handbill.pages.forms import Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.queries import MOST_DAYS_OF_STATS, days_in
from handbill.pages.rows import PageRow
from handbill.pages.views import employers
from handbill.pages.views.changing import named_client
from handbill.pages.views.jobgroups import TooMany, lines_of, stats
from handbill.pages.wording import counted
from handbill.pages.workbooks import workbook_file

LEVELS = {"CLIENT": "Client", "CAMPAIGN": "Campaign", "JOBGROUP": "Job group", "JOB": "Job"}
_NAMES = {"CLIENT": "client", "CAMPAIGN": "campaign", "JOBGROUP": "jobGroup", "JOB": "job"}
_FIGURES = {
    "spent": "Spend",
    "clicks": "Clicks",
    "applyStarts": "Starts",
    "applies": "Applies",
    "hires": "Hires",
    "cpc": "CPC",
    "cpa": "CPA",
}
_AMOUNTS = frozenset({"Spend", "CPC", "CPA"})
_PRICES = {"cpc": "clicks", "cpa": "applies"}
_UNTRACED = {"x-robots-tag": "noindex, nofollow", "referrer-policy": "no-referrer"}
"""No search engine keeps the address, which is the secret, and no other site learns it."""
_MOST_LINES = 500
_SAVED = 100
_TOLD_BY = {"CLIENT": "none", "CAMPAIGN": "campaign", "JOBGROUP": "jobgroup"}
_LEVEL_OF = {by: level for level, by in _TOLD_BY.items()}
_OF_NOTHING = {
    "none": "client",
    "campaign": "campaign",
    "jobgroup": "job group",
    "publisher": "publisher",
}
_DONE = {
    "save": "The question is saved.",
    "end": "The link has ended.",
    "delete": "The question is deleted.",
}


async def view(
    request: Request, form: Form | None = None, link: Any = None, status: int = 200
) -> Response:
    """The question of the query and its answer, as a page or as a file. ``link``: as it was made,
    which is shown only now.
    """
    client = await named_client(request)
    level = request.query_params.get("level", "CAMPAIGN")
    level = level if level in LEVELS else "CAMPAIGN"
    days = days_in(request, MOST_DAYS_OF_STATS)
    of = at("clients", client["id"])
    whole = await calls_of(request).get(f"{of}/timeseries", {"days": 1})
    answer = await stats(request, days, whole.json["endDate"], {}, level)
    try:
        lines = told_lines(answer, level)
    except TooMany:
        lines = None
    file, name = request.query_params.get("format"), f"{_NAMES[level]}-{days}-days"
    if lines is not None and file == "xlsx":
        currency = whole.json["currency"]
        return await workbook_file(name, _heading(level), _rows(lines, level), _AMOUNTS, currency)
    most = len(lines or ()) if asked_for(request) else _MOST_LINES
    return render(
        request,
        "reports.html",
        status,
        client=client,
        form=form or Form(),
        link=link,
        saved=await calls_of(request).get(f"{of}/report-questions", {"page": 0, "limit": _SAVED}),
        told_by=_TOLD_BY,
        level_of=_LEVEL_OF,
        change_to=f"/app{of}/reports/questions",
        level=level,
        levels=LEVELS,
        days=days,
        answer=answer,
        heading=_heading(level),
        amounts=_AMOUNTS,
        rows=_rows(lines[:most], level) if lines is not None else None,
        left_out=max(0, len(lines) - most) if lines is not None else 0,
        currency=whole.json["currency"],
        xlsx=asked(f"/app{of}/reports", {"level": level, "days": days, "format": "xlsx"}),
    )


async def change(request: Request) -> Response:
    """Save, share or delete a question, or end its link."""
    calls, fields = calls_of(request), visit_of(request).fields
    page = at("clients", (await named_client(request))["id"])
    every, act = f"{page}/report-questions", fields.get("act", "")
    one = every + at(fields.get("of", ""))
    try:
        if act == "save":
            asked = {"name": fields.get("name", ""), "by": fields.get("by", "")}
            await calls.ask("POST", every, asked | {"days": plain_number(fields.get("days", ""))})
        elif act == "share":
            wish = {"days": plain_number(fields.get("last", ""))}
            made = await calls.ask("POST", f"{one}/link", wish)
            return await view(request, link=made.json)
        elif act == "end":
            await calls.ask("DELETE", f"{one}/link")
        elif act == "delete":
            await calls.ask("DELETE", one)
    except Declined as declined:
        if declined.status != 400:
            raise
        names = {"/days": "last"} if act == "share" else {}
        return await view(request, Form.declined(dict(fields), declined, names), status=400)
    return leave(request, f"/app{page}/reports", _DONE.get(act, "Nothing was changed."))


async def shared(request: Request) -> Response:
    """The answer that a link shares, for anybody who has it."""
    answer = await calls_of(request).get(at("shared-reports", request.path_params["link"]))
    response = render(request, "shared.html", found=answer, rows=shared_rows(answer.json["answer"]))
    response.headers.update(_UNTRACED)
    return response


def shared_rows(answer: Any) -> list[tuple[str, Any]]:
    """What a link shows, each with its name; what belongs to nothing only where it has figures."""
    none = f"No {_OF_NOTHING[answer['by']]}"
    named = [one for one in answer["series"] if one["name"] or any(one["total"].values())]
    others = [answer["others"]] if answer["others"] else []
    rows = [(one["name"] or none, one) for one in named]
    return rows + [(counted(one["count"], "other"), one) for one in others]


def told_lines(answer: Reply, level: str) -> list[Any]:
    """The lines that say anything; jobs by spend, as a page shows only the first. **Refuses**
    (TooMany) more than a page can show.
    """
    lines = [one for one in lines_of(answer) if is_told(one, _NAMES[level])]
    return sorted(lines, key=_rank) if level == "JOB" else lines


def is_told(line: Any, name: str) -> bool:
    """Whether a line says anything: what belongs to nothing is left out without figures."""
    owner = line.get("publisherId", line.get(f"{name}Id"))
    return bool(owner or any(map(line.get, _FIGURES)))


def _rank(line: Any) -> tuple[Any, ...]:
    return (-line["spent"], -line["clicks"], line["refNumber"])


def _heading(level: str) -> list[str]:
    return [LEVELS[level], "Reference" if level == "JOB" else "Publisher", *_FIGURES.values()]


def _rows(lines: list[Any], level: str) -> list[list[str | Decimal | int | None]]:
    """The lines as the heading names them; a line without a publisher has none in the answer."""
    name = _NAMES[level]
    rows = []
    for line in lines:
        of = line["refNumber"] or "–" if level == "JOB" else _text(line, "publisher")
        rows.append([_text(line, name), of, *(_figure(line, figure) for figure in _FIGURES)])
    return rows


def _figure(line: Any, figure: str) -> Decimal | int | None:
    """A figure; none where it is a price of what there was none of."""
    of = _PRICES.get(figure)
    return None if of and not line.get(of) else line.get(figure)


def _text(line: Any, name: str) -> str:
    text = line.get("jobTitle" if name == "job" else f"{name}Name") or line.get(f"{name}Id")
    return str(text or f"No {LEVELS.get(name.upper(), name).lower()}")


PAGES = [
    PageRow(
        "reports",
        "/clients/{client_id}/reports",
        view,
        tab="Reports",
        for_whom="employers",
        of_employers=employers.reports,
    ),
    PageRow("questions", "/clients/{client_id}/reports/questions", change, ("POST",)),
    PageRow("shared", "/shared/{link}", shared, is_public=True),
]
