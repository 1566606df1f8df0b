"""Figures by day: of all clients of an agency, and of one by what it came from.

**Source**: core.metrics; stats tell the same figures.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from handbill.contract.budget.models import StateInBrief
from handbill.contract.envelopes import Page
from handbill.core.metrics import NAMES, Number, Sums
from handbill.core.pacing.months import MOST_EVIDENCE
from handbill.kit.zones import Period
from handbill.stats import job_figures, overviews
from handbill.stats.job_figures import Show, Sort
from handbill.stats.overviews import By
from handbill.stats.questions import DAYS_KEPT
from handbill.wire.fields import Day, Money, Whole
from handbill.wire.models import Model
from handbill.wire.queries import Paged, Query
from handbill.wire.words import AnyCase

MOST_DAYS: Final = 400
MOST_COMPARED: Final = 200
_MOST_METRICS: Final = 8
_MOST_ALSO: Final = 4
_DAYS: Final = re.compile("[0-9]{1,3}", re.ASCII)
_DEFAULT: Final = ("spent", "clicks", "applies")
_TEXT: Final = ",".join(_DEFAULT)


def _read(text: Any) -> Any:
    """Names apart by commas, each once."""
    if not isinstance(text, str):
        return text
    names = {name.casefold(): name for name in NAMES}
    asked = tuple(dict.fromkeys(names.get(one.strip().casefold()) for one in text.split(",")))
    if None in asked:
        raise ValueError(f"must be names of these, with commas between: {', '.join(NAMES)}")
    if len(asked) > _MOST_METRICS:
        raise ValueError(f"must name at most {_MOST_METRICS}")
    return asked


Metrics = Annotated[
    tuple[str, ...],
    BeforeValidator(_read),
    PlainSerializer(",".join),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 500, "default": _TEXT}),
]
_METRICS: Final = (
    f"Metrics of stats, with commas between, {_MOST_METRICS} at most. Default: {_TEXT}. One of: "
    f"{', '.join(NAMES)}."
)


def _read_days(text: Any) -> Any:
    """Numbers of days apart by commas, each once."""
    if not isinstance(text, str):
        return text
    parts = [one.strip() for one in text.split(",")]
    if not all(_DAYS.fullmatch(one) and 1 <= int(one) <= MOST_COMPARED for one in parts):
        raise ValueError(f"must be whole numbers from 1 to {MOST_COMPARED}, with commas between")
    days = tuple(dict.fromkeys(map(int, parts)))
    if len(days) > _MOST_ALSO:
        raise ValueError(f"must name at most {_MOST_ALSO}")
    return days


OtherDays = Annotated[
    tuple[int, ...],
    BeforeValidator(_read_days),
    PlainSerializer(lambda days: ",".join(map(str, days))),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 100}),
]
Value = Annotated[Any, WithJsonSchema({"type": "number"})]


class OverviewAsked(Paged):
    days: Annotated[int, Whole(1, MOST_COMPARED)] = Field(
        30, description=f"Number of days, today included, 1 to {MOST_COMPARED}. Default: 30."
    )
    metrics: Metrics = Field(_DEFAULT, description=_METRICS)
    also: OtherDays | None = Field(
        None,
        description=f"Also return totals of the last N days, for up to {_MOST_ALSO} values of N "
        f"(1 to {MOST_COMPARED}), separated by commas. Default: none.",
    )


class TimeseriesAsked(Query):
    days: Annotated[int, Whole(1, MOST_DAYS)] = Field(
        30, description=f"Number of days, today included, 1 to {MOST_DAYS}. Default: 30."
    )
    by: Annotated[By, AnyCase()] = Field(
        "none", description="What the figures are grouped by. Default: none, all together."
    )
    metrics: Metrics = Field(
        _DEFAULT, description=f"{_METRICS} By the first one the largest series are chosen."
    )


class BudgetInBrief(Model):
    """A client's own budget cap."""

    period: Period = Field(alias="cap", description="Its period.")
    value: Money = Field(description="Its value.")
    used: Money = Field(description="Used in the period, with markups.")


