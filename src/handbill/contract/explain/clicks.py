"""What became of a click, row by row: its link, each check, each cap, its charge, what followed."""

from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from handbill.contract.caps import is_none
from handbill.core.charging import Measure, Scope
from handbill.core.click_checks import Found, Step
from handbill.kit.zones import Period
from handbill.ledger.explaining import MOST_TOLD, State
from handbill.wire.fields import Day, Instant, Money, Percent
from handbill.wire.models import Model

_MOST_PPM: Final = 10**9
Amount = Annotated[Decimal | int, WithJsonSchema({"type": "number"})]
Ppm = Annotated[int, Percent(_MOST_PPM)]


class ClickLink(Model):
    """The tracked link that was followed."""

    bid_type: str = Field(alias="bidType", description="Billing model of the publisher.")
    bid_micros: Money | None = Field(
        alias="bid",
        description="The bid that the link froze. Null: the entry does not say it, and only the "
        "full click id does.",
    )
    price_micros: Money | None = Field(
        alias="price",
        description="The price that the link froze, in the publisher's currency. Null: as bid.",
    )
    counted_bid_micros: Money | None = Field(
        alias="countedBid",
        description="The bid at which it counts: lower than bid once the price had ended and the "
        "file showed a lower one. Null: not known.",
    )
    counted_price_micros: Money | None = Field(
        alias="countedPrice", description="The price at which it counts. Null: not known."
    )
    listed_at: Instant | None = Field(
        alias="listedOn",
        description="Since when the publisher's file showed the job at these terms: the first "
        "version of the file that carried the link. Null: the link does not say.",
    )
    version: Instant | None = Field(
        alias="heldVersion",
        description="Version of the file that the publisher had when the click came. Null: no "
        "fetch of before is kept (20 of each file are).",
    )
    fetched_at: Instant | None = Field(
        alias="fetchedOn", description="When the publisher had fetched that version."
    )
    ended_at: Instant | None = Field(
        alias="endedOn",
        description="When the link's price ended: the file showed the job at another price, or no "
        "more. Null: not until now, or it is not known.",
    )


class ClickVisitor(Model):
    """What is kept of who clicked."""

    ip: str | None = Field(
        description="The address, as far as it was to be kept (HANDBILL_IP_MODE). Null: nothing of "
        "it was kept."
    )
    agent: str | None = Field(description="Digest of the user agent. Null: there was none.")
    country: str | None = Field(description="Country of the address. Null: not known.")
    city: str | None = Field(description="City of the address. Null: not known.")


class ClickRules(Model):
    """The rules for clicks that held when it came."""

    bot: bool = Field(description="Whether bots were told.")
    by_agent: bool = Field(alias="byAgent", description="Whether by their user agent.")
    by_address: bool = Field(alias="byAddress", description="Whether by lists of addresses.")
    most_clicks: int | None = Field(
        alias="mostClicks", description="Clicks a day of one address. Null: no limit."
    )
    duplicate_seconds: int | None = Field(
        alias="duplicateSeconds", description="Window of duplicates. Null: off."
    )
    latent_seconds: int | None = Field(
        alias="latentSeconds",
        description="How long a click counts after the job left the file. Null: as long as the "
        "installation honours prices.",
    )
    foreign: str | None = Field(description="What area a click must be from. Null: any.")
    latency_minutes: int = Field(
        alias="latencyMinutes", description="The publisher's own latency, added to latentSeconds."
    )


class ClickSaw(Model):
    """What a step looked at, as far as it is kept."""

    ahead: str | None = Field(
        exclude_if=is_none, description="How the link was followed without a visit of the page."
    )
    agent: str | None = Field(exclude_if=is_none, description="Digest of the user agent.")
    agent_text: str | None = Field(
        alias="agentText",
        exclude_if=is_none,
        description="The user agent of a program that decided, while it is kept.",
    )
    ip: str | None = Field(exclude_if=is_none, description="The address as it was kept.")
    clicks_before: int | None = Field(
        alias="clicksBefore",
        exclude_if=is_none,
        description="Clicks of the address on that day before it.",
    )
    country: str | None = Field(exclude_if=is_none, description="Country of the address.")
    city: str | None = Field(exclude_if=is_none, description="City of the address.")
    differs_by: str | None = Field(
        alias="differsBy",
        exclude_if=is_none,
        description="By what the address is outside the job's area: country, state or city.",
    )
    opened_at: Instant | None = Field(
        alias="firstClickOn",
        exclude_if=is_none,
        description="When the same visitor had clicked on the job before.",
    )
    first_id: str | None = Field(
        alias="firstClickId", exclude_if=is_none, description="That click, if it is still there."
    )
    left_at: Instant | None = Field(
        alias="leftOn",
        exclude_if=is_none,
        description="When its listing had left the publisher's file.",
    )
    replaced_at: Instant | None = Field(
        alias="replacedOn",
        exclude_if=is_none,
        description="Since when neither its price was honoured nor the publisher had a copy that "
        "showed it.",
    )
    grace_seconds: int | None = Field(
        alias="graceSeconds",
        exclude_if=is_none,
        description="How long after leftOn it counts all the same.",
    )


