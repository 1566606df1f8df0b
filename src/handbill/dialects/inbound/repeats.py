"""Repeated nodes of an item: one of them counts, as a whole, and the others are kept beside it.

A job with two places must not get the city of one and the zip of the other.
"""

from collections.abc import Callable, Collection, Mapping
from math import floor
from typing import NamedTuple

from handbill.core.amounts import COST_MODELS, is_per_click
from handbill.core.feed_text import ALSO, unmarked

_IANA = "http://www.iana.org/assignments/relation/"
_PAGES = frozenset(["text/html", "application/xhtml+xml"])
_FOR_OTHERS: Mapping[tuple[str, ...], Callable[[str], bool]] = {
    ("@rel",): lambda said: said.removeprefix(_IANA) not in {"", "alternate"},
    ("@type",): lambda said: "/" in said and said.partition(";")[0].strip() not in _PAGES,
}
"""Attributes of links, and the values that mean that a link is not to the page for people."""
_FIRST_NAMES = frozenset(
    f"{mark}{before}{word}"
    for mark in ("", "@")
    for before in ("", "is")
    for word in ("primary", "main", "default", "preferred")
)
_YES = frozenset(["true", "yes", "y", "1"])
_KINDS = frozenset(
    [
        *(f"@{name}" for name in ("type", "role", "kind", "model", *COST_MODELS)),
        "model",
        *COST_MODELS,
    ]
)
_FIRST_KINDS = frozenset(["primary", "main", "default", "headquarters"])


class NodeText(NamedTuple):
    """The text of one node. ``places``: for each step of its path, which of the repeated nodes."""

    path: tuple[str, ...]
    places: tuple[int, ...]
    text: str


def fields_of(said: list[NodeText], rows: Collection[str] = ()) -> dict[str, str]:
    """Text by path. Of repeated nodes the first one with text counts, with all that is below it;
    the texts of the others follow, each behind ``ALSO``.

    ``rows``: nodes that correspond by position if all of them repeat equally often, like columns:
    the first city belongs to the first state.

    One that is marked as the main one (``primary="true"``, ``<isDefault>1</isDefault>``) counts
    before all others. Of links, one without a relation or with ``alternate`` counts (RFC 4287,
    4.2.7.2), and of those the one that is HTML.
    """
    texts = (
        _chosen(said, rows)
        if any(any(one.places) for one in said)
        else {one.path: one.text for one in said}
    )
    fields = {"/".join(path): text for path, text in texts.items()}
    for path, text in texts.items():
        if any(":" in step for step in path):
            bare = "/".join(map(_bare, path))
            if not fields.get(bare):
                fields[bare] = text
    return fields


def _bare(step: str) -> str:
    """A name without its prefix."""
    mark = "@" if step[0] == "@" else ""
    return mark + step.removeprefix("@").rpartition(":")[2]


def _chosen(said: list[NodeText], rows: Collection[str]) -> dict[tuple[str, ...], str]:
    repeated = {
        one.path[: depth + 1] for one in said for depth, place in enumerate(one.places) if place
    }
    by_path: dict[tuple[str, ...], list[NodeText]] = {}
    below: dict[tuple[str, ...], list[NodeText]] = {}
    for one in said:
        by_path.setdefault(one.path, []).append(one)
        prefix = _prefix_of(one.path, repeated)
        if prefix is not None:
            below.setdefault(prefix, []).append(one)
    main = {prefix: _main_place(every, len(prefix)) for prefix, every in below.items()}
    columns: dict[tuple[tuple[str, ...], int], list[tuple[str, ...]]] = {}
    for prefix in main:
        if "/".join(prefix) in rows:
            columns.setdefault((prefix[:-1], len(below[prefix])), []).append(prefix)
    strays: dict[tuple[str, ...], str] = {}
    for (parent, _), prefixes in columns.items():
        first = min(main[prefix] for prefix in prefixes)
        main |= dict.fromkeys(prefixes, first)
        if len(prefixes) > 1:
            beside = [one for one in said if one.path[:-1] == parent and "/".join(one.path) in rows]
            strays |= _strays(beside, frozenset(prefixes), first)
    within = {
        prefix: _within(every, len(prefix), main[prefix], rows) for prefix, every in below.items()
    }
    return {
        path: strays[path]
        if path in strays
        else _joined(every, _prefix_of(path, repeated), main, within)
        for path, every in by_path.items()
    }


