"""How entities stand, as it is told: status, delivery, reasons, and what would mend them."""

from decimal import Decimal
from operator import not_
from typing import Annotated, Any, Final, Literal

from pydantic import Field, WithJsonSchema

from handbill.contract.standing.fixes import request_of
from handbill.core.pacing.caps import Felt
from handbill.core.standing import reasons as core
from handbill.core.standing.reasons import Code
from handbill.kit.instants import MINUTE
from handbill.kit.money import number_of
from handbill.kit.zones import Period
from handbill.listings.resolving import AroundEntity, HeldFile, ResolvedEntity
from handbill.wire.fields import Day, Instant, Money, Percent
from handbill.wire.models import Model, is_none

_CAP: Final = "params: cap, period, value, used, inFlight, share."
ABOUT: Final[dict[Code, str]] = {
    Code.PAUSED: "it is paused.",
    Code.PARENT_PAUSED: "a parent is paused; level and entityId name it.",
    Code.HELD_BY_RULE: "a rule holds it, or a parent. This is independent of the users' own "
    "switches. params: ruleId, runId; publisherId and jobGroupId for a placement.",
    Code.NOT_STARTED: "it, or a parent, starts later. params: date.",
    Code.EXPIRED: "it, or a parent, has ended. params: date.",
    Code.OFF_DAY: "the job group is not active on this weekday. params: days.",
    Code.CAP_ZERO: f"a cap is 0. {_CAP}",
    Code.CAP_REACHED: "the rest of a cap, or of the day's target of a paced cap, does not pay for "
    f"one more at the cheapest bid. {_CAP}",
    Code.CAP_IN_FLIGHT: "the feeds that publishers have are expected to use up the rest of a cap. "
    f"{_CAP}",
    Code.CAP_LOCKED: "the rest of the job group's budget is reserved for other publishers. "
    f"params: publisherId; {_CAP.removeprefix('params: ')}",
    Code.CAP_BRAKING: "used and expected spend has reached the brake line (thresholdP) of a cap. "
    f"Only as many jobs are listed as the rest can pay for. It does not block. {_CAP}",
    Code.PACED: "bids are lowered, or only some jobs are listed, so that a cap lasts. It does "
    f"not block. {_CAP} And let: the share of the full spend that is let through, in percent.",
    Code.NO_PLACEMENT: "the job group has no publisher.",
    Code.PLACEMENT_PAUSED: "the placement is not active. params: publisherId, jobGroupId.",
    Code.PUBLISHER_PAUSED: "the publisher is paused. params: publisherId.",
    Code.EXCLUDED: "the client has excluded the publisher. params: publisherId.",
    Code.CLIENT_TYPE: "the publisher takes other types of clients. params: publisherId.",
    Code.NOT_POSTED: "the publisher is paid per posting and lists only posted jobs. params: "
    "publisherId.",
    Code.NO_RATE: "there is no exchange rate of the last 7 days. params: publisherId, currency.",
    Code.NO_GROUP: "no job group matches the job.",
    Code.NO_JOBS: "the job group has no job that may be listed, or none that the publisher may "
    "get. params: jobs (their number); publisherId and jobGroupId for a placement.",
    Code.JOBS_CAPPED: "jobs have reached their own caps. It blocks if all have. params: "
    "jobs, cappedJobs; cap, if it is the job group's cap for each job.",
    Code.INVALID: "the job lacks mandatory fields.",
    Code.NO_URL: "the job has no URL.",
    Code.JOB_EXCLUDES: "the job's own settings exclude the publisher. params: publisherId.",
    Code.NO_BID: "there is no bid. Its level is JOB if the job's own bid is 0. params: "
    "publisherId, jobGroupId, jobs, bid, minBid.",
    Code.BELOW_MIN_BID: "the bid is below the publisher's minimum. params: publisherId, "
    "jobGroupId, jobs, bid, minBid, currency.",
    Code.BELOW_UNIT: "after markdown the price is below the currency's smallest amount. params: "
    "publisherId, jobGroupId, jobs, bid, minBid, currency.",
    Code.NOT_FETCHED: "the publisher has not fetched its feed for three times its usual interval. "
    "It does not block. params: publisherId, fetchedOn, refreshMinutes.",
    Code.NONE_BELOW: "nothing is listed, because every campaign or job group in it is stopped. "
    "Their own states say why.",
}
"""When each code holds, and which params it has."""
_CODES: Final = "".join(f"\n- {code}: {text}" for code, text in ABOUT.items())
Amount = Annotated[Decimal | int, WithJsonSchema({"type": "number"})]


