"""From the nodes of a feed's item to a job: map, default, override, strip, check. Pure.

**Source**: domain 5.2, 5.3, 14.14.
"""

import re
from collections.abc import Callable, Container, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

from handbill.core.amounts import read_amount, said_by_name, tellers
from handbill.core.feed_bids import Bids, bid_in
from handbill.core.feed_ends import end_in, endings_of, is_no_end, is_over
from handbill.core.feed_mappings import (
    ADDITIONAL,
    CANONICAL,
    END_KEY,
    STRUCTURE,
    mandatory_of,
    nodes_of,
    publishers_node,
)
from handbill.core.feed_text import (
    ALSO,
    AND,
    all_decoded_once,
    cleaned,
    each_of,
    html_text,
    link_of,
    values_of,
    within,
    without_tags,
)
from handbill.core.feed_values import FeedValue, FieldFault, cut, dropped, first_of, value_of
from handbill.core.feeds import FeedBody
from handbill.core.nouns import JobBody
from handbill.core.publisher_names import allowed_in
from handbill.kit.instants import Instant
from handbill.kit.readings import Readings
from handbill.kit.urls import MOST_URL, NotUrl, page_url, strip_params
from handbill.kit.zones import day_of

FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
MOST_ADDITIONAL = 50
MOST_REF = 500
_MOST_LINE = 1_000
_MOST_TEXT = 1024 * 1024
_MOST_ADDITIONAL_TEXT = 4_000
_MOST_SHORT = 100

_MANY = frozenset({"category", "type"})
_LINES = ("title", "company", "category", "city", "state", "country", "zip", "type")
# In this order: the day of posting is the first that is known.
_DATES = {
    "date": "posted_at",
    "pubDate": "published_at",
    "lastmodifieddate": "modified_at",
    "expirationdate": "end_at",
}
_POSTED = frozenset({"date", "pubDate"})
_END = "expirationdate"
_ATTRIBUTES = _DATES | {"cpc": "cpc_micros", "referencenumber": "ref"}
_NOTHING: tuple[Any, ...] = ("", None)
_WRAPPED = re.compile(r"(?<![ \t])[ \t]*+[\r\n]\s*+(?!https?://)", re.IGNORECASE)
"""Where a URL was broken into lines."""
ReadDate = Callable[[str, tzinfo, bool], Instant | None]
"""Reads a text with a default zone; the flag says whether a day alone means its last moment."""


class MappedItem(NamedTuple):
    """``body`` None: the item cannot be kept (it has no reference). ``posted_on``: in the zone.

    ``target``: the body's URL in canonical form, empty if it has none.
    """

    body: JobBody | None
    posted_on: str | None
    target: str
    faults: list[FieldFault]


MapJob = Callable[[Mapping[str, str]], MappedItem]


class _Moments(NamedTuple):
    """How dates are read: as beginnings, and as ends."""

    first: Readings
    last: Readings


class _Plan(NamedTuple):
    """A feed's settings, grouped by their use."""

    ref: FeedValue
    text: FeedValue
    url: FeedValue
    bid: FeedValue
    lines: list[FeedValue]
    constant: dict[str, Any]
    """Lines that do not depend on any node of the item."""
    dates: list[FeedValue]
    additional: list[FeedValue]
    needed: list[str]
    publishers: str
    strip: frozenset[str]
    finds_end: bool
    """Whether the end of the offer is searched under its usual names."""


def _plan(feed: FeedBody) -> _Plan:
    nodes = nodes_of(feed.mappings)
    always = {name: cleaned(text, _MOST_TEXT) for name, text in feed.value_overrides.items()}
    otherwise = {name: cleaned(text, _MOST_TEXT) for name, text in feed.value_defaults.items()}

    def source(name: str, node: str | None = None) -> FeedValue:
        """The source of a field; the node of an overridden field is ignored."""
        node = nodes.get(name, "") if node is None else node
        fixed = always.get(name, "")
        return FeedValue(name, "" if fixed else node, fixed or otherwise.get(name, ""))

    lines = [source(name) for name in _LINES]
    return _Plan(
        ref=source("referencenumber"),
        text=source("description"),
        url=source("url"),
        bid=source("cpc"),
        lines=[one for one in lines if one.node],
        constant={one.name: one.otherwise for one in lines if not one.node},
        dates=[one for one in map(source, _DATES) if one.node or one.otherwise],
        additional=_additional_sources(feed, source),
        needed=[name for name in mandatory_of(feed) if name in CANONICAL - STRUCTURE],
        publishers=publishers_node(feed.mappings),
        strip=frozenset(feed.url_params_to_strip),
        finds_end=END_KEY not in feed.mappings and _END not in always | otherwise,
    )


