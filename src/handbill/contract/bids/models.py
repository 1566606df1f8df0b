"""Changes of published bids, each with all that it was made of.

An answer tells every input in full, so that the law of ``core.pacing.bids`` gives the same bid of
it to the micro. **Source**: docs/decisions/0046, 0052.
"""

from typing import Annotated, Final

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from handbill.contract.envelopes import Page
from handbill.contract.rates.models import Rate
from handbill.core.pacing import targets
from handbill.core.pacing.bids import Binding, Line
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
    """A cap, as it stood, and what was expected under it."""

    name: str = Field(description="Which cap: its level, id and name.")
    value: Amount = Field(description="Its value.")
    used: Amount = Field(description="Used in the period.")
    used_today: Amount = Field(alias="usedToday", description="Used today.")
    share: Amount = Field(description="Target of the day.")
    most: Amount = Field(alias="ceiling", description="Most that the day can take.")
    tomorrow: Amount = Field(description="Target of tomorrow, if today meets its share.")
    brake: Amount | None = Field(description="Brake line. Null: no brake.")
    even: bool = Field(description="Whether bids are lowered to spread it over the day.")
    paced: bool = Field(description="Whether it has a share for each day.")
    renews: bool = Field(description="Whether tomorrow is the first day of a new period.")
    flight_now: Amount = Field(
        alias="inFlightToday", description="Expected today of feeds that other publishers hold."
    )
    open_now: Amount = Field(
        alias="openToday", description="Expected of the rest of today at full bids."
    )
    flight_then: Amount = Field(alias="inFlightTomorrow", description="In flight, tomorrow.")
    open_then: Amount = Field(alias="openTomorrow", description="Open, tomorrow.")


class TargetView(Model):
    """A target cost per apply, and what its bid is made of."""

    kind: targets.Kind = Field(
        alias="type", description="cpa: cost per apply. cpc: the most that a click may cost."
    )
    target_micros: Money = Field(alias="target", description="The target.")
    rate_ppm: Ppm = Field(
        alias="applyRate",
        description="Percent of clicks that are expected to become applies, less a quarter of the "
        "standard error.",
    )
    correction_ppm: Ppm = Field(alias="correction", description="Percent, by realised costs.")
    former_micros: Money = Field(alias="formerBid", description="Bid for it before. 0: none.")
    is_prior: bool = Field(alias="isPrior", description="Whether no apply has come yet.")


class Life(Model):
    """Expected spend of this copy at full bids until it is replaced."""

    now: Amount = Field(alias="today", description="Today.")
    then: Amount = Field(alias="tomorrow", description="Tomorrow.")


class Window(Model):
    """The part of the jobs that is listed, in their fixed mixed order."""

    place: int = Field(alias="first", description="Place of the first.")
    jobs: int = Field(description="How many, round the end.")
    next_ppm: int = Field(alias="next", description="Where the next begins, in 1/10^6 of a job.")


class BidChange(Model):
    """A change of a published bid."""

    at: Instant = Field(description="When it was decided.")
    publisher_id: str = Field(alias="publisherId", description="The publisher.")
    version: Instant | None = Field(
        alias="fileVersion", description="First version of its feed with this bid. Null: not yet."
    )
    base_micros: Money = Field(alias="baseBid", description="The bid that was set.")
    source: str = Field(
        alias="bidSource", description="Source of it, as in explain; MIXED: jobs differ (mean)."
    )
    bid_micros: Money = Field(alias="bid", description="The bid in force.")
    price_micros: Money = Field(alias="price", description="The price that publishers see.")
    factor_ppm: Ppm = Field(alias="factor", description="Bid in percent of the bid that was set.")
    listed_ppm: Ppm = Field(alias="listed", description="Percent of the jobs that is listed.")
    let_ppm: Ppm = Field(alias="let", description="Percent of the full spend that is let through.")
    listed_jobs: int = Field(alias="listedJobs", description="Number of listed jobs.")
    matching_jobs: int = Field(alias="matchingJobs", description="Number of jobs that match.")
    binding: list[Binding] = Field(
        description="What made the bid what it is. RULE: a rule lowers it. CPA: the target cost "
        "per apply. LEASH: its change was limited to a step. BUDGET: a cap, named by cap. FLOOR: "
        "the least bid. DEAD_BAND: the former bid stays, because it is near. MARKDOWN: the price "
        "is lower than the bid. Empty: the bid as set."
    )
    cap: str = Field(description="The cap that binds, by its name in caps. Empty: none.")
    rule_ppm: Ppm = Field(alias="rule", description="Percent that rules leave of the bid.")
    target: TargetView | None = Field(description="Target cost per apply. Null: none.")
    target_bid_micros: Money | None = Field(alias="targetBid", description="Bid for the target.")
    views: list[CapView] = Field(alias="caps", description="Every cap over it, as it stood.")
    life: Life = Field(alias="copy", description="What the new copy would spend.")
    former_micros: Money = Field(alias="formerBid", description="Bid before. 0: none.")
    min_bid_micros: Money = Field(alias="minBid", description="The publisher's minimum bid.")
    whole_micros: Money = Field(alias="step", description="Bids are whole multiples of it.")
    unit_micros: Money = Field(alias="unit", description="Prices are whole multiples of it.")
    said_micros: Money = Field(
        alias="saidBid",
        description="The bid that was set, in the publisher's currency, if it was said in that for "
        "all jobs: while bid is baseBid, price is made of it. 0: it was not.",
    )
    rate_picos: Rate = Field(
        alias="rate",
        description="What one unit of the publisher's currency, in which price and unit are, is in "
        "the agency's.",
    )
    markdown_ppm: Ppm = Field(alias="markdown", description="Percent taken off the bid.")
    elasticity_ppm: Ppm = Field(
        alias="elasticity", description="How clicks follow bids: 100 is in proportion."
    )
    start_ppm: int = Field(alias="start", description="Where the window begins, 1/10^6 of a job.")
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


def change_told(line: Line, publisher_id: str, at: int, version: int | None) -> BidChange:
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
