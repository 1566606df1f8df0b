"""Pictures of what the API answers: which figures, in which order, with which words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from handbill.pages.charts.bars import Bar, StripMark, bullet, funnel, split, stacked, strip
from handbill.pages.charts.lines import days_line, sparkline, steps
from handbill.pages.charts.marks import FigureRow, Number
from handbill.pages.charts.scatter import Point, scatter
from handbill.pages.charts.sentences import of_classes, of_costs, of_days, of_runs, of_stages
from handbill.pages.wording import (
    CLICK_CLASSES,
    counted,
    course_of,
    day_of,
    days_back,
    instant,
    money,
    number,
    percent,
    share,
    when,
)

_MOST_STEPS = 6
_STATES = {"SUCCESS": "good", "FAILED": "bad"}
_STAGES = {
    "clicks": "clicks",
    "applyStarts": "apply starts",
    "applies": "applies",
    "hires": "hires",
}


def small_course(place: int, line: Any, currency: str) -> Markup:
    """The spend of a client in the last days, as a small line."""
    values = line["values"]["spent"]
    text = f"{money(line['total']['spent'], currency)} in {counted(len(values), 'day')}."
    return sparkline(f"spend-{place}", f"Spend of {line['name']}", text, values)


def of_budget(place: int, line: Any, over: int | None) -> Markup:
    """How much of a client's budget is used, in percent. ``over``: of its days, likewise."""
    used = share(line["budget"]["used"], line["budget"]["value"]) or 0
    text = f"{percent(used, 0)} of the budget is used."
    text += f" {over} % of the month is over." if over is not None else ""
    return bullet(f"budget-{place}", f"Budget of {line['name']}", text, used, over, 100)


def _series(name: str, values: Sequence[Any], currency: str = "") -> FigureRow:
    """``currency``: of amounts; empty for counts."""
    labels = [money(value, currency) if currency else number(value) for value in values]
    return FigureRow(name, values, labels)


def spend_by_day(
    publishers: Any, whole: Any, cap: Any, nameless: str = "No publisher"
) -> tuple[Markup, str]:
    """Spend of each day by publisher with what the budget has for a day, and a sentence about it.
    ``whole``: the same days of all publishers together. ``nameless``: what is of none. Without
    spend there is no picture.
    """
    currency, series = publishers["currency"], publishers["series"]
    count = len(series[0]["values"]["spent"]) if series else 0
    on = _days(publishers, count)
    text = course_of(cap) if cap else "There is no budget to compare with."
    level, name = _of_a_day(cap) if cap else (None, "")
    line = None if level is None else _series(f"{name}, {money(level, currency)}", [level] * count)
    drawn = [
        _series(one["name"] or nameless, one["values"]["spent"], currency)
        for one in series
        if one["total"]["spent"]
    ]
    if not drawn:
        return Markup(""), f"Nothing was spent in these days. {text}"
    top = max([*whole["series"][0]["values"]["spent"], level or 0])
    high = f"{money(top, currency)} a day"
    return stacked("spend", "Spend by day", text, on, drawn, line, high), text


def _of_a_day(cap: Any) -> tuple[Number | None, str]:
    """What a budget has for a day, and what that is. None: it has no end."""
    if cap["share"] is not None:
        return cap["share"], "today's share of the budget"
    if cap["endDate"] is None:
        return None, ""
    days = (day_of(cap["endDate"]) - day_of(cap["startDate"])).days + 1
    return Decimal(cap["value"]) / days, "a day's part of the budget"


def _days(told: Any, count: int) -> list[str]:
    return days_back(told["endDate"], count)[::-1] if count else []


def course(name: str, title: str, whole: Any, metric: str, currency: str = "") -> Markup:
    """A figure of a client by day, with its sentence."""
    values = whole["series"][0]["values"]
    shown = [
        value if metric != "cpa" or applies else None
        for value, applies in zip(values[metric], values["applies"], strict=True)
    ]
    on, series = _days(whole, len(shown)), _series(title, shown, currency)
    text = of_days(on, series)
    note = Markup('<p class="note">{}</p>').format(text)
    if not any(shown):
        return note
    top = shown.index(max(value for value in shown if value is not None))
    return days_line(name, title, text, on, series, series.label(top)) + note