def compile_mapping(
    feed: FeedBody,
    zone: tzinfo,
    currency: str,
    read_date: ReadDate,
    rated: Container[str] | None = None,
    now: Instant = 0,
    head_currency: str = "",
    publishers: Container[str] | None = None,
) -> MapJob:
    """A function that turns an item's nodes into a job, by the feed's settings.

    ``zone``: the client's, for dates without one. ``currency``: the agency's. A bid in another
    currency keeps it, with a fault unless it is in ``rated``, the currencies with a rate today. If
    its currency is not known, there is no bid, and a fault. A mandatory field without a value is
    listed in ``missing`` of the body; so is an invalid URL: it is never advertised.

    ``head_currency``: what the feed says outside of its items about the currency of all amounts.
    ``publishers``: the agency's, if they are known; a job that names another has a fault.
    ``now``: the end of a job of which the feed only says that it is over. If the mapping does not
    mention an end, it is searched under its usual names.
    """
    plan = _plan(feed)
    moments = _Moments(
        Readings(lambda text: _moment(text, zone, read_date, last=False)),
        Readings(lambda text: _moment(text, zone, read_date, last=True)),
    )
    amounts = Readings(lambda text: read_amount(text, currency))
    names_of = Readings(lambda names: tellers(plan.bid.node, names))
    by_name = said_by_name(plan.bid.node)
    bids = Bids(amounts, currency, names_of, rated, head_currency, by_name)
    endings = Readings(endings_of)

    def map_job(fields: Mapping[str, str]) -> MappedItem:
        faults: list[FieldFault] = []
        ref = first_of(plan.ref, fields, MOST_REF, faults)
        fields = all_decoded_once(fields)
        if not ref or len(ref) > MOST_REF:
            faults.append(_no_ref(ref))
            return MappedItem(None, None, "", faults)
        body = JobBody(ref=ref, **plan.constant)
        _keep_lines(body, plan.lines, fields, faults)
        body.description = _text(plan.text, fields, faults)
        body.url, target = _url(plan.url, fields, plan.strip, faults)
        ends = endings[tuple(fields)]
        dates = plan.dates
        if plan.finds_end and (end := end_in(ends.nodes, fields)):
            dates = [*dates, FeedValue(_END, end, "")]
        posted_on = _keep_dates(body, dates, fields, moments, faults)
        if ends.marks and is_over(ends.marks, fields):
            body.end_at = now if body.end_at is None else min(body.end_at, now)
        body.cpc_micros, body.cpc_currency = bid_in(plan.bid, fields, bids, faults)
        if plan.additional:
            body.additional = _additional(body, plan.additional, fields, faults)
        if plan.publishers:
            body.settings = allowed_in(fields.get(plan.publishers, ""), publishers, faults)
        body.missing = _missing(body, plan.needed, faults)
        return MappedItem(body, posted_on, target, faults)

    return map_job


def _keep_lines(
    body: JobBody, sources: list[FeedValue], fields: Mapping[str, str], faults: list[FieldFault]
) -> None:
    for source in sources:
        value = values_of(fields.get(source.node, ""))
        if value.isprintable() and "&" not in value and "<" not in value:
            value = value.strip()
        elif source.name in _MANY:
            value = _joined(body, source.name, value, _MOST_LINE)
        else:
            first = first_of(source, {source.node: value}, _MOST_LINE, faults)
            value = cleaned(without_tags(first))
        if len(value) > _MOST_LINE:
            value = cut(source.name, value, _MOST_LINE, faults)
        setattr(body, source.name, value or source.otherwise)


def _keep_dates(
    body: JobBody,
    sources: list[FeedValue],
    fields: Mapping[str, str],
    moments: _Moments,
    faults: list[FieldFault],
) -> str | None:
    """Put the dates into the body; the day of posting is the first known of two."""
    posted_on = None
    for source in sources:
        read = moments.last if source.name == _END else moments.first
        moment = _dated(source, fields, read, faults)
        if moment is not None:
            setattr(body, _DATES[source.name], moment[0])
            if source.name in _POSTED and posted_on is None:
                posted_on = moment[1]
    return posted_on