class ClickCheck(Model):
    """One step of the judgement."""

    step: Step = Field(alias="check", description="The step. They are in the order of judging.")
    found: Found = Field(
        alias="result",
        description="PASSED: it found nothing. DECIDED: it decided what the click counts as. OFF: "
        "no rule asks for it. NOT_REACHED: an earlier step had decided.",
    )
    words: str = Field(alias="description", description="The same in words.")
    saw: ClickSaw = Field(description="What it looked at, as far as it is kept.")


class ClickCap(Model):
    """A cap over the click, as it stood when the click came."""

    level: Scope = Field(
        description="What it is of: client, campaign, group, placement (of the job group), "
        "campaign_placement, job, group_job (each job of the job group), job_placement."
    )
    entity_id: str | None = Field(
        alias="entityId",
        description="Id of the client, campaign, job group or job. Null: it is gone.",
    )
    publisher_id: str | None = Field(
        alias="publisherId", exclude_if=is_none, description="Of a cap at one publisher: its id."
    )
    measure: Measure = Field(alias="cap", description="What it counts.")
    period: Period = Field(description="Its period.")
    ceiling_on: Day = Field(
        alias="ceilingOf",
        exclude_if=lambda it: not it,
        description="Of the day's ceiling of a paced cap: the day.",
    )
    value: Amount = Field(description="Its value then, or the day's ceiling.")
    used: Amount | None = Field(
        description="What was used of it by entries of before, in the period. Null: nobody can "
        "tell any more."
    )
    reserved: Amount = Field(description="What locked budgets of other publishers kept of it.")
    decided: bool = Field(description="Whether it had no room for the click.")
    as_now: bool = Field(
        alias="asNow",
        description="True: how it was set then is not known any more; this is how it is set now.",
    )


class ClickCharge(Model):
    """What the click cost."""

    charge_micros: Money = Field(alias="charge", description="What the publisher is owed.")
    spend_micros: Money = Field(alias="spend", description="The same at the bid.")
    marked_micros: Money = Field(
        alias="markedUp", description="What the customer pays; budgets count it."
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


class ClickExplanation(Model):
    """What became of a click, and why."""

    click_id: str = Field(alias="clickId", description="The click's id, as entries have it.")
    state: State = Field(
        description="JUDGED: it is booked. ACKNOWLEDGED: it waits to be judged. ABSENT: its id is "
        "genuine, and nothing else of it is here."
    )
    words: str = Field(alias="description", description="The same in words.")
    at: Instant = Field(alias="receivedOn", description="When the link was followed.")
    booked_at: Instant | None = Field(
        alias="bookedFor",
        description="The instant that its entry is dated: later than receivedOn if the month was "
        "closed by then. Null: it is not booked.",
    )
    client_id: str = Field(alias="clientId", description="Id of the client.")
    campaign_id: str | None = Field(alias="campaignId", description="Id of the campaign.")
    group_id: str | None = Field(alias="jobGroupId", description="Id of the job group.")
    publisher_id: str | None = Field(alias="publisherId", description="Id of the publisher.")
    job_id: str = Field(alias="jobId", description="Id of the job.")
    ref: str | None = Field(
        alias="refNumber", description="The job's reference number. Null: not known any more."
    )
    link: ClickLink = Field(description="What its tracked link says.")
    disposition: str | None = Field(description="What it counts as. Null: it is not judged.")
    reason: str | None = Field(description="Why it does not count. Null: it does.")
    visitor: ClickVisitor | None = Field(
        description="What is kept of who clicked. Null: it is not judged."
    )
    version: str | None = Field(
        alias="definitionVersion",
        description="Version of all that it was classed by. Null: it is not judged, or its entry "
        "does not say.",
    )
    rules: ClickRules | None = Field(
        description="The rules for clicks that held. Null: as definitionVersion."
    )
    checks: list[ClickCheck] = Field(description="Each step of the judgement, in its order.")
    caps: list[ClickCap] = Field(
        description="Each cap over it. They were looked at if no check had decided."
    )
    charge: ClickCharge | None = Field(description="What it cost. Null: it is not judged.")
    following: list[OfClick] = Field(
        alias="conversions",
        description=f"Its conversions and hires, oldest first, at most {MOST_TOLD}.",
    )
    corrections: list[OfClick] = Field(
        description="Corrections of its entries: each entry that takes one back, with amounts "
        "below 0, and each that stands for it now."
    )
    unknown: list[str] = Field(
        alias="notKnown", description="What is not known any more, and why, in words."
    )
