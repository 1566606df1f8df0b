"""Job groups on the wire. **Source**: contract 1 (26 to 33), domain 1.5, 14.9 to 14.13."""

from dataclasses import dataclass
from typing import Any

from handbill.core.filters import MOST_RULES, read_filter, spell
from handbill.core.nouns import Branch, Group, InsertionOrder, PerformanceTarget, Placement
from handbill.kit.faults import Fault
from handbill.kit.instants import iso_of
from handbill.kit.money import number_of
from handbill.wire.campaigns import spell_override
from handbill.wire.caps import cap_shape, caps_shape, spell_cap, spell_caps
from handbill.wire.changes import OVERRIDE, PLACEMENT_CAPS, caps_change_shape
from handbill.wire.clients import dates_in_order
from handbill.wire.opaque import Opaque
from handbill.wire.shapes import (
    Choice,
    Day,
    Faults,
    Field,
    Flag,
    Integer,
    ListOf,
    Money,
    Object,
    Schema,
    Shape,
    Text,
    spell_day,
)

_MOST_PLACEMENTS = 500
_PLACEMENT_BUDGET = cap_shape(money=True, periods=("Weekly", "Monthly", "Lifetime"))


def leaf_schema() -> Schema:
    """The JSON Schema of one comparison of a filter."""
    term = {"type": ["string", "number"], "maxLength": 1_000}
    return {
        "type": "object",
        "properties": {
            "field": {
                "type": "string",
                "maxLength": 100,
                "description": "category, country, state, city, zip, type, title, company, "
                "refNumber, postedDate, cpcBid, or one of the client's own fields.",
            },
            "operator": {
                "type": "string",
                "description": "Text: EQUAL, NOT_EQUAL, IN, NOT_IN, BEGINS_WITH, NOT_BEGINS_WITH, "
                "CONTAINS, NOT_CONTAINS, ENDS_WITH, NOT_ENDS_WITH. Dates: GREATER_THAN, LESS_THAN "
                "(age in days), ON, BEFORE, AFTER, BETWEEN. Numbers: EQUAL, GREATER_THAN, "
                "LESS_THAN, GREATER_THAN_EQUAL, LESS_THAN_EQUAL, BETWEEN.",
            },
            "data": {
                "description": "What the field is compared with; a list for IN, NOT_IN, BETWEEN. "
                "Text; numbers, and ages in days, are read as JSON numbers too.",
                "oneOf": [term, {"type": "array", "items": term, "maxItems": 1_000}],
            },
        },
        "required": ["field", "operator", "data"],
    }


def filter_schema(depth: int = 3) -> Schema:
    """The JSON Schema of a filter that may be nested so deep."""
    leaf = leaf_schema()
    items = leaf if depth == 1 else {"anyOf": [leaf, filter_schema(depth - 1)]}
    return {
        "type": "object",
        "properties": {
            "operator": {
                "enum": ["AND", "OR", "ALL", "ANY"],
                "description": "How rules combine: ALL is AND, ANY is OR.",
            },
            "rules": {
                "type": "array", "items": items, "minItems": 1, "maxItems": MOST_RULES,
                "description": "Comparisons, or groups of them, at most 3 deep.",
            },
        },
        "required": ["operator", "rules"],
    }  # fmt: skip


@dataclass(frozen=True)
class Filter(Shape):
    """A job filter, read as a checked tree."""

    def read(self, value: Any, at: str, faults: Faults) -> Branch | None:
        return read_filter(value, at, faults)

    def schema(self) -> Schema:
        return filter_schema()


def _placement(found: dict[str, Any]) -> Placement:
    active = found.get("is_active")
    budget = found.get("caps")
    return Placement(
        publisher_id=found["value"],
        bid_micros=found.get("bid"),
        active=True if active is None else active,
        budget=found.get("budget") if budget is None else budget,
        currency=found.get("currency") or "",
    )


PLACEMENT_IN = Object(
    {
        "value": Field(
            Text(1, 100), "Publisher id.", required=True, aliases=("pValue", "publisherId")
        ),
        "bid": Field(Money(), "Bid over this publisher; the job group's if absent."),
        "is_active": Field(
            Flag(), "Whether it runs over this publisher; true if absent.", aliases=("isActive",)
        ),
        "caps": Field(PLACEMENT_CAPS, "Cap over this publisher: a budget, not Daily."),
        "budget": Field(_PLACEMENT_BUDGET, "The same budget, without caps around it."),
        "currency": Field(
            Text(most=3), "Only the publisher's own, ISO 4217: nothing is converted."
        ),
    },
    make=_placement,
)


def _target(found: dict[str, Any]) -> PerformanceTarget:
    return PerformanceTarget(found["type"], found["value"])


def _order(found: dict[str, Any]) -> InsertionOrder:
    return InsertionOrder(
        found["number"], found["value"], found.get("startDate") or "", found.get("endDate") or ""
    )


_TARGET = Object(
    {
        "type": Field(Choice(("cpc", "cpa")), "Cost per click or per apply.", required=True),
        "value": Field(Money(), "The cost aimed at, 0 or more.", required=True),
    },
    make=_target,
)
_ORDER = Object(
    {
        "number": Field(Text(1, 100), "Number of the insertion order.", required=True),
        "value": Field(Integer(0), "Worth of the order, a whole number.", required=True),
        "startDate": Field(Day(), "First day, mm/dd/yyyy."),
        "endDate": Field(Day(), "Last day, mm/dd/yyyy."),
    },
    check=dates_in_order,
    make=_order,
)


