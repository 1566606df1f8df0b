"""Changes of published bids, each with all that it was made of.

An answer tells every input in full, so that the law of ``core.pacing.bids`` gives the same bid of
it to the micro. **Source**: docs/decisions/0046, 0052.
"""

from typing import Annotated, Final

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from handbill.contract.envelopes import Page
from handbill.contract.rates.models import Rate
from handbill.core.pacing import targets
from handbill.core.pacing.bids import BidLine, Binding
from handbill.kit.money import micros_of, number_of
from handbill.wire.fields import Id, Instant, Money, Percent, SaidDay
from handbill.wire.models import Model
from handbill.wire.queries import Paged

_MOST: Final = 10**9
Ppm = Annotated[int, Percent(_MOST)]
Amount = Annotated[
    int,
    PlainValidator(lambda number: micros_of(abs(number)) * (-1 if number < 0 else 1)),
    PlainSerializer(number_of),
    WithJsonSchema({"type": "number"}),
]
"""Money; of a cap that counts clicks or applies, their number. It may be below 0."""


class CapView(Model):
    """A cap as it was at that time, and what was expected under it."""

    name: str = Field(description="The cap: the level and id of its entity, and its name in caps.")
    value: Amount = Field(description="Its value.")
    used: Amount = Field(description="Used in the period.")
    used_today: Amount = Field(alias="usedToday", description="Used today.")
    share: Amount = Field(description="Target of the day.")
    most: Amount = Field(alias="ceiling", description="Maximum for the day.")
    tomorrow: Amount = Field(description="Target for tomorrow, if today meets its share.")
    brake: Amount | None = Field(description="Brake line. Null: no brake.")
    even: bool = Field(description="Whether bids are lowered to spread it over the day.")
    paced: bool = Field(description="Whether it has a share for each day.")
    renews: bool = Field(description="Whether tomorrow is the first day of a new period.")
    flight_now: Amount = Field(
        alias="inFlightToday", description="Expected today of the feeds that other publishers have."
    )
    open_now: Amount = Field(
        alias="openToday", description="Expected for the rest of today at full bids."
    )
    flight_then: Amount = Field(
        alias="inFlightTomorrow", description="As inFlightToday, for tomorrow."
    )
    open_then: Amount = Field(alias="openTomorrow", description="As openToday, for tomorrow.")


class TargetView(Model):
    """A target cost, and the inputs of its bid."""

    kind: targets.Kind = Field(
        alias="type", description="cpa: cost per apply. cpc: highest cost of a click."
    )
    target_micros: Money = Field(alias="target", description="The target.")
    rate_ppm: Ppm = Field(
        alias="applyRate",
        description="Percentage of clicks expected to become applies, less a quarter of the "
        "standard error.",
    )
    correction_ppm: Ppm = Field(
        alias="correction", description="Correction by realised costs, in percent."
    )
    former_micros: Money = Field(
        alias="formerBid", description="Former bid for the target. 0: none."
    )
    is_prior: bool = Field(
        alias="isPrior",
        description="Whether the rate is a default, because there are no applies yet.",
    )


class Life(Model):
    """Expected spend of this version of the feed, at full bids, until it is replaced."""

    now: Amount = Field(alias="today", description="Expected spend today.")
    then: Amount = Field(alias="tomorrow", description="Tomorrow.")


class Window(Model):
    """The part of the jobs that is listed, in a fixed shuffled order."""

    place: int = Field(alias="first", description="Position of the first.")
    jobs: int = Field(description="Number of jobs, continuing at the start after the last.")
    next_ppm: int = Field(
        alias="next", description="Start of the next window, in millionths of a job."
    )