class ReasonParams(Model):
    """Details of a cause. Its code says which ones are present."""

    cap: str = Field(
        exclude_if=not_,
        description="Name of the cap: budget, clicks, applies, jobBudget, jobClicks, jobApplies.",
    )
    period: Period = Field(exclude_if=not_, description="Period of the cap.")
    value: Amount | None = Field(exclude_if=is_none, description="The cap: money, or a number.")
    used: Amount | None = Field(exclude_if=is_none, description="Used in this period.")
    in_flight: Amount | None = Field(
        alias="inFlight",
        exclude_if=is_none,
        description="Expected from the feeds that publishers have, until they fetch again.",
    )
    share: Amount | None = Field(
        exclude_if=is_none, description="Today's target, if the cap is spread over days."
    )
    let_ppm: Annotated[int, Percent()] | None = Field(
        alias="let", exclude_if=is_none, description="Percent of the full spend let through."
    )
    on: Day = Field(alias="date", exclude_if=not_, description="First or last day.")
    days: list[int] = Field(
        exclude_if=not_, description="Weekdays on which it is active, 0 is Monday."
    )
    publisher_id: str = Field(alias="publisherId", exclude_if=not_, description="The publisher.")
    group_id: str = Field(alias="jobGroupId", exclude_if=not_, description="The job group.")
    bid_micros: Money | None = Field(alias="bid", exclude_if=is_none, description="The bid set.")
    min_bid_micros: Money | None = Field(
        alias="minBid",
        exclude_if=is_none,
        description="The publisher's minimum bid, in its currency.",
    )
    currency: str = Field(
        exclude_if=not_,
        description="Currency of minBid, if it is not the agency's. With NO_RATE: the one without "
        "a rate.",
    )
    jobs: int | None = Field(exclude_if=is_none, description="Number of jobs.")
    capped_jobs: int | None = Field(
        alias="cappedJobs",
        exclude_if=is_none,
        description="Number of jobs that are stopped by their own caps.",
    )
    fetched_at: Instant | None = Field(
        alias="fetchedOn", exclude_if=is_none, description="Last fetch."
    )
    refresh_minutes: int | None = Field(
        alias="refreshMinutes", exclude_if=is_none, description="Usual interval between fetches."
    )
    rule_id: str = Field(alias="ruleId", exclude_if=not_, description="The rule that holds it.")
    run_id: str = Field(alias="runId", exclude_if=not_, description="The run that placed the hold.")


class Request(Model):
    """A request that is ready to be sent."""

    method: Literal["PUT"] = Field(description="Its method.")
    path: str = Field(description="Its path.")
    body: dict[str, Any] | None = Field(description="Its body. Null: none.")


class Reason(Model):
    """A cause, where it applies, and a request that removes it."""

    code: Code = Field(description=f"The cause:{_CODES}")
    level: core.Level = Field(description="The level at which the cause applies.")
    entity_id: str = Field(
        alias="entityId",
        description="Id of the entity at which the cause applies; for a placement, the "
        "publisher's.",
    )
    name: str = Field(description="Its name.")
    words: str = Field(alias="description", description="The cause, in words.")
    blocking: bool = Field(description="Whether it prevents all listings.")
    since_at: Instant | None = Field(
        alias="since", description="When it began. Null: it was evaluated for this answer."
    )
    until_at: Instant | None = Field(
        alias="until",
        description="When it ends by itself. Null: it does not, or the time is unknown.",
    )
    params: ReasonParams = Field(description="Details of the cause.")
    fix: Request | None = Field(
        description="A request that removes this cause; adjust it as needed. Null: there is none."
    )


