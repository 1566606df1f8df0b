"""Caps as they stand: used, pace, forecast, what was missed, what was not billed, and why."""

from decimal import Decimal
from operator import not_
from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from handbill.control.outlooks import Budget, Budgeted, Outlook
from handbill.control.outlooks import Unbilled as Came
from handbill.core.charging import Measure
from handbill.core.nouns import Campaign, Client, Group
from handbill.core.pacing.caps import Felt
from handbill.core.pacing.outlook import Unspent
from handbill.core.standing.reasons import Status
from handbill.kit.instants import MINUTE
from handbill.kit.money import PPM, number_of
from handbill.kit.zones import Period
from handbill.wire.fields import Day, Instant, Money, Percent
from handbill.wire.models import Model

_MOST: Final = 10**9
Ppm = Annotated[int, Percent(_MOST)]
Amount = Annotated[Decimal | int, WithJsonSchema({"type": "number"})]
WHY: Final[dict[Unspent, str]] = {
    Unspent.NOT_TRADING: "the entity is stopped, but not by a cap; its resolved-status says why.",
    Unspent.STOPPED_ABOVE: "another cap of the entity or of a parent stops it.",
    Unspent.PACED_ABOVE: "another cap of the entity or of a parent paces or brakes it.",
    Unspent.LATE_START: "it started after the period began.",
    Unspent.CAPPED_BELOW: "caps at lower levels stop, pace or brake their own entities.",
    Unspent.JOBS_CAPPED: "jobs have reached their own caps.",
    Unspent.TARGET: "bids are lowered for a target (performanceTargets).",
    Unspent.PACED: "the cap itself paced or braked up to now; bids rise with what is left.",
    Unspent.NO_DEMAND: "nothing limits it: publishers send no more at these bids.",
}
_CAUSES: Final = "".join(f"\n- {cause}: {text}" for cause, text in WHY.items())


class ForecastEnd(Model):
    """What the cap will have used by the end of its period."""

    end: Amount = Field(alias="value", description="Expected. At most the cap's value.")
    low: Amount = Field(
        description="Lower bound. With a probability of 80 percent, the result is "
        "between low and high."
    )
    high: Amount = Field(description="Upper bound; see low.")


class MissedClicks(Model):
    """Clicks that were lost in the period because of caps, estimated from the usual traffic."""

    by_bid: int = Field(alias="bidLowered", description="Lost because bids were lowered.")
    by_listing: int = Field(
        alias="listingLowered", description="Lost because fewer or no jobs were listed."
    )


class UnbilledAt(Model):
    """Unbilled clicks and applies of a publisher."""

    id: str = Field(description="Id of the publisher.")
    name: str = Field(description="Its name.")
    count: int = Field(description="How many.")
    value: Money = Field(description="What they would have cost.")
    refresh_minutes: int | None = Field(
        alias="refreshMinutes",
        description="Usual interval between its fetches. Until the next one, it still shows what "
        "is capped. Null: it has no feed.",
    )


class Unbilled(Model):
    """Clicks and applies that came when the cap was used up. They are not charged."""

    count: int = Field(description="How many.")
    value: Money = Field(description="What they would have cost.")
    publishers: list[UnbilledAt] = Field(description="The same by publisher.")


class CapStatus(Model):
    """A cap in figures: money, or a number of clicks or applies."""

    measure: Measure = Field(alias="cap", description="What the cap limits.")
    publisher_id: str = Field(
        alias="publisherId",
        exclude_if=not_,
        description="The publisher's id, if the cap is for one publisher.",
    )
    period: Period = Field(description="Its period.")
    first_on: Day = Field(
        alias="startDate",
        description="First day of the period, or of the entity if it starts later.",
    )
    last_on: Day | None = Field(
        alias="endDate",
        description="Last day of the period, or of the entity if it ends sooner. Null: no end.",
    )
    value: Amount = Field(description="Its value.")
    used: Amount = Field(description="Used in the period.")
    used_today: Amount = Field(alias="usedToday", description="Used today.")
    share: Amount | None = Field(
        description="Target for today. Null: the cap is not spread over days."
    )
    ceiling: Amount | None = Field(
        description="Maximum charged today. Null: only the value itself limits it."
    )
    in_flight: Amount = Field(
        alias="inFlight",
        description="Expected of the feeds that publishers have, until they fetch again.",
    )
    felt: Felt = Field(
        alias="delivery",
        description="Effect on listings. FULL: none. PACED: lower bids, or fewer jobs. BRAKING: "
        "fewer jobs, because the cap is nearly used. STOPPED: nothing is listed.",
    )
    pace_ppm: Ppm | None = Field(
        alias="pace",
        description="Use so far, in percent of even use weighted by usual traffic. Null on the "
        "first day.",
    )
    ahead: ForecastEnd | None = Field(
        alias="forecastEnd",
        description="Forecast for the end of the period. Null on the first day.",
    )
    in_budget_ppm: Ppm | None = Field(
        alias="timeInBudget",
        description="Percentage of the time since startDate in which the cap neither stopped nor "
        "braked. Null: no time has passed.",
    )
    missed: MissedClicks = Field(
        alias="missedClicks", description="Clicks lost in the period because of caps."
    )
    unbilled: Unbilled = Field(description="Clicks and applies that came when the cap was used up.")
    unspent: list[Unspent] = Field(
        alias="unspentBecause",
        description="Why less than 99 percent of it is expected to be used. Empty: more is "
        f"expected, or there is no forecast.{_CAUSES}",
    )


