"""Bars: spend beside its plan, days by series, stages, parts of a whole, runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from handbill.pages.charts.lines import course_marks
from handbill.pages.charts.marks import (
    HIGH,
    WIDE,
    FigureRow,
    Number,
    between,
    box,
    filled,
    joined,
    legend,
    limits,
    part_of,
    patterns,
    picture,
    scale,
    spot,
    tag,
)

_BAR = Decimal("0.8")  # of the width that a day has


@dataclass(frozen=True)
class Bar:
    """One of several. ``label``: its value as text. ``note``: what else is told of it."""

    name: str
    value: Number | None
    label: str
    note: str = ""


@dataclass(frozen=True)
class StripMark:
    """One of a strip. ``state``: good, bad, or open, while it runs."""

    label: str
    state: str


def bullet(
    name: str, title: str, text: str, spent: Number, pace: Number | None, cap: Number | None
) -> Markup:
    """Spend as a bar on the track of its cap, and a mark where it should be by now."""
    _, high = limits([spent, pace, cap])
    body = box(0, 10, WIDE, 80, class_="track")
    if cap is not None:
        body += box(0, 10, spot(part_of(cap, 0, high)), 80, class_="cap")
    kind = "bar over" if cap is not None and spent > cap else "bar"
    body += box(0, 30, spot(part_of(spent, 0, high)), 40, class_=kind)
    if pace is not None:
        body += tag("path", d=f"M{spot(part_of(pace, 0, high))} 0v100", class_="pace")
    return picture(name, title, text, body, kind="bullet")


def stacked(
    name: str,
    title: str,
    text: str,
    days: Sequence[str],
    series: Sequence[FigureRow],
    line: FigureRow | None = None,
    top: str = "",
) -> Markup:
    """Bars of days, stacked by series, and a line across. What is negative hangs below zero.
    ``top``: the greatest value as text.
    """
    ups = [_sum(series, place, 1) for place in range(len(days))]
    downs = [_sum(series, place, -1) for place in range(len(days))]
    low, high = limits([*ups, *downs, *(line.values if line else ())])
    body = patterns(name)
    body += joined(_day(name, place, days, series, (low, high)) for place in range(len(days)))
    zero = HIGH - spot(part_of(0, low, high), HIGH)
    body += tag("path", d=f"M0 {zero}H{WIDE}", class_="zero")
    names = [one.name for one in series]
    if line:
        body += course_marks(line.values, low, high, "plan")
    below = legend(name, names) if len(names) > 1 else Markup("")
    if line:
        below += tag("p", f"The dashed line is {line.name}.", class_="note")
    drawn = picture(name, title, text, body, kind="days")
    return scale(top) + drawn + (between(days[0], days[-1]) if days else "") + below


def _sum(series: Sequence[FigureRow], place: int, sign: int) -> Number:
    values = (one.values[place] for one in series)
    return sum((value for value in values if value is not None and value * sign > 0), 0)


def _day(
    name: str,
    place: int,
    days: Sequence[str],
    series: Sequence[FigureRow],
    ends: tuple[Number, Number],
) -> Markup:
    share = part_of(1, 0, len(days))
    left = spot((place + (1 - _BAR) / 2) * share)
    wide = spot(share * _BAR)
    drawn = []
    tops: dict[bool, Number] = {True: 0, False: 0}
    for number, one in enumerate(series):
        value = one.values[place]
        if not value:
            continue
        is_up = value > 0
        from_, to = sorted((tops[is_up], tops[is_up] + value))
        tops[is_up] += value
        top = HIGH - spot(part_of(to, *ends), HIGH)
        bottom = HIGH - spot(part_of(from_, *ends), HIGH)
        title = f"{days[place]}, {one.name}: {one.label(place)}"
        drawn.append(filled(name, number, left, top, wide, bottom - top, title=title))
    return joined(drawn)


def funnel(name: str, title: str, text: str, stages: Sequence[Bar]) -> Markup:
    """Stages one below the other, each as a part of the greatest."""
    _, high = limits(stage.value for stage in stages)
    rows = [
        tag(
            "li",
            tag("span", stage.name)
            + tag("strong", stage.label)
            + (tag("span", stage.note, class_="note") if stage.note else "")
            + tag(
                "svg",
                _share_of(stage.value, high),
                class_="chart stage",
                viewBox=f"0 0 {WIDE} {HIGH}",
                preserveAspectRatio="none",
                aria_hidden="true",
            ),
        )
        for stage in stages
    ]
    return tag(
        "figure",
        picture(name, title, text, "", kind="unseen") + tag("ol", joined(rows), class_="funnel"),
        class_="funnel",
    )


def _share_of(value: Number | None, high: Number) -> Markup:
    drawn = box(0, 0, WIDE, HIGH, class_="track")
    if value is not None:
        drawn += box(0, 0, spot(part_of(value, 0, high)), HIGH, class_="bar")
    return drawn


def split(name: str, title: str, text: str, parts: Sequence[Bar]) -> Markup:
    """One bar of several parts, with their names and labels below. Negative parts are not drawn."""
    whole = sum((part.value for part in parts if part.value and part.value > 0), 0)
    body = patterns(name) + box(0, 0, WIDE, HIGH, class_="track")
    at: Number = 0
    for place, part in enumerate(parts):
        if part.value is None or part.value <= 0:
            continue
        left, right = spot(part_of(at, 0, whole)), spot(part_of(at + part.value, 0, whole))
        body += filled(name, place, left, 0, right - left, HIGH, title=f"{part.name}: {part.label}")
        at += part.value
    below = legend(name, [part.name for part in parts], [part.label for part in parts])
    return picture(name, title, text, body, kind="split") + below


def strip(name: str, title: str, text: str, runs: Sequence[StripMark]) -> Markup:
    """Runs side by side, the newest at the right: good ones are full, bad ones crossed, open ones a
    line.
    """
    count = max(len(runs), 1)
    drawn = []
    for place, run in enumerate(runs):
        left = spot((place + (1 - _BAR) / 2) * part_of(1, 0, count))
        wide = spot(part_of(1, 0, count) * _BAR)
        top = {"good": 0, "bad": 0}.get(run.state, 90)
        drawn.append(box(left, top, wide, HIGH - top, class_=f"run {run.state}", title=run.label))
        if run.state == "bad":
            path = f"M{left} 0l{wide} {HIGH}M{left} {HIGH}l{wide} -{HIGH}"
            drawn.append(tag("path", d=path, class_="cross"))
    return picture(name, title, text, joined(drawn), kind="strip")