class HeldCopy(Model):
    """The version of its feed that a publisher has, and when it is expected to fetch the next."""

    id: str = Field(description="Id of the publisher.")
    name: str = Field(description="Its name.")
    written_at: Instant | None = Field(
        alias="writtenOn", description="Version of the feed now. Null: none was written yet."
    )
    version: Instant | None = Field(
        alias="heldVersion", description="Version that the publisher has. Null: it never fetched."
    )
    fetched_at: Instant | None = Field(alias="fetchedOn", description="Last fetch or delivery.")
    refresh_minutes: int | None = Field(
        alias="refreshMinutes", description="Usual interval between fetches."
    )
    next_at: Instant | None = Field(
        alias="nextFetchOn",
        description="When the next fetch is expected. Changes have no effect there before it.",
    )
    current: bool = Field(description="Whether it has the latest version.")


class ResolvedStatus(Model):
    """The effective state of an entity, with its reasons."""

    status: core.Status = Field(description="Effective state, by the first reason.")
    description: str = Field(description="The first reason, in words.")
    delivery: Felt = Field(
        description="FULL: as set. PACED: lower bids or fewer jobs, so that a cap lasts. "
        "BRAKING: fewer jobs, because a cap is nearly used. STOPPED: nothing is listed."
    )
    since_at: Instant | None = Field(
        alias="since",
        description="When this state began. Null: it has not changed since it was first evaluated.",
    )
    evaluated_at: Instant | None = Field(
        alias="evaluatedAt",
        description="When it was last evaluated in the background. Null: not yet.",
    )
    reasons: list[Reason] = Field(
        description="The reasons for the state. If it is stopped, the first one decides."
    )
    also_holding: list[Reason] = Field(
        alias="alsoHolding", description="Reasons that would remain if the first one were removed."
    )
    publishers: list[HeldCopy] = Field(
        description="The version of the feed that each of its publishers has."
    )


def status_told(found: ResolvedEntity) -> ResolvedStatus:
    """A state as it is told."""
    one = found.resolved
    return ResolvedStatus.of(
        one,
        since_at=one.since_at or None,
        evaluated_at=found.evaluated_at,
        reasons=[_reason(found.around, it) for it in one.reasons],
        also_holding=[_reason(found.around, it) for it in one.also_holding],
        publishers=list(map(_copy, found.files)),
    )


def _reason(around: AroundEntity, one: core.Reason) -> Reason:
    fix = request_of(around, one)
    return Reason.of(
        one,
        since_at=one.since_at or None,
        params=_params(one.params),
        fix=None if fix is None else Request.of(**fix),
    )


def _params(params: core.Params) -> ReasonParams:
    is_money = params.cap.lower().endswith("budget")
    amounts = {
        name: number_of(value) if is_money and value is not None else value
        for name in ("value", "used", "in_flight", "share")
        for value in (getattr(params, name),)
    }
    minutes = None if params.rhythm is None else params.rhythm // MINUTE
    return ReasonParams.of(params, days=list(params.days), refresh_minutes=minutes, **amounts)


def _copy(one: HeldFile) -> HeldCopy:
    copy = one.copy
    held = copy and copy.held
    return HeldCopy.of(
        id=one.publisher.id,
        name=one.publisher.body.name,
        written_at=copy and copy.written_at,
        version=held and (held.version or None),
        fetched_at=held and (held.fetched_at or None),
        refresh_minutes=held and held.rhythm // MINUTE,
        next_at=held and held.next_at,
        current=copy is not None and copy.held.version == copy.written_at,
    )