def bid_courses(bids: Sequence[Any], currency: str) -> list[tuple[str, Markup]]:
    """The bid in force at each publisher over time, of the publishers whose bids changed last."""
    if not bids:
        return []
    of: dict[str, list[tuple[int, Any]]] = {}
    for one in bids:
        of.setdefault(one["publisherId"], []).insert(0, (_seconds(one["at"]), one["bid"]))
    ends = _seconds(bids[-1]["at"]), _seconds(bids[0]["at"])
    labels = when(bids[-1]["at"]), when(bids[0]["at"])
    return [
        (name, _bid_course(f"bid-{place}", name, points, ends, labels, currency))
        for place, (name, points) in enumerate(list(of.items())[:_MOST_STEPS])
        if len(points) > 1
    ]


def _bid_course(
    id_: str,
    name: str,
    points: Sequence[tuple[int, Any]],
    ends: tuple[int, int],
    labels: tuple[str, str],
    currency: str,
) -> Markup:
    last_at, last = points[-1]
    text = f"{counted(len(points), 'change')}. Since {instant(last_at * 1_000_000)}"
    text += f" the bid is {money(last, currency)}."
    top = money(max(value for _, value in points), currency)
    drawn = steps(id_, f"Bid at {name}", text, points, ends, labels, top)
    return drawn + Markup('<p class="note">{}</p>').format(text)


def _seconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp())


def cost_beside_volume(funnels: Any) -> Markup:
    """What an apply costs at each publisher, beside how many there are; the area shows spend."""
    currency = funnels["currency"]
    points = []
    for one in funnels["series"]:
        total = one["total"]
        if total["applies"]:
            label = f"{one['name']}: {counted(total['applies'], 'apply', 'applies')} at "
            label += f"{money(total['cpa'], currency)}, {money(total['spent'], currency)} in all"
            name = one["name"] or "No publisher"
            points.append(Point(name, total["applies"], total["cpa"], total["spent"], label))
    if not points:
        return Markup("")
    text = of_costs([(one.name, one.y) for one in points], currency)
    most = number(max(point.x for point in points if point.x is not None))
    dearest = money(max(one["total"]["cpa"] or 0 for one in funnels["series"]), currency)
    axes = (f"Applies, 0 to {most}", f"Cost per apply, up to {dearest}")
    drawn = scatter("cost", "Cost per apply beside applies", text, points, axes)
    return Markup("<div>{}<p>{}</p></div>").format(drawn, text)


def stages(total: Mapping[str, Any]) -> tuple[Markup, str]:
    """From click to hire, and a sentence about it."""
    bars = [Bar(name, total[metric], number(total[metric])) for metric, name in _STAGES.items()]
    text = of_stages(bars)
    if not any(bar.value for bar in bars):
        return Markup(""), text
    return funnel("stages", "From click to hire", text, bars), text


def classes(total: Mapping[str, Any]) -> Markup:
    """What clicks were."""
    bars = [
        Bar(name, total[metric], number(total[metric])) for metric, name in CLICK_CLASSES.items()
    ]
    if not any(bar.value for bar in bars):
        return Markup("<p>No clicks have come in these days.</p>")
    text = of_classes(bars)
    drawn = split("classes", "What clicks were", text, bars)
    return drawn + Markup("<p>{}</p>").format(text)


def runs_strip(place: int, source: str, runs: Sequence[Any]) -> tuple[Markup, str]:
    """The last runs of a feed, the newest at the right, and a sentence about them."""
    drawn = [
        StripMark(
            f"{when(one['createdOn'])}: {one['status'].lower()}", _STATES.get(one["status"], "open")
        )
        for one in reversed(runs)
    ]
    text = of_runs(drawn)
    return strip(f"runs-{place}", f"Runs of {source}", text, drawn), text
