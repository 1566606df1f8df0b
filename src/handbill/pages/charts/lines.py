"""Lines: a small course, a course of days, and what was in force since when."""

from collections.abc import Sequence

from markupsafe import Markup

from handbill.pages.charts.marks import (
    HIGH,
    WIDE,
    FigureRow,
    Number,
    between,
    joined,
    limits,
    part_of,
    picture,
    runs_of,
    scale,
    spot,
    tag,
)


def course_marks(
    values: Sequence[Number | None], low: Number, high: Number, kind: str = "line"
) -> Markup:
    """A line through the values, each in the middle of its share of the width; a dot where a value
    has no neighbour.
    """
    count = max(len(values), 1)
    drawn = []
    for run in runs_of(values):
        points = []
        for place in run:
            value = values[place]
            assert value is not None, "a run has values"
            x = spot(part_of(2 * place + 1, 0, 2 * count))
            points.append(f"{x} {HIGH - spot(part_of(value, low, high), HIGH)}")
        path = f"M{points[0]}h0" if len(points) == 1 else "M" + "L".join(points)
        drawn.append(tag("path", d=path, class_=kind if len(points) > 1 else f"{kind} dot"))
    return joined(drawn)


def sparkline(name: str, title: str, text: str, values: Sequence[Number | None]) -> Markup:
    """A small line without axes, from zero to the greatest value."""
    low, high = limits(values)
    return picture(name, title, text, course_marks(values, low, high), kind="spark")


def days_line(
    name: str, title: str, text: str, days: Sequence[str], series: FigureRow, top: str = ""
) -> Markup:
    """A line of one figure over days, with both ends of the axis labelled. ``top``: the greatest
    value as text.
    """
    low, high = limits(series.values)
    body = tag("path", d=f"M0 {HIGH}H{WIDE}", class_="zero") if low == 0 else Markup("")
    body += course_marks(series.values, low, high)
    body += joined(
        tag(
            "rect",
            tag("title", f"{day}: {series.label(place)}"),
            x=spot(part_of(place, 0, len(days))),
            y=0,
            width=spot(part_of(1, 0, len(days))),
            height=HIGH,
            class_="touch",
        )
        for place, day in enumerate(days)
    )
    drawn = scale(top) + picture(name, title, text, body, kind="days low")
    return drawn + between(days[0], days[-1]) if days else drawn


def steps(
    name: str,
    title: str,
    text: str,
    points: Sequence[tuple[int, Number | None]],
    ends: tuple[int, int],
    labels: tuple[str, str],
    top: str = "",
) -> Markup:
    """What was in force since when, as steps. ``points``: an instant and the value from then on,
    in order; None: nothing was. ``ends``: the first and last instant of the axis.
    ``top``: the greatest value as text.
    """
    low, high = limits(value for _, value in points)
    drawn = []
    for place, (since, value) in enumerate(points):
        until = points[place + 1][0] if place + 1 < len(points) else ends[1]
        if value is None or until < ends[0] or since > ends[1]:
            continue
        left, right = (spot(part_of(min(one, ends[1]), *ends)) for one in (since, until))
        level = HIGH - spot(part_of(value, low, high), HIGH)
        drawn.append(f"M{left} {level}H{right}")
        after = points[place + 1][1] if place + 1 < len(points) else None
        if after is not None and until <= ends[1]:
            drawn.append(f"V{HIGH - spot(part_of(after, low, high), HIGH)}")
    body = tag("path", d="".join(drawn), class_="line") if drawn else ""
    whole = picture(name, title, text, body, kind="days low")
    return scale(top) + whole + between(*labels)