def _within(
    below: list[NodeText], depth: int, place: int, rows: Collection[str]
) -> dict[tuple[str, ...], str]:
    """The texts of the repeated node that counts, if nodes repeat within it again; else none."""
    own = [one for one in below if one.places[depth - 1] == place]
    if not any(any(one.places[depth:]) for one in own):
        return {}
    alone = [one._replace(places=(*one.places[: depth - 1], 0, *one.places[depth:])) for one in own]
    return _chosen(alone, rows)


def _strays(
    beside: list[NodeText], columns: frozenset[tuple[str, ...]], first: int
) -> dict[tuple[str, ...], str]:
    """The texts of nodes that only some of the rows have, if the rows stand one after the other:
    ``city, country, city, state, country``. A node that is only before or only behind all rows
    belongs to every row.
    """
    row, full = -1, len(columns)
    seen: set[tuple[str, ...]] = set(columns)
    strays: dict[tuple[str, ...], list[tuple[float, str]]] = {}
    for one in beside:
        if one.path not in columns:
            place = row if len(seen) < full else row + 0.5
            strays.setdefault(one.path, []).append((place, one.text))
            continue
        if len(seen) == full:
            row, seen = row + 1, set()
        if one.path in seen:
            return {}
        seen.add(one.path)
    fields = {}
    for path, texts in strays.items():
        owners = _owners([place for place, _ in texts], row)
        if owners:
            own = [text for (_, text), whose in zip(texts, owners, strict=True) if whose == first]
            others = [
                text for (_, text), whose in zip(texts, owners, strict=True) if whose != first
            ]
            fields[path] = ALSO.join((next(iter(own), ""), *filter(None, (*own[1:], *others))))
    return fields


def _owners(places: list[float], last: int) -> list[int]:
    """The row of each of these nodes; none: they belong to every row. ``places``: a row within
    whose columns a node is, or the middle between two rows. There it belongs to the row before it,
    unless one is before the first row.
    """
    is_within = [place == int(place) for place in places]
    if all(is_within):
        return [int(place) for place in places]
    ends = {-0.5, last + 0.5}
    if any(is_within) or len(set(places) | ends) == 2 or ends <= set(places):
        return []
    return [floor(place) + (-0.5 in places) for place in places]


def _prefix_of(
    path: tuple[str, ...], repeated: Collection[tuple[str, ...]]
) -> tuple[str, ...] | None:
    """The outermost path at which nodes repeat, on the way to this one."""
    return next((path[:size] for size in range(1, len(path) + 1) if path[:size] in repeated), None)


def _main_place(below: list[NodeText], depth: int) -> int:
    """Which of the repeated nodes at a path of this depth counts, for all below that path."""
    others = {
        one.places[depth - 1]
        for one in below
        if one.path[depth:] in _FOR_OTHERS and _FOR_OTHERS[one.path[depth:]](one.text.lower())
    }
    named = [one.places[depth - 1] for one in below if _is_first(one, depth)]
    if named:
        return named[0]
    said = [one for one in below if one.text]
    # A node with nothing but attributes (xsi:nil, a language) hides none with a text.
    full = [one for one in said if one.path[-1][0] != "@"]
    speaking = [one.places[depth - 1] for one in full or said]
    return min(
        (place for place in speaking if place not in others), default=min(speaking, default=0)
    )


def _is_first(one: NodeText, depth: int) -> bool:
    """Whether it says that, of the repeated nodes, the one that it is in is the main one."""
    if len(one.path) != depth + 1:
        return False
    name, text = unmarked(one.path[depth]), one.text.lower()
    if name in _KINDS:
        return text in _FIRST_KINDS or is_per_click(text)
    return name in _FIRST_NAMES and text in _YES


def _joined(
    every: list[NodeText],
    prefix: tuple[str, ...] | None,
    main: dict[tuple[str, ...], int],
    within: dict[tuple[str, ...], dict[tuple[str, ...], str]],
) -> str:
    if prefix is None:
        return every[0].text
    depth, place = len(prefix) - 1, main[prefix]
    others = [one.text for one in every if one.places[depth] != place and one.text]
    chosen = within[prefix].get(every[0].path)
    if chosen is not None:
        return ALSO.join((chosen, *others))
    own = [one.text for one in every if one.places[depth] == place]
    first = next(filter(None, own), "")
    rest = own[own.index(first) + 1 :] if first else []
    return ALSO.join((first, *filter(None, rest), *others))
