"""How entities stand, as it is told: status, delivery, reasons, and what would mend them."""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field, WithJsonSchema

from handbill.contract.caps import is_none
from handbill.contract.standing.fixes import request_of
from handbill.core.pacing.caps import Felt
from handbill.core.standing import reasons as core
from handbill.core.standing.reasons import Code
from handbill.kit.instants import MINUTE
from handbill.kit.money import number_of
from handbill.kit.zones import Period
from handbill.listings.resolving import Around, HeldFile, Told
from handbill.wire.fields import Day, Instant, Money, Percent
from handbill.wire.models import Model

_CAP: Final = "params: cap, period, value, used, inFlight, share."
ABOUT: Final[dict[Code, str]] = {
    Code.PAUSED: "it is switched off.",
    Code.PARENT_PAUSED: "what stands above it is switched off; level and entityId name it.",
    Code.NOT_STARTED: "it, or what stands above it, starts later. params: date.",
    Code.EXPIRED: "it, or what stands above it, has ended. params: date.",
    Code.OFF_DAY: "the job group does not trade on this weekday. params: days.",
    Code.CAP_ZERO: f"a cap is 0. {_CAP}",
    Code.CAP_REACHED: "what is left of a cap, or of the day of a paced one, does not pay for one "
    f"more at the cheapest bid. {_CAP}",
    Code.CAP_IN_FLIGHT: "the feeds that publishers hold are expected to use up what is left of a "
    f"cap. {_CAP}",
    Code.CAP_LOCKED: "what is left of the job group's budget is locked for other publishers. "
    f"params: publisherId; {_CAP.removeprefix('params: ')}",
    Code.CAP_BRAKING: "what is used and in flight has reached the brake line (thresholdP) of a "
    f"cap: only as many jobs are listed as fit into the rest. It does not block. {_CAP}",
    Code.PACED: "bids are lowered, or a part of the jobs is listed, so that a cap lasts. It does "
    f"not block. {_CAP} And let: percent of the full spend that is let through.",
    Code.NO_PLACEMENT: "the job group has no publisher.",
    Code.PLACEMENT_PAUSED: "the placement is switched off. params: publisherId, jobGroupId.",
    Code.PUBLISHER_PAUSED: "the publisher is switched off. params: publisherId.",
    Code.EXCLUDED: "the client excludes the publisher. params: publisherId.",
    Code.CLIENT_TYPE: "the publisher takes other types of clients. params: publisherId.",
    Code.NOT_POSTED: "the publisher is paid by posting, and lists only posted jobs. params: "
    "publisherId.",
    Code.NO_RATE: "there is no exchange rate for the publisher's currency. params: publisherId, "
    "currency.",
    Code.NO_GROUP: "no job group takes the job.",
    Code.NO_JOBS: "the job group has no job that may be listed, or none that the publisher may "
    "get. params: jobs, how many there are; publisherId and jobGroupId of a placement.",
    Code.JOBS_CAPPED: "jobs have reached caps of their own. It blocks where all have. params: "
    "jobs, cappedJobs.",
    Code.INVALID: "the job lacks mandatory fields.",
    Code.NO_URL: "the job has no URL.",
    Code.JOB_EXCLUDES: "the job's own settings exclude the publisher. params: publisherId.",
    Code.NO_BID: "there is no bid. params: publisherId, jobGroupId, jobs, bid, minBid.",
    Code.BELOW_MIN_BID: "the bid is below the publisher's minimum. params: publisherId, "
    "jobGroupId, jobs, bid, minBid.",
    Code.BELOW_UNIT: "after markdown the price is below the currency's smallest amount. params: "
    "publisherId, jobGroupId, jobs, bid, minBid.",
    Code.NOT_FETCHED: "the publisher has not fetched its feed for three times its usual interval. "
    "It does not block. params: publisherId, fetchedOn, refreshMinutes.",
    Code.NONE_BELOW: "nothing of it is listed: each campaign or job group below is stopped. Their "
    "own states tell why.",
}
"""When each code holds, and which params it has."""
_CODES: Final = "".join(f"\n- {code}: {text}" for code, text in ABOUT.items())
Amount = Annotated[Decimal | int, WithJsonSchema({"type": "number"})]


