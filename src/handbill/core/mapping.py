"""From the nodes of a feed's item to a job: map, default, override, strip, check. Pure.

**Source**: domain 5.2, 5.3, 14.14.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from handbill.core.nouns import FeedBody, JobBody, JobSettings
from handbill.kit.instants import Instant
from handbill.kit.money import NotMoney, micros_of
from handbill.kit.urls import NotUrl, canonical_url, strip_params
from handbill.kit.zones import day_of

KEYS = {
    "schemaMappingsJobCollection": "source",
    "schemaMappingsJob": "job",
    "schemaMappingsCompany": "company",
    "schemaMappingsTitle": "title",
    "schemaMappingsCity": "city",
    "schemaMappingsState": "state",
    "schemaMappingsCountry": "country",
    "schemaMappingsDescription": "description",
    "schemaMappingsURL": "url",
    "schemaMappingsZip": "zip",
    "schemaMappingsCategory": "category",
    "schemaMappingsDatePosted": "date",
    "schemaMappingsRefNumber": "referencenumber",
    "schemaMappingsModifiedDate": "lastmodifieddate",
    "schemaMappingsPublishedDate": "pubDate",
    "schemaMappingsCPCBid": "cpc",
    "schemaMappingsType": "type",
}
"""The contract's mapping key → the canonical name of the field, in the contract's order."""

ADDITIONAL, PUBLISHER = "schemaMappingAdditional", "schemaMappingPublisher"
CANONICAL = frozenset(KEYS.values())
STRUCTURE = frozenset({"source", "job"})
MANDATORY = ("source", "job", "title", "description", "url", "referencenumber")
"""What a feed must have unless its ``mandatoryFields`` say otherwise."""

FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
MOST_ADDITIONAL = 50
MOST_REF = 500
_MOST_LINE = 1_000
_MOST_TEXT = 1024 * 1024
_MOST_ADDITIONAL_TEXT = 4_000
_MOST_PUBLISHERS = 200
_MOST_REMEMBERED = 20_000

_LINES = ("title", "company", "category", "city", "state", "country", "zip", "type")
_DATES = ("date", "pubDate", "lastmodifieddate")
_NOTHING: tuple[Any, ...] = ("", None)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_BREAK = re.compile(r"[\t\n\r]")
_AMOUNT = re.compile(
    r"(?:[A-Za-z]{3}|[$€£])?\s*(?P<figures>[0-9][0-9., ]*?)\s*(?:[A-Za-z]{3}|[$€£])?"
)
_MARK = re.compile(r"\s*[,;|\n]\s*")

ReadDate = Callable[[str, tzinfo], Instant | None]


class FieldFault(NamedTuple):
    """``reason``: missing, not_a_url, not_a_date, not_money, too_long."""

    field: str
    reason: str
    message: str


class Mapped(NamedTuple):
    """``body`` None: the item cannot be kept (it has no reference). ``posted_on``: in the zone."""

    body: JobBody | None
    posted_on: str | None
    faults: list[FieldFault]


MapJob = Callable[[Mapping[str, str]], Mapped]


def nodes_of(mappings: Mapping[str, Any]) -> dict[str, str]:
    """Canonical name → node, of the fields that are mapped."""
    return {KEYS[key]: node for key, node in mappings.items() if key in KEYS and node}


def mandatory_of(feed: FeedBody) -> tuple[str, ...]:
    return tuple(feed.mandatory_fields) or MANDATORY


def unmapped(feed: FeedBody) -> list[str]:
    """The mandatory fields that have neither a node nor a value of the feed's own.

    So too what no mapping can do without: where the jobs stand, and what they are known by.
    """
    nodes = nodes_of(feed.mappings)
    needed = dict.fromkeys((*mandatory_of(feed), "source", "job", "referencenumber"))
    given = feed.value_overrides.keys() | feed.value_defaults.keys()
    return [
        name for name in needed if name not in nodes and (name in STRUCTURE or name not in given)
    ]


def publishers_node(mappings: Mapping[str, Any]) -> str:
    """The node that lists a job's publishers: given as text, or as an object with ``publishers``.

    Both ways round: ``{"publishers": node}`` and ``{node: "publishers"}``.
    """
    given = mappings.get(PUBLISHER)
    if isinstance(given, str):
        return given
    if isinstance(given, dict):
        for key, value in given.items():
            if key == "publishers" and isinstance(value, str):
                return value
            if value == "publishers":
                return str(key)
    return ""


def cleaned(text: str, most: int = _MOST_LINE) -> str:
    """One line of text: white space around it and control characters gone."""
    if not text.isprintable():
        if _BREAK.search(text):
            text = " ".join(text.split())
        text = _CONTROL.sub("", text)
    return text.strip()[:most]


def read_money(text: str) -> int | None:
    """Micros of "1.50", "USD 1.50", "$1.50", "1,50", "1,234.50", "1.234,50 EUR"; None: not money.

    A lone comma or dot before exactly three figures groups thousands only where another one says
    so; it is a decimal mark.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    figures = found["figures"].replace(" ", "")
    comma, dot = figures.rfind(","), figures.rfind(".")
    if comma > dot:
        figures = figures.replace(".", "").replace(",", ".")
    else:
        figures = figures.replace(",", "")
    try:
        return micros_of(Decimal(figures))
    except (NotMoney, InvalidOperation):
        return None