def _one_publisher_once(found: dict[str, Any], at: str, faults: Faults) -> None:
    seen: set[str] = set()
    for n, placement in enumerate(found.get("placements") or ()):
        if placement.publisher_id in seen:
            faults.append(Fault(f"{at}/placements/{n}/value", "is there twice"))
        seen.add(placement.publisher_id)


def _sound_group(found: dict[str, Any], at: str, faults: Faults) -> None:
    dates_in_order(found, at, faults)
    _one_publisher_once(found, at, faults)


_EDITABLE = {
    "cpcBid": Field(Money(), "CPC bid of the job group; 0 if absent."),
    "cpaBid": Field(Money(), "CPA bid of the job group; 0 if absent."),
    "endDate": Field(Day(), "Last day, mm/dd/yyyy; a year after the first if absent."),
    "priority": Field(
        Integer(0, 10), "0 to 10; of several groups that match a job the lowest wins; 1 if absent."
    ),
    "daysToSchedule": Field(
        ListOf(Integer(0, 6), 1, 7, unique=True), "Weekdays on which it trades, 0 is Monday; all."
    ),
    "performanceTargets": Field(
        ListOf(_TARGET, most=2), "What is aimed at, at most two. Kept; nothing acts on it yet."
    ),
    "ioDetails": Field(
        ListOf(_ORDER, most=100), "Insertion orders, at most 100. Kept; nothing acts on it."
    ),
    "categories": Field(ListOf(Text(1, 200), most=200), "Categories, for your own use."),
    "settingsOverride": Field(OVERRIDE, "What it has other than its campaign."),
    "adWordsMetadata": Field(Opaque(), "Kept and given back as it is."),
}
_NAME = Text(1, 200)
CREATE = Object(
    {
        "name": Field(_NAME, "Name of the job group.", required=True),
        "startDate": Field(Day(), "First day, mm/dd/yyyy; today if absent. It stays."),
        "filters": Field(Filter(), "Which jobs it takes.", required=True),
        "caps": Field(
            caps_shape(budget_required=True, per_job=True),
            "What it may spend and get; the budget is required.",
            required=True,
            aliases=("Caps",),
        ),
        "placements": Field(
            ListOf(PLACEMENT_IN, 1, _MOST_PLACEMENTS), "Publishers, at least one.", required=True
        ),
    }
    | _EDITABLE,
    check=_sound_group,
)
UPDATE = Object(
    {
        "name": Field(_NAME, "Name of the job group."),
        "startDate": Field(Day(), "Only as it stands: it cannot be changed."),
        "filters": Field(Filter(), "Which jobs it takes.", aliases=("Compound Filters",)),
        "caps": Field(
            caps_change_shape(per_job=True), "Each that is given replaces its like.",
            aliases=("Caps",),
        ),
        "placements": Field(
            ListOf(PLACEMENT_IN, 1, _MOST_PLACEMENTS), "Replaces the whole list of publishers."
        ),
    }
    | _EDITABLE,
    check=_one_publisher_once,
)  # fmt: skip
NAMES = {
    "name": "name", "startDate": "start_on", "endDate": "end_on", "cpcBid": "cpc_bid_micros",
    "cpaBid": "cpa_bid_micros", "filters": "filters", "placements": "placements",
    "performanceTargets": "performance_targets", "ioDetails": "insertion_orders",
    "categories": "categories", "daysToSchedule": "days", "adWordsMetadata": "ad_words",
}  # fmt: skip


def _spell_placement(placement: Placement) -> dict[str, Any]:
    found: dict[str, Any] = {"value": placement.publisher_id, "is_active": placement.active}
    if placement.bid_micros is not None:
        found["bid"] = number_of(placement.bid_micros)
    if placement.budget is not None:
        found["caps"] = {"budget": spell_cap(placement.budget, money=True)}
    if placement.currency:
        found["currency"] = placement.currency
    return found


def _spell_placement_cap(placement: Placement) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if placement.budget is not None:
        found["budget"] = spell_cap(placement.budget, money=True)
    if placement.bid_micros is not None:
        found["bid"] = number_of(placement.bid_micros)
    return found | {"isActive": placement.active}


def spell_group(group: Group, campaign_id: str) -> dict[str, Any]:
    """A job group as the contract writes it; what we add stands behind, so that what is read can
    be sent back.
    """
    body = group.body
    filters = body.filters
    return {
        "id": group.id,
        "Compound Filters": {} if filters is None else spell(filters, "ALL_ANY"),
        "name": body.name,
        "placementIds": [placement.publisher_id for placement in body.placements],
        "activeStatus": group.status,
        "settingsOverride": spell_override(body.override),
        "adWordsMetadata": body.ad_words,
        "createdOn": iso_of(group.created_at),
        "isDefault": group.is_default,
        "caps": spell_caps(body.caps),
        "placementCaps": {p.publisher_id: _spell_placement_cap(p) for p in body.placements},
        "priority": group.priority,
        "performanceTargets": [
            {"type": target.type, "value": number_of(target.value_micros)}
            for target in body.performance_targets
        ],
        "ioDetails": [
            {
                "number": order.number, "value": order.value,
                "startDate": spell_day(order.start_on), "endDate": spell_day(order.end_on),
            }
            for order in body.insertion_orders
        ],
        "categories": body.categories,
        "iid": body.iid,
        "campaignId": campaign_id,
        "startDate": spell_day(body.start_on),
        "endDate": spell_day(body.end_on),
        "cpcBid": number_of(body.cpc_bid_micros),
        "cpaBid": number_of(body.cpa_bid_micros),
        "filters": {} if filters is None else spell(filters, "AND_OR"),
        "placements": [_spell_placement(placement) for placement in body.placements],
        "daysToSchedule": list(body.days),
        "lastUpdated": iso_of(group.updated_at),
    }  # fmt: skip
