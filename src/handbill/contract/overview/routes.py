"""Additions to the contract: figures by day, of an agency's clients and of one of them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from handbill.contract.answering import answering_of
from handbill.contract.overview.models import (
    Finishing,
    JobFiguresAsked,
    JobsByFigures,
    Overview,
    OverviewAsked,
    Timeseries,
    TimeseriesAsked,
    jobs_told,
    overview_told,
    timeseries_told,
)
from handbill.core.metrics import (
    COUNTS_FOR_EMPLOYERS,
    FOR_EMPLOYERS,
    LEVELS_FOR_EMPLOYERS,
    finished_as,
    finished_for_employers,
    made_of,
)
from handbill.http.operations import Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.faults import Fault, bad_request
from handbill.stats import job_figures, overviews


def _overview(call: Call) -> Answer:
    asked: OverviewAsked = call.query
    skip, limit = skip_and_limit(call)
    agency_no = call.caller.agency_no
    metrics, only = _finishing(call, {"metrics": FOR_EMPLOYERS}), call.caller.only_clients
    spans, wanted = [asked.days, *(asked.also or ())], _raws(call, asked.metrics)
    figures = overviews.overview(call.tx, agency_no, spans, wanted, skip, limit, call.now, only)
    return with_links(call, overview_told(figures, metrics), figures.clients)


def _timeseries(call: Call) -> Timeseries:
    asked: TimeseriesAsked = call.query
    open_to = {"metrics": FOR_EMPLOYERS, "by": LEVELS_FOR_EMPLOYERS}
    metrics, largest_by = _finishing(call, open_to), asked.metrics[0]
    if call.caller.only_clients is not None and "spent" in made_of(largest_by):
        largest_by = "markedUpSpent"  # the order tells nothing else either
    series = overviews.timeseries(call.tx, call.client, asked.days, asked.by, largest_by, call.now)
    return timeseries_told(series, asked.by, metrics)


def _jobs(call: Call) -> Answer:
    asked: JobFiguresAsked = call.query
    skip, limit = skip_and_limit(call)
    metrics = _finishing(call, _OF_JOBS)
    figures = job_figures.jobs_by_figures(
        call.tx,
        answering_of(call),
        call.client,
        asked.days,
        asked.show,
        asked.sort,
        _raws(call, asked.metrics),
        skip,
        limit,
        call.now,
    )
    return with_links(call, jobs_told(figures, metrics), figures.in_all)


def _finishing(call: Call, open_to: Mapping[str, Collection[str]]) -> Finishing:
    """How each metric is made that is asked for. ``open_to``: by parameter, what an employer may
    ask for. **Refuses** (400) to an employer what is not.
    """
    asked: tuple[str, ...] = call.query.metrics
    if call.caller.only_clients is None:
        return {name: finished_as(name) for name in asked}
    faults = [
        Fault(f"/{name}", f"an EMPLOYER may ask for these: {', '.join(sorted(some))}")
        for name, some in open_to.items()
        if not _several(getattr(call.query, name)).issubset(some)
    ]
    if faults:
        raise bad_request(faults)
    return {name: finished_for_employers(name) for name in asked}


def _raws(call: Call, metrics: Iterable[str]) -> frozenset[str]:
    """The raw sums that these metrics are made of; for an employer, spend is the marked-up one."""
    raws: frozenset[str] = frozenset().union(*map(made_of, metrics))
    return raws if call.caller.only_clients is None else raws | {"markedUpSpent"}


def _several(value: str | tuple[str, ...]) -> set[str]:
    return {value} if isinstance(value, str) else {*value}


_OF_JOBS: Final[Mapping[str, Collection[str]]] = {
    "metrics": COUNTS_FOR_EMPLOYERS,
    "show": frozenset(("ALL", "NO_APPLY")),
    "sort": frozenset(("clicks", "applies")),
}
"""What an employer may ask about jobs."""
_FIGURES: Final[dict[str, Any]] = {
    "values": {"spent": [12.5, 14.25], "clicks": [25, 28], "applies": [2, 3]},
    "total": {"spent": 26.75, "clicks": 53, "applies": 5},
}
_BEFORE: Final = {"spent": 22.5, "clicks": 45, "applies": 4}
_MONTH: Final = {"used": 610.5, "planned": 900, "projected": 840}
_CURRENT: Final = (
    "The figures are those of stats, kept by day as clicks are judged: a few seconds behind."
)
OPERATIONS: Final = [
    Operation(
        name="get_overview",
        verb="GET",
        path="/overview",
        title="Get figures of all clients.",
        about="The agency's clients, oldest first, each with its figures of the last days, those "
        f"of as many days before, its state and its own budget cap. {_CURRENT}",
        work=_overview,
        open_to="employer",
        lane="slow",
        query=OverviewAsked,
        answer=Overview,
        sample_answer={
            "data": [
                {
                    "id": "40194b3f-7b49-41e8-b235-4d93a50330f3",
                    "name": "External API-789",
                    "endDate": "11/22/2019",
                    "resolvedStatus": {
                        "status": "ACTIVE",
                        "description": "trades",
                        "delivery": "PACED",
                    },
                    "budget": {"cap": "Monthly", "value": 900, "used": 610.5},
                    "month": _MONTH,
                    **_FIGURES,
                    "before": _BEFORE,
                }
            ],
            "currency": "USD",
            "total": _FIGURES["total"],
            "before": _BEFORE,
            "also": [{"days": 7, "total": _FIGURES["total"], "before": _BEFORE}],
            "month": {**_MONTH, "unplanned": 0},
        },
    ),
    Operation(
        name="get_timeseries",
        verb="GET",
        path="/clients/{client_id}/timeseries",
        title="Get figures of a client by day.",
        about="What came on each of the last days, as a whole or by campaign, job group or "
        f"publisher. {_CURRENT} An EMPLOYER sees marked-up spend, as a whole or by campaign.",
        work=_timeseries,
        open_to="employer",
        lane="slow",
        query=TimeseriesAsked,
        answer=Timeseries,
        sample_answer={
            "currency": "USD",
            "startDate": "11/21/2019",
            "endDate": "11/22/2019",
            "by": "publisher",
            "series": [{"id": "TestExp1", "name": "Test Exp 1", **_FIGURES}],
            "others": None,
        },
    ),
    Operation(
        name="list_job_figures",
        verb="GET",
        path="/clients/{client_id}/job-figures",
        title="List jobs by their figures.",
        about="The client's jobs with any event in the last days, the largest first: where the "
        "money goes, or which jobs have clicks and no apply. The figures are those of stats. An "
        "EMPLOYER asks for counts alone, such as metrics=clicks,applies&sort=clicks.",
        work=_jobs,
        open_to="employer",
        lane="slow",
        query=JobFiguresAsked,
        answer=JobsByFigures,
        sample_answer={
            "data": [
                {
                    "jobId": "5d41402abc4b2a76b9719d911017c592",
                    "refNumber": "NURSE-17",
                    "title": "Nurse",
                    "total": _FIGURES["total"],
                }
            ],
            "currency": "USD",
            "startDate": "11/21/2019",
            "endDate": "11/22/2019",
            "total": 1,
        },
    ),
]