class _Remembered(dict[str, Any]):
    """What was read from a text once: feeds repeat their dates and bids."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Any:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        found = self[text] = self._read(text)
        return found


class _Source(NamedTuple):
    """Where a field's value comes from: ``always``, else the node, else ``otherwise``."""

    node: str
    always: str
    otherwise: str

    def value(self, fields: Mapping[str, str], most: int) -> str:
        if self.always:
            return self.always
        return cleaned(fields.get(self.node, ""), most + 1) or self.otherwise


def compile_mapping(feed: FeedBody, zone: tzinfo, read_date: ReadDate) -> MapJob:
    """The function that turns an item's nodes into a job, by the feed's settings.

    ``zone``: the client's, for dates that name none. A mandatory field without a value is told in
    ``missing`` of the body; so is a URL that is none, for such a job can never be advertised.
    """
    nodes = nodes_of(feed.mappings)

    def source(name: str, node: str) -> _Source:
        return _Source(
            node,
            cleaned(feed.value_overrides.get(name, ""), _MOST_TEXT),
            cleaned(feed.value_defaults.get(name, ""), _MOST_TEXT),
        )

    sources = {name: source(name, nodes.get(name, "")) for name in CANONICAL}
    additional = _additional_sources(feed, source)
    needed = [name for name in mandatory_of(feed) if name in CANONICAL - STRUCTURE]
    strip = frozenset(feed.url_params_to_strip)
    publishers = publishers_node(feed.mappings)
    moments = _Remembered(lambda text: _moment(text, zone, read_date))
    bids = _Remembered(read_money)
    lines = [(name, sources[name]) for name in _LINES]
    dates = [(name, sources[name]) for name in _DATES]

    def map_job(fields: Mapping[str, str]) -> Mapped:
        faults: list[FieldFault] = []
        ref = sources["referencenumber"].value(fields, MOST_REF)
        if not ref or len(ref) > MOST_REF:
            faults.append(_no_ref(ref))
            return Mapped(None, None, faults)
        values: dict[str, Any] = {}
        for name, from_ in lines:
            value = from_.value(fields, _MOST_LINE)
            if len(value) > _MOST_LINE:
                value = _cut(name, value, _MOST_LINE, faults)
            values[name] = value
        values["description"] = _text(sources["description"], fields, faults)
        values["url"] = _url(sources["url"], fields, strip, faults)
        for name, from_ in dates:
            values[name] = _dated(name, from_.value(fields, 100), moments, faults)
        values["cpc"] = _bid(sources["cpc"].value(fields, 100), bids, faults)
        missing = tuple(name for name in needed if values.get(name, ref) in _NOTHING)
        if not values["url"] and "url" not in missing:
            missing = (*missing, "url")
        faults.extend(_missing(missing, faults))
        date, published, modified = (values[name] for name in _DATES)
        known_on = date or published
        body = JobBody(
            ref=ref, title=values["title"], company=values["company"],
            description=values["description"], category=values["category"], url=values["url"],
            city=values["city"], state=values["state"], country=values["country"],
            zip=values["zip"], type=values["type"],
            published_at=published[0] if published else None,
            posted_at=date[0] if date else None,
            modified_at=modified[0] if modified else None,
            cpc_micros=values["cpc"],
            additional=_additional(additional, fields, faults) if additional else {},
            settings=_settings(fields.get(publishers, "")) if publishers else None,
            missing=missing,
        )  # fmt: skip
        return Mapped(body, known_on[1] if known_on else None, faults)

    return map_job