def _no_ref(ref: str) -> FieldFault:
    if ref:
        return FieldFault("referencenumber", "too_long", f"is longer than {MOST_REF} characters")
    return FieldFault("referencenumber", "missing", "is empty: the job cannot be kept")


def _missing(body: JobBody, needed: list[str], faults: list[FieldFault]) -> tuple[str, ...]:
    """The mandatory fields without a value, and the URL if there is none; also added as faults."""
    missing = [name for name in needed if getattr(body, _ATTRIBUTES.get(name, name)) in _NOTHING]
    if not body.url and "url" not in missing:
        missing.append("url")
    if missing:
        named = {fault.field for fault in faults}
        faults += [FieldFault(name, "missing", "is empty") for name in missing if name not in named]
    return tuple(missing)


def _text(source: FeedValue, fields: Mapping[str, str], faults: list[FieldFault]) -> str:
    """A description: HTML and line breaks are kept as they are."""
    value = html_text(fields.get(source.node, "").strip() or source.otherwise)
    if len(value) > _MOST_TEXT:
        value = cut("description", value, _MOST_TEXT, faults)
    return value


def _url(
    source: FeedValue, fields: Mapping[str, str], strip: frozenset[str], faults: list[FieldFault]
) -> tuple[str, str]:
    """The URL as given, without stripped parameters; and in canonical form."""
    text = fields.get(source.node, "")
    if ALSO in text:
        text, *others = text.split(ALSO)
        faults.append(dropped("url", others))
    value = cleaned(_WRAPPED.sub("", within(link_of(text))), MOST_URL + 1) or source.otherwise
    if not value:
        return "", ""
    if strip:
        value = strip_params(value, strip)
    try:
        return value, page_url(value)
    except NotUrl as bad:
        faults.append(FieldFault("url", "not_a_url", str(bad)))
        return "", ""


def _moment(
    text: str, zone: tzinfo, read_date: ReadDate, *, last: bool
) -> tuple[Instant, str] | None:
    at = read_date(text, zone, last)
    return None if at is None else (at, day_of(at, zone).isoformat())


def _dated(
    source: FeedValue, fields: Mapping[str, str], moments: Readings, faults: list[FieldFault]
) -> tuple[Instant, str] | None:
    text = first_of(source, fields, _MOST_SHORT, faults)
    if not text or (source.name == _END and is_no_end(text)):
        return None
    moment: tuple[Instant, str] | None = moments[text]
    if moment is None:
        message = f"cannot be read as a date: {text[:40]}"
        faults.append(FieldFault(source.name, "not_a_date", message))
    return moment


def _additional_sources(feed: FeedBody, source: Callable[[str, str], FeedValue]) -> list[FeedValue]:
    """The client's own fields: those mapped, and those with only a fixed value."""
    mapped = feed.mappings.get(ADDITIONAL) or {}
    nodes = {name: node for node, name in mapped.items() if isinstance(name, str)}
    own = [*feed.value_overrides, *feed.value_defaults]
    names = [*nodes, *(name for name in own if name not in CANONICAL)]
    return [
        source(name, nodes.get(name, ""))
        for name in dict.fromkeys(names)
        if FIELD_NAME.fullmatch(name)
    ][:MOST_ADDITIONAL]


def _joined(body: JobBody, name: str, text: str, most: int) -> str:
    """All values of a field as one line; the body keeps them apart too, for filters, unless the
    line is to be cut.
    """
    values = each_of(text)
    line = AND.join(values)
    if len(values) > 1 and len(line) <= most:
        body.several[name] = values
    return line


def _additional(
    body: JobBody,
    sources: list[FeedValue],
    fields: Mapping[str, str],
    faults: list[FieldFault],
) -> dict[str, str]:
    values = {}
    for source in sources:
        text = values_of(fields.get(source.node, ""))
        value = (
            _joined(body, source.name, text, _MOST_ADDITIONAL_TEXT)
            if ALSO in text
            else value_of(source, fields, _MOST_ADDITIONAL_TEXT)
        )
        if len(value) > _MOST_ADDITIONAL_TEXT:
            value = cut(source.name, value, _MOST_ADDITIONAL_TEXT, faults)
        if value:
            values[source.name] = value
    return values
