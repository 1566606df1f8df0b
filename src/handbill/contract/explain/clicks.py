"""What became of a click, row by row: its link, each check, each cap, its charge, what followed."""

from decimal import Decimal
from operator import not_
from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from handbill.core.charging import Measure, Scope
from handbill.core.click_checks import Found, Step
from handbill.core.click_definitions import REASONS
from handbill.kit.zones import Period
from handbill.ledger.explaining import MOST_TOLD, State
from handbill.wire.fields import Day, Instant, Money, Percent
from handbill.wire.models import Model, is_none

_MOST_PPM: Final = 10**9
Amount = Annotated[Decimal | int, WithJsonSchema({"type": "number"})]
Ppm = Annotated[int, Percent(_MOST_PPM)]
_REASONS: Final = ", ".join(reason for some in REASONS.values() for reason in some)


class ClickLink(Model):
    """The tracked link that was followed."""

    bid_type: str = Field(alias="bidType", description="Billing model of the publisher.")
    bid_micros: Money | None = Field(
        alias="bid",
        description="The bid frozen in the link. Null: unknown; only the full click id contains "
        "it.",
    )
    price_micros: Money | None = Field(
        alias="price",
        description="The price frozen in the link, in the publisher's currency. Null: as for bid.",
    )
    counted_bid_micros: Money | None = Field(
        alias="countedBid",
        description="The bid at which it counts. It is lower than bid if the price had ended and "
        "the file showed a lower one. Null: unknown.",
    )
    counted_price_micros: Money | None = Field(
        alias="countedPrice", description="The price at which it counts. Null: not known."
    )
    listed_at: Instant | None = Field(
        alias="listedOn",
        description="When the publisher's file first contained the job at this price. Null: "
        "unknown.",
    )
    version: Instant | None = Field(
        alias="heldVersion",
        description="Version of the file that the publisher had when the click came. Null: "
        "unknown; only the last 20 fetches of a file are stored.",
    )
    fetched_at: Instant | None = Field(
        alias="fetchedOn", description="When the publisher had fetched that version."
    )
    ended_at: Instant | None = Field(
        alias="endedOn",
        description="When the link's price ended, because the file dropped the job or changed its "
        "price. Null: it has not ended, or this is unknown.",
    )


class ClickVisitor(Model):
    """Stored data of the visitor."""

    ip: str | None = Field(
        description="The address, as stored (HANDBILL_IP_MODE). Null: not stored."
    )
    agent: str | None = Field(description="Digest of the user agent. Null: there was none.")
    country: str | None = Field(description="Country of the address. Null: not known.")
    city: str | None = Field(description="City of the address. Null: not known.")


class ClickRules(Model):
    """The rules for clicks that applied when it came."""

    bot: bool = Field(description="Whether bots were detected.")
    by_agent: bool = Field(alias="byAgent", description="Whether by user agent.")
    by_address: bool = Field(alias="byAddress", description="Whether by lists of addresses.")
    most_clicks: int | None = Field(
        alias="mostClicks", description="Maximum clicks per day of one address. Null: no limit."
    )
    duplicate_seconds: int | None = Field(
        alias="duplicateSeconds", description="Window of duplicates. Null: off."
    )
    latent_seconds: int | None = Field(
        alias="latentSeconds",
        description="How long a click counts after the job left the file. Null: as long as "
        "HANDBILL_PRICE_HOURS.",
    )
    foreign: str | None = Field(description="Area from which a click must come. Null: any.")
    latency_minutes: int = Field(
        alias="latencyMinutes", description="The publisher's own latency, added to latentSeconds."
    )


class ClickSaw(Model):
    """What a step examined, as far as it is stored."""

    ahead: str | None = Field(
        exclude_if=is_none, description="How the link was followed without a visit."
    )
    agent: str | None = Field(exclude_if=is_none, description="Digest of the user agent.")
    agent_text: str | None = Field(
        alias="agentText",
        exclude_if=is_none,
        description="The user agent that decided, while it is stored.",
    )
    ip: str | None = Field(exclude_if=is_none, description="The address, as stored.")
    clicks_before: int | None = Field(
        alias="clicksBefore",
        exclude_if=is_none,
        description="Earlier clicks of the address on that day.",
    )
    country: str | None = Field(exclude_if=is_none, description="Country of the address.")
    city: str | None = Field(exclude_if=is_none, description="City of the address.")
    differs_by: str | None = Field(
        alias="differsBy",
        exclude_if=is_none,
        description="How the address differs from the job's area: country, state or city.",
    )
    opened_at: Instant | None = Field(
        alias="firstClickOn",
        exclude_if=is_none,
        description="When the same visitor clicked on the job before.",
    )
    first_id: str | None = Field(
        alias="firstClickId",
        exclude_if=is_none,
        description="Id of that click, if it is still stored.",
    )
    left_at: Instant | None = Field(
        alias="leftOn",
        exclude_if=is_none,
        description="When its listing left the publisher's file.",
    )
    replaced_at: Instant | None = Field(
        alias="replacedOn",
        exclude_if=is_none,
        description="When its price was no longer valid and the publisher no longer had a copy "
        "that showed it.",
    )
    grace_seconds: int | None = Field(
        alias="graceSeconds",
        exclude_if=is_none,
        description="Seconds after leftOn within which it still counts.",
    )


class ClickCheck(Model):
    """One step of the judgement."""

    step: Step = Field(alias="check", description="The step, in the order of judging.")
    found: Found = Field(
        alias="result",
        description="PASSED: it found nothing. DECIDED: it decided what the click counts as. OFF: "
        "no rule asks for it, or it has no list. NOT_REACHED: an earlier step had decided.",
    )
    words: str = Field(alias="description", description="The same in words.")
    saw: ClickSaw = Field(description="What it examined, as far as it is stored.")


