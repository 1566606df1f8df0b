"""What all charts share: escaped tags, scales, the frame of a picture, legends."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from markupsafe import Markup, escape

Number = int | Decimal
WIDE = 1000
HIGH = 100
KINDS = 6  # of fillings; further series share the last one
_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_PLACES = Decimal("0.1")
_DIGITS = 1_000_000  # of an exponent, so that no number is too large for a scale


@dataclass(frozen=True)
class FigureRow:
    """A row of figures. ``labels``: each value as text, told where a pointer rests."""

    name: str
    values: Sequence[Number | None]
    labels: Sequence[str] = ()

    def label(self, place: int) -> str:
        """What is told of one value."""
        if place < len(self.labels):
            return self.labels[place]
        value = self.values[place]
        return "none" if value is None else str(value)


def tag(kind: str, inside: Any = "", /, **attributes: Any) -> Markup:
    """An element. All texts are escaped; an attribute that is None is left out. Names are written
    with _ for - and a last _ for those that Python has taken.
    """
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    # Markup.format would do the same, at ten times the cost: a page has a thousand elements.
    return Markup(f"<{kind}{named}>{escape(inside)}</{kind}>")  # noqa: S704 - all is escaped above


def joined(parts: Iterable[Any]) -> Markup:
    """Parts one after the other."""
    return Markup("").join(parts)


def part_of(value: Number, low: Number, high: Number) -> Decimal:
    """Where a value stands between two others: 0 to 1. Half of the way where these are equal."""
    with localcontext(Emax=_DIGITS, Emin=-_DIGITS):
        whole = Decimal(high) - Decimal(low)
        part = (Decimal(value) - Decimal(low)) / whole if whole else Decimal("0.5")
    return min(max(part, Decimal(0)), Decimal(1))


def spot(part: Decimal, length: int = WIDE) -> Decimal:
    """A part of a length, to a tenth of a unit."""
    return (part * length).quantize(_PLACES)


def limits(values: Iterable[Number | None]) -> tuple[Number, Number]:
    """The least and the greatest of the values and zero; 0 to 1 where all are zero."""
    known = [value for value in values if value is not None]
    low, high = min([0, *known]), max([0, *known])
    return low, high if low != high else 1


def runs_of(values: Sequence[Number | None]) -> list[list[int]]:
    """The places of the values, apart where one is missing."""
    runs: list[list[int]] = [[]]
    for place, value in enumerate(values):
        if value is not None:
            runs[-1].append(place)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def picture(
    name: str, title: str, text: str, body: Any, *, kind: str, wide: int = WIDE, high: int = HIGH
) -> Markup:
    """An SVG with a title and a description. ``name``: its id, unique on the page. It is stretched
    to the room that it has; ``kind``: a class by which the style sheet sizes it.

    **Refuses** (ValueError) a name that is no id.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"no id: {name!r}")
    caption = tag("title", title, id=f"{name}-title") + tag("desc", text, id=f"{name}-text")
    return tag(
        "svg",
        caption + joined([body]),
        class_=f"chart {kind}",
        role="img",
        aria_labelledby=f"{name}-title {name}-text",
        viewBox=f"0 0 {wide} {high}",
        preserveAspectRatio="none" if wide == WIDE else None,
    )


def box(
    x: Decimal | int, y: Decimal | int, wide: Decimal | int, high: Decimal | int, **more: Any
) -> Markup:
    """A rectangle. ``title``: what is told where a pointer rests on it."""
    title = more.pop("title", "")
    return tag(
        "rect", tag("title", title) if title else "", x=x, y=y, width=wide, height=high, **more
    )


def filling(place: int) -> int:
    """Which of the fillings a series has."""
    return min(place, KINDS - 1)


def patterns(name: str) -> Markup:
    """Lines and dots that lie over colours, so that no series is known by its colour alone."""
    drawn = ["M0 2h12", "M0 1h12M0 4h12", "M3 0v6M9 0v6", "M3 3h.1M9 3h.1", "M0 3h12M6 0v6"]
    return tag(
        "defs",
        joined(
            tag(
                "pattern",
                tag("path", d=path, class_="hatch"),
                id=f"{name}-{number}",
                patternUnits="userSpaceOnUse",
                width=12,
                height=6,
            )
            for number, path in enumerate(drawn, 1)
        ),
    )


def filled(name: str, place: int, *at: Decimal | int, title: str = "") -> Markup:
    """A rectangle of a series: its colour, and its pattern above."""
    number = filling(place)
    drawn = box(*at, class_=f"fill fill-{number}", title=title)
    if number:
        drawn += box(*at, fill=f"url(#{name}-{number})", class_="over")
    return drawn


def legend(name: str, names: Sequence[str], values: Sequence[str] = ()) -> Markup:
    """The names of series beside their fillings, and what is told of each."""
    lines = [
        tag(
            "li",
            tag(
                "svg",
                filled(name, place, 0, 0, 24, 12),
                class_="swatch",
                viewBox="0 0 24 12",
                aria_hidden="true",
            )
            + Markup(" {}").format(one)
            + (tag("strong", values[place]) if place < len(values) else ""),
        )
        for place, one in enumerate(names)
    ]
    return tag("ul", joined(lines), class_="legend")


def scale(top: str) -> Markup:
    """The value at the top of a picture; none where it is empty."""
    return tag("p", tag("span", top), class_="axis peak", aria_hidden="true") if top else Markup("")


def between(first: str, last: str) -> Markup:
    """The labels of both ends of an axis."""
    return tag("p", tag("span", first) + tag("span", last), class_="axis", aria_hidden="true")
