"""Job groups, as they are read and told. **Source**: contract 1 (26 to 33), domain 1.5, 14.9 to
14.13.
"""

from decimal import Decimal
from operator import not_
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AliasChoices, Field, StringConstraints

from handbill.contract.caps import (
    GroupCaps,
    LongBudget,
    NewGroupCaps,
    NewPlacementCaps,
    PlacementCaps,
)
from handbill.contract.envelopes import (
    STATUS,
    STORED,
    Dated,
    EndDay,
    Identified,
    Page,
    StartDay,
    Status,
    in_order,
)
from handbill.contract.filters import JobTree, JobTreeOfAll
from handbill.contract.overrides import SettingsOverride
from handbill.core import nouns
from handbill.kit.faults import Fault
from handbill.wire.fields import Day, Distinct, Filled, InCapitals, Key, Money, Whole
from handbill.wire.models import UNREAD, Model, is_none, partial
from handbill.wire.words import AnyCase
from handbill.wire.wrong import Wrong

_MOST_PLACEMENTS = 500
_BID = "Bid at this publisher. Default: the job group's."
_ACTIVE = "Whether it advertises at this publisher. Default: true."


def _plain(value: Any) -> Any:
    """Without decimals, which cannot be kept: no amount of money is among them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


Opaque = Annotated[dict[Key, Any], Field(max_length=200), AfterValidator(_plain)]
PublisherId = Annotated[str, Filled(100)]
Weekdays = Annotated[
    Distinct[Annotated[int, Whole(0, 6)]],
    Field(min_length=1, max_length=7),
    AfterValidator(tuple),
]


class Placement(Model):
    """A publisher within a job group."""

    publisher_id: PublisherId = Field(
        alias="value",
        validation_alias=AliasChoices("value", "pValue", "publisherId"),
        description="Publisher id.",
    )
    active: bool = Field(
        True,
        alias="is_active",
        validation_alias=AliasChoices("is_active", "isActive"),
        description=_ACTIVE,
    )
    bid_micros: Money | None = Field(None, alias="bid", exclude_if=is_none, description=_BID)
    caps: PlacementCaps | None = Field(
        None, exclude_if=is_none, description="Cap at this publisher: a budget, not Daily."
    )
    currency: Annotated[str, InCapitals, StringConstraints(max_length=3)] = Field(
        "",
        exclude_if=not_,
        description="ISO 4217 code of the bid: the agency's or the publisher's. Default: the "
        "agency's. Budgets are in the agency's.",
    )


def _placement(
    caps: nouns.Cap | None = None, budget: nouns.Cap | None = None, **rows: Any
) -> nouns.Placement:
    return nouns.Placement(budget=caps or budget, **rows)


class NewPlacement(Placement):
    makes = staticmethod(_placement)
    inside: ClassVar = {"budget": "caps.budget"}
    caps: NewPlacementCaps | None = Field(
        None, description="Cap at this publisher: a budget, not Daily."
    )
    budget: LongBudget | None = Field(None, description="The same budget, without caps around it.")


class PlacementTerms(Model):
    """Budget, bid and switch of one publisher."""

    budget: LongBudget | None = Field(
        exclude_if=is_none, description="Maximum spend at this publisher."
    )
    bid_micros: Money | None = Field(alias="bid", exclude_if=is_none, description=_BID)
    active: bool = Field(alias="isActive", description=_ACTIVE)


class PerformanceTarget(Model):
    makes = nouns.PerformanceTarget
    type: Annotated[Literal["cpc", "cpa"], AnyCase()] = Field(
        description="Cost per click or per apply."
    )
    value_micros: Money = Field(alias="value", description="The target cost, 0 or more.")


def _order(start_on: str = "", end_on: str = "", **rows: Any) -> nouns.InsertionOrder:
    return nouns.InsertionOrder(start_on=start_on, end_on=end_on, **rows)


class InsertionOrder(Model):
    makes = staticmethod(_order)
    number: Annotated[str, Filled(100)] = Field(description="Number of the insertion order.")
    value: Annotated[int, Whole()] = Field(description="Value of the order, a whole number.")
    start_on: Day = Field("", alias="startDate", description="First day, mm/dd/yyyy.")
    end_on: Day = Field("", alias="endDate", description="Last day, mm/dd/yyyy.")

    _in_order = in_order


def _each_once(placements: list[NewPlacement]) -> list[NewPlacement]:
    seen: set[str] = set()
    faults = []
    for n, placement in enumerate(placements):
        if placement.publisher_id in seen:
            faults.append(Fault(f"/{n}/value", "is given twice"))
        seen.add(placement.publisher_id)
    if faults:
        raise Wrong(*faults)
    return placements


Placements = Annotated[
    list[NewPlacement],
    Field(min_length=1, max_length=_MOST_PLACEMENTS),
    AfterValidator(_each_once),
]


class _Rows(Model):
    """What a job group is made of, in the order in which it is told."""

    name: Annotated[str, Filled()] = Field(description="Name of the job group.")
    override: SettingsOverride = Field(
        UNREAD,
        alias="settingsOverride",
        description="Settings that override the campaign's.",
    )
    ad_words: Opaque = Field(
        UNREAD, alias="adWordsMetadata", description="Stored and returned unchanged."
    )
    caps: NewGroupCaps = Field(
        validation_alias=AliasChoices("caps", "Caps"),
        description="Limits on spend, clicks and applies per period.",
    )
    priority: Annotated[int, Whole(0, 10)] = Field(
        1,
        description="0 to 10; of several job groups that match a job, the lowest wins. Absent: 1.",
    )
    performance_targets: Annotated[list[PerformanceTarget], Field(max_length=2)] = Field(
        UNREAD,
        alias="performanceTargets",
        description="Target costs, at most two. cpc: the highest bid for a click. cpa: at "
        "publishers paid by the click, the bid is the target times the rate at which clicks "
        "become applies there (about 4.6 % until there are applies), slowly corrected by the real "
        "cost of applies. It changes by at most a fifth at a time. At publishers paid by the "
        "apply, it is the highest bid. A bid is never above the one set, and a budget may lower "
        "it further. 0: no target. Costs are counted before markups.",
    )
    insertion_orders: Annotated[list[InsertionOrder], Field(max_length=100)] = Field(
        UNREAD, alias="ioDetails", description=f"Insertion orders, at most 100. {STORED}"
    )
    categories: Annotated[list[Annotated[str, Filled()]], Field(max_length=200)] = Field(
        UNREAD, description="Categories, for your own use."
    )
    start_on: StartDay = ""
    end_on: EndDay = ""
    cpc_bid_micros: Money = Field(
        0, alias="cpcBid", description="CPC bid of the job group. Default: 0."
    )
    cpa_bid_micros: Money = Field(
        0, alias="cpaBid", description="CPA bid of the job group. Default: 0."
    )
    filters: JobTree = Field(description="Decides which jobs it takes; spelled with AND and OR.")
    placements: Placements = Field(
        description="The placements, at least one. An update replaces the whole list."
    )
    days: Weekdays = Field(
        UNREAD,
        alias="daysToSchedule",
        description="Weekdays on which it advertises; 0 is Monday. Default: all.",
    )
    delivery: Annotated[Literal["EVEN", "ASAP"], AnyCase()] | None = Field(
        None,
        exclude_if=is_none,
        description="An addition to the contract. How budgets are spent. EVEN: over the day, by "
        "lower bids, down to a quarter of what is set. ASAP: at the bids that are set, until the "
        "brake line. Default: EVEN for caps that are paced, Daily or Weekly, else ASAP.",
    )


class NewJobGroup(_Rows):
    makes = staticmethod(lambda priority=1, **rows: nouns.GroupBody(**rows))  # noqa: ARG005

    _in_order = in_order


class _Changed(_Rows):
    filters: JobTree = Field(
        validation_alias=AliasChoices("filters", "Compound Filters"),
        description="Decides which jobs it takes.",
    )


GroupChange = partial(_Changed, "JobGroupChange")


class _Standing(Model):
    of_all: JobTreeOfAll = Field(
        alias="Compound Filters", description="Filters that select the jobs, with ALL and ANY."
    )
    placement_ids: list[str] = Field(alias="placementIds", description="Ids of its publishers.")
    status: Status = Field(alias="activeStatus", description=STATUS)
    is_default: bool = Field(
        alias="isDefault", description="Whether it is the client's default job group."
    )
    placement_caps: dict[str, PlacementTerms] = Field(
        alias="placementCaps", description="Budget, bid and switch by publisher id."
    )
    iid: int = Field(description="Number of the job group within the client.")
    campaign_id: str = Field(alias="campaignId", description="Id of its campaign.")


class JobGroup(Dated, _Rows, _Standing, Identified):
    """A job group: which jobs are advertised, where, at which bids and within which caps."""

    first = (
        "id",
        "of_all",
        "name",
        "placement_ids",
        "status",
        "override",
        "ad_words",
        "created_at",
        "is_default",
        "caps",
        "placement_caps",
        "priority",
        "performance_targets",
        "insertion_orders",
        "categories",
        "iid",
        "campaign_id",
    )
    caps: GroupCaps = Field(description="Limits on spend, clicks and applies per period.")  # type: ignore[assignment]
    placements: list[Placement] = Field(  # type: ignore[assignment]
        description="The placements, in the form in which they can be sent back."
    )
    days: list[int] = Field(
        alias="daysToSchedule", description="Weekdays on which it advertises; 0 is Monday."
    )


class JobGroupPage(Page[JobGroup]):
    """Job groups, oldest first."""


def placed(one: nouns.Placement) -> Placement:
    """A placement in the form in which it can be sent back."""
    caps = None if one.budget is None else PlacementCaps.of(budget=one.budget)
    return Placement.of(one, caps=caps)


def group_told(group: nouns.Group, campaign_id: str) -> JobGroup:
    body = group.body
    return JobGroup.of(
        body,
        id=group.id,
        of_all=body.filters,
        placement_ids=[one.publisher_id for one in body.placements],
        status=group.status,
        is_default=group.is_default,
        placement_caps={one.publisher_id: PlacementTerms.of(one) for one in body.placements},
        priority=group.priority,
        campaign_id=campaign_id,
        placements=list(map(placed, body.placements)),
        days=list(body.days),
        created_at=group.created_at,
        updated_at=group.updated_at,
    )