class BidChange(Model):
    """A change of a published bid."""

    at: Instant = Field(description="When it was decided.")
    publisher_id: str = Field(alias="publisherId", description="The publisher.")
    version: Instant | None = Field(
        alias="fileVersion", description="First version of its feed with this bid. Null: none yet."
    )
    base_micros: Money = Field(alias="baseBid", description="The bid that was set.")
    source: str = Field(
        alias="bidSource",
        description="Source of baseBid, as in explain. MIXED: jobs differ, and it is their mean.",
    )
    bid_micros: Money = Field(alias="bid", description="The bid in force.")
    price_micros: Money = Field(alias="price", description="The price that publishers see.")
    factor_ppm: Ppm = Field(alias="factor", description="Bid in percent of the bid that was set.")
    listed_ppm: Ppm = Field(alias="listed", description="Percentage of jobs that are listed.")
    let_ppm: Ppm = Field(alias="let", description="Percentage of full spend that is allowed.")
    listed_jobs: int = Field(alias="listedJobs", description="Number of listed jobs.")
    matching_jobs: int = Field(alias="matchingJobs", description="Number of jobs that match.")
    binding: list[Binding] = Field(
        description="What determined the bid. RULE: a rule lowers it. CPA: the target cost per "
        "apply. LEASH: the limit of a single change. BUDGET: the cap named in cap. FLOOR: the "
        "minimum bid. DEAD_BAND: the former bid stays, because the new one is near it. MARKDOWN: "
        "the price is lower than the bid. Empty: the bid as set."
    )
    cap: str = Field(description="The cap that binds, by its name in caps. Empty: none.")
    rule_ppm: Ppm = Field(alias="rule", description="Percentage of the bid that rules leave.")
    target: TargetView | None = Field(description="Target cost per apply. Null: none.")
    target_bid_micros: Money | None = Field(alias="targetBid", description="Bid for the target.")
    views: list[CapView] = Field(
        alias="caps", description="Every cap that applies to it, as it was at that time."
    )
    life: Life = Field(
        alias="copy", description="What the new version of the feed was expected to spend."
    )
    former_micros: Money = Field(alias="formerBid", description="Bid before. 0: none.")
    min_bid_micros: Money = Field(alias="minBid", description="The publisher's minimum bid.")
    whole_micros: Money = Field(alias="step", description="Bids are whole multiples of it.")
    unit_micros: Money = Field(alias="unit", description="Prices are whole multiples of it.")
    said_micros: Money = Field(
        alias="saidBid",
        description="The bid as set in the publisher's currency, if it was set so for all jobs. "
        "While bid equals baseBid, price is computed from it. 0: it was not set so.",
    )
    rate_picos: Rate = Field(
        alias="rate",
        description="Value of one unit of the publisher's currency in the agency's. price and "
        "unit are in the publisher's.",
    )
    markdown_ppm: Ppm = Field(alias="markdown", description="Percent taken off the bid.")
    elasticity_ppm: Ppm = Field(
        alias="elasticity", description="How clicks follow bids. 100: in proportion."
    )
    start_ppm: int = Field(
        alias="start", description="Start of the window, in millionths of a job."
    )
    window: Window = Field(description="Which jobs are listed.")


class BidPage(Page[BidChange]):
    """Changes of bids, newest first."""


class BidsAsked(Paged):
    """Which changes are asked for."""

    publisher_id: Id | None = Field(
        None, alias="publisherId", description="Only of this publisher."
    )
    from_on: SaidDay = Field("", alias="from", description="First day, in the client's zone.")
    to_on: SaidDay = Field("", alias="to", description="Last day, included.")


def change_told(line: BidLine, publisher_id: str, at: int, version: int | None) -> BidChange:
    """A line of the log as it is told."""
    step, bid = line
    views = [
        CapView.of(**{"name": one.name, **one.mark._asdict(), **one.ahead._asdict()})
        for one in step.views
    ]
    rows = step._asdict() | bid._asdict()
    rows |= {
        "at": at,
        "publisher_id": publisher_id,
        "version": version,
        "views": views,
        "listed_jobs": bid.window.jobs,
        "binding": list(bid.binding),
        "life": Life.of(step.life),
        "window": Window.of(bid.window, place=bid.window.first),
        "target": None if step.target is None else TargetView.of(step.target),
    }
    return BidChange.of(**rows)