class ClickCap(Model):
    """A cap that applied to the click, as it was when the click came."""

    level: Scope = Field(
        description="Level of the cap: client, campaign, group, placement (of the job group), "
        "campaign_placement, job, group_job (each job of the job group), job_placement."
    )
    entity_id: str | None = Field(
        alias="entityId",
        description="Id of the client, campaign, job group or job. Null: it is gone.",
    )
    publisher_id: str | None = Field(
        alias="publisherId",
        exclude_if=is_none,
        description="The publisher's id, for a cap at one publisher.",
    )
    measure: Measure = Field(alias="cap", description="What it counts.")
    period: Period = Field(description="Its period.")
    ceiling_on: Day = Field(
        alias="ceilingOf",
        exclude_if=not_,
        description="The day, where value is a paced cap's ceiling of one day. Absent: value is "
        "that of the whole period.",
    )
    value: Amount = Field(description="Its value then, or the day's ceiling.")
    used: Amount | None = Field(
        description="Amount used in the period by earlier entries. Null: no longer known."
    )
    reserved: Amount = Field(description="Amount reserved by locked budgets of other publishers.")
    decided: bool = Field(
        description="Whether this cap had no room left for the click, so that it was not charged."
    )
    as_now: bool = Field(
        alias="asNow",
        description="True: its setting at that time is no longer known; this is the present one.",
    )


class ClickCharge(Model):
    """What the click cost."""

    charge_micros: Money = Field(alias="charge", description="Amount owed to the publisher.")
    spend_micros: Money = Field(alias="spend", description="Amount at the bid.")
    marked_micros: Money = Field(
        alias="markedUp", description="Amount that the customer pays, which budgets count."
    )
    agency_ppm: Ppm = Field(alias="agencyMarkup", description="The agency's markup, in percent.")
    override_ppm: Ppm = Field(
        alias="overrideMarkup", description="The markup of settingsOverride, in percent."
    )
    currency: str = Field(description="Currency of the amounts.")


class OfClick(Model):
    """What followed from the click: a conversion, a hire, a correction."""

    id: str | None = Field(description="Id of its entry. Null: it is not booked yet.")
    kind: str = Field(description="VIEW, APPLY_START, APPLY or HIRE; of a correction, CLICK too.")
    at: Instant = Field(description="When it happened, or was booked for.")
    disposition: str = Field(
        description="What became of it; waiting: it is not judged yet, or waits for its click."
    )
    reason: str | None = Field(description="Why. Null: there is no more to say.")
    application_id: str | None = Field(
        alias="jobApplicationId", description="The application's id. Null: none."
    )
    source: str = Field(description="Where it came from.")
    charge_micros: Amount = Field(alias="charge", description="What the publisher is owed for it.")
    marked_micros: Amount = Field(alias="markedUp", description="What the customer pays for it.")


class CorrectionOfClick(OfClick):
    """A correction of the click's entry, or of one that followed from it."""

    sign: int = Field(
        description="-1: it cancels the entry of correctedId. 1: it replaces that entry."
    )
    corrected_id: str = Field(alias="correctedId", description="Id of the entry that it corrects.")


class ClickExplanation(Model):
    """What became of a click, and why."""

    click_id: str = Field(alias="clickId", description="The click's id, as entries have it.")
    state: State = Field(
        description="JUDGED: it is booked. ACKNOWLEDGED: it waits to be judged. ABSENT: its id is "
        "valid, but nothing else is known of it."
    )
    words: str = Field(alias="description", description="The same in words.")
    at: Instant = Field(alias="receivedOn", description="When the link was followed.")
    booked_at: Instant | None = Field(
        alias="bookedFor",
        description="Date of its entry. It is later than receivedOn if the month was already "
        "closed. Null: it is not booked.",
    )
    client_id: str = Field(alias="clientId", description="Id of the client.")
    campaign_id: str | None = Field(alias="campaignId", description="Id of the campaign.")
    group_id: str | None = Field(alias="jobGroupId", description="Id of the job group.")
    publisher_id: str | None = Field(alias="publisherId", description="Id of the publisher.")
    job_id: str = Field(alias="jobId", description="Id of the job.")
    ref: str | None = Field(
        alias="refNumber", description="The job's reference number. Null: not known any more."
    )
    link: ClickLink = Field(description="Content of its tracked link.")
    disposition: str | None = Field(description="What it counts as. Null: it is not judged.")
    reason: str | None = Field(
        description=f"Why it does not count: {_REASONS}, or the cap without room. Null: it does."
    )
    visitor: ClickVisitor | None = Field(
        description="Stored data of the visitor. Null: it is not judged."
    )
    version: str | None = Field(
        alias="definitionVersion",
        description="Version of the rules by which it was classified. Null: it is not judged, or "
        "its entry does not say.",
    )
    rules: ClickRules | None = Field(
        description="The rules for clicks that applied. Null: as for definitionVersion."
    )
    checks: list[ClickCheck] = Field(description="Each step of the judgement, in its order.")
    caps: list[ClickCap] = Field(
        description="Each cap that applied to it. Caps are examined only if no check decided."
    )
    charge: ClickCharge | None = Field(description="What it cost. Null: it is not judged.")
    following: list[OfClick] = Field(
        alias="conversions",
        description=f"Its conversions and hires, oldest first, at most {MOST_TOLD}.",
    )
    corrections: list[CorrectionOfClick] = Field(
        description="Corrections of its entries, in their order: each entry that cancels one, with "
        "negative amounts, and the entry that replaces that one."
    )
    unknown: list[str] = Field(alias="notKnown", description="What is no longer known, and why.")