class MonthInBrief(Model):
    """The current month of a budget beside its plan."""

    used: Money = Field(
        description="Used so far, as budgets count it: with markups, "
        "without what was bought in advance (postings)."
    )
    planned: Money | None = Field(
        description="What the budget cap allows in the whole month, from the client's start date "
        "to its end date: of a daily one, the sum of these days; of a weekly one, as many "
        "sevenths. 0: none of these days is in the month. Null: there is no such cap."
    )
    projected: Money | None = Field(
        description=f"Expected at the end of the month, at the average of the {MOST_EVIDENCE} days "
        "before today, until the client's end date; at most what is planned, or left of a "
        "lifetime budget. Null: no day is over yet. The forecast of a budget, with its range, is "
        "in the client's budget."
    )


class MonthOfAll(MonthInBrief):
    """The month of all clients together. A figure that is null for every client is null."""

    unplanned: int = Field(
        description="Number of clients without a daily, weekly or monthly budget."
    )


class ClientLine(Model):
    """A client in figures."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")
    last_on: Day = Field(alias="endDate", description="Today, in the client's zone: the last day.")
    state: StateInBrief = Field(
        alias="resolvedStatus", description="Its state, in brief. Its resolved-status has all."
    )
    budget: BudgetInBrief | None = Field(description="Its own budget cap. Null: none.")
    month: MonthInBrief = Field(description="This month, by its own budget cap.")
    values: dict[str, list[Value]] = Field(
        description="By metric, the value of each day, oldest first."
    )
    total: dict[str, Value] = Field(description="By metric, the value of all these days.")
    before: dict[str, Value] = Field(description="The same of as many days before them.")


class TotalOfDays(Model):
    """What all clients of the overview came to in their last days."""

    days: int = Field(description="Number of days, today included.")
    total: dict[str, Value] = Field(description="By metric, the value of all these days.")
    before: dict[str, Value] = Field(description="The same of as many days before them.")


class Overview(Page[ClientLine]):
    """Clients of the agency, and all of them together."""

    currency: str = Field(description="Currency of all amounts.")
    total: dict[str, Value] = Field(
        description="By metric, the value of these days of all clients that are not deleted, also "
        "of those on other pages."
    )
    before: dict[str, Value] = Field(description="The same of as many days before them.")
    also: list[TotalOfDays] = Field(
        description="The same as total and before for the other numbers of days that were asked "
        "for, in their order."
    )
    month: MonthOfAll = Field(description="This month of the same clients as total.")


class Series(Model):
    """What came by day of one campaign, job group or publisher."""

    id: str = Field(
        description="Id of the campaign, job group or publisher. Empty: figures of none of them."
    )
    name: str = Field(description="Its name.")
    values: dict[str, list[Value]] = Field(
        description="By metric, the value of each day, oldest first."
    )
    total: dict[str, Value] = Field(description="By metric, the value of all days.")


class Others(Model):
    """All that are not among the 20 largest, added up."""

    count: int = Field(description="How many there are.")
    values: dict[str, list[Value]] = Field(
        description="By metric, the value of each day, oldest first, of all of them together."
    )
    total: dict[str, Value] = Field(
        description="By metric, the value of all days, of all of them together."
    )


class Timeseries(Model):
    """Figures of a client by day."""

    currency: str = Field(description="Currency of all amounts.")
    first_on: Day = Field(alias="startDate", description="First day, in the client's zone.")
    last_on: Day = Field(alias="endDate", description="Last day: today.")
    by: By = Field(description="What the figures are grouped by.")
    series: list[Series] = Field(
        description=f"The {overviews.MOST_SERIES} largest, the largest first."
    )
    others: Others | None = Field(description="All others together. Null: there are none.")


class JobFiguresAsked(Paged):
    days: Annotated[int, Whole(1, DAYS_KEPT)] = Field(
        30, description=f"Number of days, today included, 1 to {DAYS_KEPT}. Default: 30."
    )
    show: Annotated[Show, AnyCase()] = Field(
        "ALL",
        description="ALL: jobs with any event in these days. SPENT: those with spend. NO_APPLY: "
        "those with clicks and no apply. Default: ALL.",
    )
    sort: Annotated[Sort, AnyCase()] = Field(
        "spent", description="The metric by which the largest come first. Default: spent."
    )
    metrics: Metrics = Field(_DEFAULT, description=_METRICS)


class JobLine(Model):
    """A job in figures."""

    id: str = Field(alias="jobId", description="Its id.")
    ref: str = Field(
        alias="refNumber", description="Its reference. Empty: the job is no longer kept."
    )
    title: str = Field(description="Its title. Empty: the job is no longer kept.")
    total: dict[str, Value] = Field(description="By metric, the value of all these days.")


class JobsByFigures(Page[JobLine]):
    """Jobs of a client, the largest first."""

    currency: str = Field(description="Currency of all amounts.")
    first_on: Day = Field(alias="startDate", description="First day, in the client's zone.")
    last_on: Day = Field(alias="endDate", description="Last day: today.")
    count: int = Field(alias="total", description="Number of jobs, also of those on other pages.")


Finishing = Mapping[str, Callable[[Sums], Number]]
"""By metric, what makes it of the raw sums."""


def timeseries_told(found: overviews.Timeseries, by: By, metrics: Finishing) -> Timeseries:
    return Timeseries.of(
        currency=found.currency,
        first_on=found.first.isoformat(),
        last_on=found.last.isoformat(),
        by=by,
        series=[
            Series.of(id=one.id, name=one.name, **_figures(one.days, one.total, metrics))
            for one in found.series
        ],
        others=found.others
        and Others.of(
            count=found.others.many, **_figures(found.others.days, found.others.total, metrics)
        ),
    )


def jobs_told(found: job_figures.JobsByFigures, metrics: Finishing) -> JobsByFigures:
    return JobsByFigures.of(
        rows=[
            JobLine.of(id=one.id, ref=one.ref, title=one.title, total=_named(one.sums, metrics))
            for one in found.jobs
        ],
        currency=found.currency,
        first_on=found.first.isoformat(),
        last_on=found.last.isoformat(),
        count=found.in_all,
    )


def overview_told(found: overviews.Overview, metrics: Finishing) -> Overview:
    totals = [
        TotalOfDays.of(
            days=one.days,
            total=_named(one.total, metrics),
            before=_named(one.before, metrics),
        )
        for one in found.spans
    ]
    return Overview.of(
        rows=[_line(one, metrics) for one in found.lines],
        currency=found.currency,
        total=totals[0].total,
        before=totals[0].before,
        also=totals[1:],
        month=MonthOfAll.of(**found.month._asdict(), unplanned=found.unplanned),
    )


def _line(one: overviews.ClientDays, metrics: Finishing) -> ClientLine:
    cap, used = one.budget or (None, 0)
    return ClientLine.of(
        id=one.client.id,
        name=one.client.body.company_name,
        last_on=one.last.isoformat(),
        state=StateInBrief.of(one.resolved),
        budget=cap and BudgetInBrief.of(period=cap.period, value=cap.value, used=used),
        month=MonthInBrief.of(one.month),
        before=_named(one.before, metrics),
        **_figures(one.days, overviews.summed(one.days), metrics),
    )


def _figures(days: Any, total: Sums, metrics: Finishing) -> dict[str, Any]:
    values = {name: list(map(of, days)) for name, of in metrics.items()}
    return {"values": values, "total": _named(total, metrics)}


def _named(sums: Sums, metrics: Finishing) -> dict[str, Number]:
    return {name: of(sums) for name, of in metrics.items()}
