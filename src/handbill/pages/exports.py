"""What a panel shows, as a file: its tables and tiles, by the page's filters, with exact figures.

A page is made as for a browser, but its figures are written exactly; the file is read from it. So
a table and its file cannot differ.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from lxml import html
from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.csvs import csv_file
from handbill.pages.wording import moment

ASKED: Final = "csv"
"""The parameter that names the panel, and the part of it after a dot where it has several."""
_NAME: Final = re.compile(r"([a-z][a-z0-9-]{0,60})(?:\.([1-9]))?", re.ASCII)
_PARTS: Final = re.compile(r'<caption[^>]*>(.*?)</caption>|<dl class="(tiles)">', re.DOTALL)
_UNSAID: Final = frozenset(("svg", "button", "details", "option"))
_NONE: Final = frozenset(("–", "-"))
_DECIMALS: Final = Decimal("0.000001")
_OF_TILES: Final = ("Figure", "Value", "Note")


class ExportedPart(NamedTuple):
    """A table of a panel. ``title``: what tells it from the others; empty for a single one."""

    name: str
    title: str


def asked_for(request: Request) -> str:
    """The name of what is asked for as a file; empty: a page is asked for."""
    is_one = request.method in {"GET", "HEAD"}
    return request.query_params.get(ASKED, "") if is_one else ""


def parts_of(panel: str, inside: str) -> list[ExportedPart]:
    """The parts of a panel that can be had as files. ``inside``: its markup."""
    titles = ["figures" if tiles else title for title, tiles in _PARTS.findall(inside)]
    if len(titles) == 1:
        return [ExportedPart(panel, "")]
    return [ExportedPart(f"{panel}.{place}", title) for place, title in enumerate(titles, 1)]


def file_of(page: str, name: str) -> Response | None:
    """A part of a page as a download; None: the page has no such part."""
    named = _NAME.fullmatch(name)
    if named is None:
        return None
    tree, place = html.document_fromstring(page), int(named[2] or 1)
    for panel in tree.iter("section"):
        if panel.get("aria-labelledby") == named[1]:
            parts = [one for one in panel.iter("table", "dl") if _is_part(one)]
            if place <= len(parts):
                heading, *lines = _lines(parts[place - 1])
                return csv_file(name.replace(".", "-"), heading, lines)
    return None


def _is_part(one: html.HtmlElement) -> bool:
    return bool(one.tag == "table" or one.get("class") == "tiles")


def _lines(part: html.HtmlElement) -> Iterator[Sequence[str]]:
    if part.tag == "dl":
        yield _OF_TILES
        for tile in part.iter("div"):
            yield [_said(one) for one in (*tile.iter("dt"), *tile.iter("strong"), *_notes(tile))]
        return
    heads = list(part.iter("th"))
    shown = [head for head in heads if head.get("scope") == "col"]
    kept = [place for place, head in enumerate(shown) if _is_told(head)]
    yield [_said(shown[place]) for place in kept]
    for row in part.iterfind(".//tbody/tr"):
        cells = list(row.iterchildren("th", "td"))
        if len(cells) == len(shown):  # else it says that there is nothing
            yield [_said(cells[place]) for place in kept]


def _is_told(head: html.HtmlElement) -> bool:
    """Whether a column says anything: not one of buttons, or of pictures."""
    return head.get("class") != "drawn" and not head.find_class("hidden")


def _notes(tile: html.HtmlElement) -> list[html.HtmlElement]:
    return [one for one in tile.iter("span") if one.get("class") == "note"]


def _said(cell: html.HtmlElement) -> str:
    """What a cell says: without pictures and buttons, and of a figure without what is noted."""
    is_figure = cell.get("class") == "num"
    text = " ".join("".join(_words(cell, is_figure=is_figure)).split())
    return "" if text in _NONE else text


def _is_said(node: html.HtmlElement) -> bool:
    return isinstance(node.tag, str) and node.tag not in _UNSAID  # a comment has no name


def _words(node: html.HtmlElement, *, is_figure: bool) -> Iterator[str]:
    yield node.text or ""
    for child in node:
        if child.tag == "input" and child.get("type") != "hidden":
            yield child.get("value", "")
        elif _is_said(child) and not (is_figure and child.get("class") == "note"):
            yield from _words(child, is_figure=is_figure)
        yield child.tail or " "


# ── figures, written exactly ────────────────────────────────────────────────────────────────────
def exact(value: Any, *_: object) -> str:
    """A figure as the API tells it; what was worked out, to six decimals."""
    if value is None or value == "":
        return ""
    exact = Decimal(value)
    if -exact.as_tuple().exponent > -_DECIMALS.as_tuple().exponent:  # type: ignore[operator]
        exact = exact.quantize(_DECIMALS)
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _change(now: Any, before: Any) -> str:
    return exact(100 * (Decimal(now) - Decimal(before)) / Decimal(before)) if before else ""


def _instant(micros: Any) -> str:
    return moment(micros) if micros else ""


def _as_told(text: str | None) -> str:
    return text or ""


EXACTLY: Final[Mapping[str, Callable[..., str]]] = {
    **dict.fromkeys(("money", "average", "number", "percent", "bytes", "every"), exact),
    "change": _change,
    "instant": _instant,
    "when": _as_told,
    "expected": lambda text, *_: _as_told(text),
}
"""The filters of templates by which figures and instants are written in files."""