def _no_ref(ref: str) -> FieldFault:
    if ref:
        return FieldFault("referencenumber", "too_long", f"is longer than {MOST_REF} characters")
    return FieldFault("referencenumber", "missing", "is empty: the job cannot be kept")


def _missing(missing: Iterable[str], faults: list[FieldFault]) -> list[FieldFault]:
    told = {fault.field for fault in faults}
    return [FieldFault(name, "missing", "is empty") for name in missing if name not in told]


def _cut(name: str, value: str, most: int, faults: list[FieldFault]) -> str:
    faults.append(FieldFault(name, "too_long", f"is cut to {most} characters"))
    return value[:most]


def _text(source: _Source, fields: Mapping[str, str], faults: list[FieldFault]) -> str:
    """A description: HTML and line breaks are kept as they are."""
    value = source.always or fields.get(source.node, "").strip() or source.otherwise
    if not value.isascii() or "\x7f" in value:
        value = _CONTROL.sub("", value)
    if len(value) > _MOST_TEXT:
        value = _cut("description", value, _MOST_TEXT, faults)
    return value


def _url(
    source: _Source, fields: Mapping[str, str], strip: frozenset[str], faults: list[FieldFault]
) -> str:
    value = source.value(fields, 10_000)
    if not value:
        return ""
    if strip:
        value = strip_params(value, strip)
    try:
        canonical_url(value)
    except NotUrl as bad:
        faults.append(FieldFault("url", "not_a_url", str(bad)))
        return ""
    return value


def _moment(text: str, zone: tzinfo, read_date: ReadDate) -> tuple[Instant, str] | None:
    at = read_date(text, zone)
    return None if at is None else (at, day_of(at, zone).isoformat())


def _dated(
    name: str, text: str, moments: _Remembered, faults: list[FieldFault]
) -> tuple[Instant, str] | None:
    if not text:
        return None
    found: tuple[Instant, str] | None = moments[text]
    if found is None:
        faults.append(FieldFault(name, "not_a_date", f"cannot be read as a date: {text[:40]}"))
    return found


def _bid(text: str, bids: _Remembered, faults: list[FieldFault]) -> int | None:
    if not text:
        return None
    found: int | None = bids[text]
    if found is None:
        faults.append(FieldFault("cpc", "not_money", f"cannot be read as an amount: {text[:40]}"))
    return found


def _additional_sources(
    feed: FeedBody, source: Callable[[str, str], _Source]
) -> list[tuple[str, _Source]]:
    """The client's own fields: those mapped, and those that only have a value of the feed's own."""
    mapped = feed.mappings.get(ADDITIONAL) or {}
    nodes = {name: node for node, name in mapped.items() if isinstance(name, str)}
    own = [*feed.value_overrides, *feed.value_defaults]
    names = [*nodes, *(name for name in own if name not in CANONICAL)]
    return [
        (name, source(name, nodes.get(name, "")))
        for name in dict.fromkeys(names)
        if FIELD_NAME.fullmatch(name)
    ][:MOST_ADDITIONAL]


def _additional(
    sources: list[tuple[str, _Source]], fields: Mapping[str, str], faults: list[FieldFault]
) -> dict[str, str]:
    found = {}
    for name, from_ in sources:
        value = from_.value(fields, _MOST_ADDITIONAL_TEXT)
        if len(value) > _MOST_ADDITIONAL_TEXT:
            value = _cut(name, value, _MOST_ADDITIONAL_TEXT, faults)
        if value:
            found[name] = value
    return found


def _settings(text: str) -> JobSettings:
    """The allow-list of publishers that a feed gives; an empty one allows all."""
    listed = tuple(filter(None, _MARK.split(text.strip())))[:_MOST_PUBLISHERS]
    return JobSettings(publishers=listed or None)
