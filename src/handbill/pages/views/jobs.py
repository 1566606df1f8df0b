"""The jobs of a client: what each came to, and why it is, or is not, advertised."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Declined, Reply, at
from handbill.pages.exports import asked_for
from handbill.pages.filters import FIELDS, OPERATORS
from handbill.pages.frame import calls_of, render
from handbill.pages.job_files import figures_file, jobs_file, place, state
from handbill.pages.queries import MOST_DAYS_OF_STATS, days_in, page_in
from handbill.pages.rows import PageRow
from handbill.pages.views import employers
from handbill.pages.views.changing import named_client

_ON_A_PAGE = 25
_SHOWN = {
    "all": "ALL",
    "unlisted": "UNLISTED",
    "never": "NEVER_LISTED",
    "spent": "SPENT",
    "no-apply": "NO_APPLY",
}
_IN_BRIEF = frozenset(("all", "unlisted", "never"))
_SORTS = ("added", "title")
_FIGURES = {"spent": "Spend", "clicks": "Clicks", "applies": "Applies", "cpa": "CPA"}
_MOST_CURSOR = 100


async def view(request: Request) -> Response:
    """Jobs some at a time, by age or title; one by its reference; those that no feed lists, or
    never did; or those with figures, the dearest first. As a file: all of them.
    """
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    client = await named_client(request)
    query = request.query_params
    ref = query.get("ref", "").strip()[:500]
    show = query.get("show", "all") if query.get("show") in _SHOWN else "all"
    sort = query.get("sort", "added") if query.get("sort") in _SORTS else "added"
    days, page = days_in(request, MOST_DAYS_OF_STATS), page_in(request)
    jobs = figures = None
    wish: dict[str, Any] = {"show": _SHOWN[show]}
    wish |= {"sort": sort.upper()} if show in _IN_BRIEF else {"days": days}
    if ref:
        jobs = await _one(request, f"{of}{at('jobs', ref)}")
    elif asked_for(request) == "jobs":
        if show in _IN_BRIEF:
            return await jobs_file(calls, of, wish)
        return await figures_file(calls, of, wish, _FIGURES)
    elif show in _IN_BRIEF:
        cursor = query.get("cursor", "")[:_MOST_CURSOR]
        asked = wish | {"limit": _ON_A_PAGE, "cursor": cursor}
        jobs = await calls.get(f"{of}/job-lines", asked)
    else:
        asked = wish | {"metrics": ",".join(_FIGURES), "page": page, "limit": _ON_A_PAGE}
        figures = await calls.get(f"{of}/job-figures", asked)
    return render(
        request,
        "jobs.html",
        client=client,
        of=of,
        ref=ref,
        show=show,
        sort=sort,
        is_brief=bool(ref) or show in _IN_BRIEF,
        days=days,
        page=page,
        found=_listed(jobs),
        next=jobs.json.get("next") if jobs else None,
        replies=[one for one in (jobs, figures) if one],
        figures=figures,
        on_a_page=_ON_A_PAGE,
        place=place,
        state=state,
    )


async def _one(request: Request, path: str) -> Reply | None:
    """The job with a reference; None: there is none."""
    try:
        return await calls_of(request).get(path)
    except Declined as declined:
        if declined.status != 404:
            raise
        return None


def _listed(jobs: Reply | None) -> list[Any]:
    if jobs is None:
        return []
    listed: list[Any] = jobs.json.get("data", [jobs.json])
    return listed


async def why(request: Request) -> Response:
    """Why a job is, or is not, in each publisher's feed; with what would change that."""
    calls, of = calls_of(request), at("clients", request.path_params["client_id"])
    client = await named_client(request)
    job = f"{of}{at('jobs', request.query_params.get('ref', '') or '-')}"
    explained, reply, standing, whole = await asyncio.gather(
        calls.get(f"{job}/explain"),
        calls.get(job),
        calls.get(f"{job}/resolved-status"),
        calls.get(f"{of}/timeseries", {"days": 1}),
    )
    return render(
        request,
        "why.html",
        client=client,
        job=reply.json,
        explained=explained,
        standing=standing,
        currency=whole.json["currency"],
        of=job,
        operators=OPERATORS,
        fields=FIELDS,
        reasons=REASONS,
    )


REASONS = {
    "INVALID": "mandatory fields are missing",
    "EXPIRED": "the job has expired",
    "NO_URL": "the job has no address",
    "NO_GROUP": "no job group takes the job",
    "NOT_TRADING": "the client, campaign or job group is not active",
    "CAPPED": "a cap is used up, or is below the bid",
    "HELD_BY_RULE": "a rule holds it",
    "PUBLISHER_INACTIVE": "the publisher is paused",
    "PUBLISHER_EXCLUDED": "the client excludes this publisher",
    "CLIENT_TYPE": "the publisher takes other kinds of clients",
    "NO_PLACEMENT": "the job group has no placement here",
    "PLACEMENT_INACTIVE": "the placement is paused",
    "NOT_POSTED": "the job is in no posting here",
    "JOB_PAUSED": "the job is paused",
    "JOB_NOT_IN_FORCE": "the job's dates exclude today",
    "JOB_EXCLUDES": "the job's own settings exclude this publisher",
    "NO_BID": "there is no bid",
    "NO_RATE": "there is no exchange rate for its currency",
    "BELOW_MIN_BID": "the bid is below the publisher's minimum",
    "BELOW_UNIT": "the price is below the smallest unit of the currency",
    "THINNED": "a cap allows only a part of the jobs for now; they take turns",
}
PAGES = [
    PageRow(
        "jobs",
        "/clients/{client_id}/jobs",
        view,
        tab="Jobs",
        for_whom="employers",
        of_employers=employers.jobs,
    ),
    PageRow("why", "/clients/{client_id}/jobs/why", why),
]