class StateInBrief(Model):
    """The effective state, as in resolved-status."""

    status: Status = Field(description="Effective state.")
    description: str = Field(description="The first reason, in words.")
    delivery: Felt = Field(description="FULL, PACED, BRAKING or STOPPED.")


class JobGroupBudget(Model):
    """A job group and its caps."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")
    state: StateInBrief = Field(
        alias="resolvedStatus",
        description="Its state, in brief. Its resolved-status has all reasons.",
    )
    caps: list[CapStatus] = Field(description="Its caps, and those of its placements.")


class CampaignBudget(JobGroupBudget):
    """A campaign, its caps, and its job groups."""

    groups: list[JobGroupBudget] = Field(
        alias="jobGroups", description="Its job groups, but the default one."
    )


class ClientBudget(JobGroupBudget):
    """A client, its caps, and its campaigns."""

    currency: str = Field(description="Currency of all amounts.")
    today: Day = Field(alias="date", description="Today, in the client's zone.")
    evaluated_at: Instant | None = Field(
        alias="evaluatedAt",
        description="Last evaluation in the background: inFlight, delivery, timeInBudget, "
        "missedClicks and unbilled are as of then, all else is current. Null: none yet.",
    )
    campaigns: list[CampaignBudget] = Field(description="Its campaigns.")


def budget_told(found: Budget) -> ClientBudget:
    """A client's caps as they are told."""
    return ClientBudget.of(
        **_entity(found.client),
        currency=found.currency,
        today=found.today.isoformat(),
        evaluated_at=found.evaluated_at,
        campaigns=[
            CampaignBudget.of(
                **_entity(one), groups=[JobGroupBudget.of(**_entity(it)) for it in below]
            )
            for one, below in found.below
        ],
    )


def _group(found: Budgeted) -> JobGroupBudget:
    return JobGroupBudget.of(**_entity(found))


def _entity(found: Budgeted) -> dict[str, object]:
    one = found.one
    return {
        "id": one.id,
        "name": name_of(one),
        "state": StateInBrief.of(found.resolved),
        "caps": [CapStatus.of(**cap_told(it)) for it in found.caps],
    }


def name_of(one: Client | Campaign | Group) -> str:
    return one.body.company_name if isinstance(one, Client) else one.body.name


def cap_told(one: Outlook) -> dict[str, object]:
    """The rows of a cap's figures."""
    measure, mark = one.key[2], one.mark
    figure = number_of if measure == "budget" else _counted
    ahead = one.ahead
    ceiling = one.ceiling
    return {
        "measure": measure,
        "publisher_id": one.publisher_id,
        "period": one.cap.period,
        "first_on": one.first.isoformat(),
        "last_on": one.last and one.last.isoformat(),
        "value": figure(mark.value),
        "used": figure(mark.used),
        "used_today": figure(mark.used_today),
        "share": figure(mark.share) if mark.paced or mark.even else None,
        "ceiling": number_of(ceiling) if ceiling is not None and measure == "budget" else ceiling,
        "in_flight": figure(one.noted.in_flight),
        "felt": one.noted.felt,
        "pace_ppm": one.pace_ppm,
        "ahead": ahead
        and ForecastEnd.of(end=figure(ahead.end), low=figure(ahead.low), high=figure(ahead.high)),
        "in_budget_ppm": one.in_budget_ppm,
        "missed": MissedClicks.of(one.missed),
        "unbilled": _unbilled(one.unbilled),
        "unspent": one.unspent,
    }


def _counted(millionths: int) -> int:
    return millionths // PPM


def _unbilled(some: list[Came]) -> Unbilled:
    return Unbilled.of(
        count=sum(one.events for one in some),
        value=sum(one.micros for one in some),
        publishers=[
            UnbilledAt.of(
                id=one.publisher.id,
                name=one.publisher.body.name,
                count=one.events,
                value=one.micros,
                refresh_minutes=None if one.rhythm is None else one.rhythm // MINUTE,
            )
            for one in some
        ],
    )
