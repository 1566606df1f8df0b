"""Points by two figures, sized by a third: what an apply costs beside how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from handbill.pages.charts.marks import Number, joined, limits, part_of, picture, spot, tag

_WIDE, _HIGH = 360, 240
_LEFT, _TOP, _RIGHT, _BOTTOM = 14, 22, 90, 26
_LEAST, _MOST = Decimal(4), 16
_LETTERS = 14


@dataclass(frozen=True)
class Point:
    """``x``, ``y``: where it stands; without one of them it is not drawn. ``size``: what its area
    shows. ``label``: all three as text.
    """

    name: str
    x: Number | None
    y: Number | None
    size: Number | None
    label: str


def scatter(
    name: str,
    title: str,
    text: str,
    points: Sequence[Point],
    axes: tuple[str, str],
) -> Markup:
    """Points with their names. ``axes``: what each axis shows, with the unit."""
    shown = [point for point in points if point.x is not None and point.y is not None]
    ends_x = limits(point.x for point in shown)
    ends_y = limits(point.y for point in shown)
    _, largest = limits(point.size for point in shown)
    right, bottom = _WIDE - _RIGHT, _HIGH - _BOTTOM
    body = tag("path", d=f"M{_LEFT} {_TOP}V{bottom}H{_WIDE - _LEFT}", class_="zero")
    body += tag("text", axes[1], x=_LEFT, y=12)
    body += tag("text", axes[0], x=_WIDE - _LEFT, y=_HIGH - 8, class_="end")
    drawn = []
    for point in sorted(shown, key=lambda one: -(one.size or 0)):
        assert point.x is not None, "only points that stand somewhere are shown"
        assert point.y is not None, "only points that stand somewhere are shown"
        x = _LEFT + spot(part_of(point.x, *ends_x), right - _LEFT)
        y = bottom - spot(part_of(point.y, *ends_y), bottom - _TOP)
        area = part_of(point.size or 0, 0, largest)
        radius = max(spot(area.sqrt(), _MOST), _LEAST)
        circle = tag("circle", tag("title", point.label), cx=x, cy=y, r=radius, class_="point")
        short = point.name if len(point.name) <= _LETTERS else f"{point.name[: _LETTERS - 1]}…"
        drawn.append(circle + tag("text", short, x=x + radius + 3, y=y + 4))
    body += joined(drawn)
    return picture(name, title, text, body, kind="scatter", wide=_WIDE, high=_HIGH)