class ReasonParams(Model):
    """Facts of a reason: those that its code names."""

    cap: str = Field(
        exclude_if=lambda it: not it,
        description="Name of the cap: budget, clicks, applies, jobBudget, jobClicks, jobApplies.",
    )
    period: Period = Field(exclude_if=lambda it: not it, description="Period of the cap.")
    value: Amount | None = Field(exclude_if=is_none, description="The cap: money, or a number.")
    used: Amount | None = Field(exclude_if=is_none, description="Used in this period.")
    in_flight: Amount | None = Field(
        alias="inFlight",
        exclude_if=is_none,
        description="Expected of the feeds that publishers hold, until they fetch again.",
    )
    share: Amount | None = Field(
        exclude_if=is_none, description="Target of today, where the cap is spread over days."
    )
    let_ppm: Annotated[int, Percent()] | None = Field(
        alias="let", exclude_if=is_none, description="Percent of the full spend let through."
    )
    on: Day = Field(alias="date", exclude_if=lambda it: not it, description="First or last day.")
    days: list[int] = Field(
        exclude_if=lambda it: not it, description="Weekdays on which it trades, 0 is Monday."
    )
    publisher_id: str = Field(
        alias="publisherId", exclude_if=lambda it: not it, description="The publisher."
    )
    group_id: str = Field(
        alias="jobGroupId", exclude_if=lambda it: not it, description="The job group."
    )
    bid_micros: Money | None = Field(alias="bid", exclude_if=is_none, description="The bid set.")
    min_bid_micros: Money | None = Field(
        alias="minBid", exclude_if=is_none, description="The publisher's minimum bid."
    )
    currency: str = Field(exclude_if=lambda it: not it, description="The publisher's currency.")
    jobs: int | None = Field(exclude_if=is_none, description="Number of jobs.")
    capped_jobs: int | None = Field(
        alias="cappedJobs", exclude_if=is_none, description="Jobs that a cap of their own stops."
    )
    fetched_at: Instant | None = Field(
        alias="fetchedOn", exclude_if=is_none, description="Last fetch."
    )
    refresh_minutes: int | None = Field(
        alias="refreshMinutes", exclude_if=is_none, description="Usual interval between fetches."
    )


class Request(Model):
    """A request that is ready to be sent."""

    method: Literal["PUT"] = Field(description="Its method.")
    path: str = Field(description="Its path.")
    body: dict[str, Any] | None = Field(description="Its body. Null: none.")


class Reason(Model):
    """A cause, where it is, and what would mend it."""

    code: Code = Field(description=f"The cause, out of a closed list:{_CODES}")
    level: core.Level = Field(description="Where the cause is.")
    entity_id: str = Field(
        alias="entityId", description="Id of what the cause is at; of a placement, the publisher's."
    )
    name: str = Field(description="Its name.")
    words: str = Field(alias="description", description="The cause, in words.")
    blocking: bool = Field(description="Whether nothing is listed for it.")
    since_at: Instant | None = Field(
        alias="since", description="Since when it holds. Null: evaluated with this answer."
    )
    until_at: Instant | None = Field(
        alias="until", description="When it ends by itself. Null: it does not, or nobody knows."
    )
    params: ReasonParams = Field(description="Its facts.")
    fix: Request | None = Field(
        description="A request that mends this cause; change it as you like. Null: there is none."
    )


class HeldCopy(Model):
    """Which version of its feed a publisher has, and when it will have the next."""

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
        alias="nextFetchOn", description="Expected next fetch: until then changes are not felt."
    )
    current: bool = Field(description="Whether it has the latest version.")


class ResolvedStatus(Model):
    """How an entity stands, and why."""

    status: core.Status = Field(description="Effective state, by the first reason.")
    description: str = Field(description="The first reason, in words.")
    delivery: Felt = Field(
        description="FULL: as set. PACED: bids lowered, or fewer jobs, so that a cap lasts. "
        "BRAKING: near a cap. STOPPED: nothing is listed."
    )
    since_at: Instant | None = Field(
        alias="since", description="Since when. Null: as long as it has been looked at."
    )
    evaluated_at: Instant | None = Field(
        alias="evaluatedAt", description="When control looked at it last. Null: not yet."
    )
    reasons: list[Reason] = Field(
        description="What it is so for. If it is stopped, the first one decides."
    )
    also_holding: list[Reason] = Field(
        alias="alsoHolding", description="What would still stop it if the first reason were gone."
    )
    publishers: list[HeldCopy] = Field(description="Which version each of its publishers has.")


def status_told(found: Told) -> ResolvedStatus:
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


def _reason(around: Around, one: core.Reason) -> Reason:
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
