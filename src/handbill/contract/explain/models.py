"""Why a job is, or is not, in each publisher's feed, as it is told."""

from typing import Annotated, Any, Literal

from pydantic import Field

from handbill.contract.caps import Caps, GroupCaps, JobCaps, PlacementCaps
from handbill.contract.envelopes import ChildName, IsDefaultGroup, Warned
from handbill.contract.explain.traces import FilterTrace, trace_told
from handbill.contract.jobgroups.models import NewJobGroup
from handbill.contract.jobs.answers import JobStatus, status_of
from handbill.contract.rates.models import Rate
from handbill.core import nouns
from handbill.core.bids import Bid, Offer
from handbill.core.rates import Exchange
from handbill.core.standing.reasons import Resolved, Status
from handbill.groups.explaining import Loser
from handbill.groups.service import groups_by_number
from handbill.host.settings import Settings
from handbill.listings.explaining import ClientShop, JobExplanation, PublisherOutcome
from handbill.listings.service import feed_url
from handbill.store.records import Tx
from handbill.wire.fields import Instant, Money, Percent
from handbill.wire.models import Model
from handbill.wire.pointers import pointers

_CAPS = "The caps that are set."


class State(Model):
    """An effective state, and the reason for it."""

    status: Status = Field(description="The effective state, as in resolved-status.")
    description: str = Field(description="The reason, in words.")


class ExplainedLevel(ChildName):
    """A client or campaign above the job."""

    state: State = Field(description="State of the job group at its last evaluation.")
    caps: Caps = Field(description=_CAPS)


class _OfGroup(Model):
    priority: int = Field(description="Of several job groups that match, the lowest wins.")
    campaign_id: str = Field(alias="campaignId", description="Id of its campaign.")
    warnings: list[Warned] = Field(
        description="Fields in its filter that no job of the client has. They may be misspelt."
    )


class ExplainedGroup(_OfGroup, ChildName):
    """The job group that the job belongs to."""

    first = ("id", "name", "state", "caps", "priority", "is_default", "campaign_id", "trace")
    state: State = Field(description="State of the job group at its last evaluation.")
    caps: GroupCaps = Field(description=_CAPS)
    is_default: IsDefaultGroup
    trace: FilterTrace | None = Field(
        alias="filter", description="Why the group matches. Null: it is the default group."
    )


class OtherGroup(_OfGroup, ChildName):
    """A job group that does not have the job."""

    first = ("id", "name", "priority", "campaign_id", "reason", "state", "trace")
    reason: Literal["NOT_ACTIVE", "NO_FILTER", "NO_MATCH", "LOWER_RANK"] = Field(
        description="Why it does not have the job."
    )
    state: State = Field(
        description="State of the job group. For NOT_ACTIVE: what keeps it out, now."
    )
    trace: FilterTrace | None = Field(
        alias="filter", description="Result of the group's filter. Null: not evaluated."
    )


class ExplainedJob(Model):
    """The job itself."""

    status: JobStatus = Field(description="The job's own status.")
    valid: bool = Field(description="Whether it has all mandatory fields.")
    missing: list[str] = Field(alias="missingFields", description="Mandatory fields that it lacks.")
    from_feed: bool = Field(alias="fromFeed", description="Whether it came from a feed.")
    listable: bool = Field(description="Whether it may be in a feed at all.")
    reasons: list[Literal["INVALID", "EXPIRED", "NO_URL"]] = Field(description="Why it may not.")
    caps: JobCaps = Field(description="Caps of this job alone.")


class Published(Model):
    """Current content of a publisher's feed."""

    feed_url: str | None = Field(
        alias="feedUrl", description="The publisher's feed of all clients. Null: none yet."
    )
    written_at: Instant | None = Field(
        alias="writtenOn", description="When the file was written. Null: not yet."
    )
    current: bool = Field(description="Whether it contains the latest decisions for every client.")
    looked_into: bool = Field(
        alias="lookedInto",
        description="Whether the file was searched. False: the client's part is too large.",
    )
    listed: bool | None = Field(description="Whether the job is in the file. Null: not examined.")
    bid_micros: Money | None = Field(alias="bid", description="The bid that its link freezes.")
    price_micros: Money | None = Field(
        alias="price", description="The price that its link freezes."
    )
    group_id: str | None = Field(
        alias="jobGroupId", description="The job group that its link freezes."
    )


class ExplainedPublisher(ChildName):
    """The job at one publisher."""

    bid_type: str = Field(alias="bidType", description="Billing model of the publisher.")
    listed: bool = Field(description="Whether the job belongs in its feed now.")
    reasons: list[str] = Field(
        description="All causes that keep it out: INVALID, EXPIRED, NO_URL, NO_GROUP, "
        "NOT_TRADING (see the states), CAPPED (a cap is used up, or is below the bid), "
        "HELD_BY_RULE (see resolved-status), PUBLISHER_INACTIVE, PUBLISHER_EXCLUDED (by the "
        "client), CLIENT_TYPE (the publisher takes other clients), NO_PLACEMENT and "
        "PLACEMENT_INACTIVE (in the job group), NOT_POSTED, JOB_PAUSED, JOB_NOT_IN_FORCE, "
        "JOB_EXCLUDES (by its allow-list or placement settings), NO_BID, NO_RATE (for the "
        "publisher's currency, or the bid's), BELOW_MIN_BID, BELOW_UNIT, THINNED (a cap allows "
        "only a part of the job group's jobs for now; they take turns)."
    )
    bid_micros: Money | None = Field(
        alias="bid",
        description="The bid that applies, in the agency's currency. Null: none, or no rate.",
    )
    bid_source: str | None = Field(
        alias="bidSource",
        description="Source of the bid: FLAT_CPC, JOB_PLACEMENT, PLACEMENT, JOB, JOBGROUP, FEED, "
        "ORGANIC, POSTING.",
    )
    markdown_ppm: Annotated[int, Percent()] | None = Field(
        alias="markdown", description="Percent taken off the bid."
    )
    price_micros: Money | None = Field(
        alias="price", description="Price that the publisher is shown. Null: the job is not listed."
    )
    min_bid_micros: Money = Field(alias="minBid", description="The publisher's minimum bid.")
    currency: str = Field(description="The publisher's currency: of price and minBid.")
    price_picos: Rate | None = Field(
        alias="priceRate",
        description="Value of one unit of currency in the agency's currency. Null: the same "
        "currency, or no rate.",
    )
    said_micros: Money | None = Field(
        alias="saidBid", description="The bid in the currency in which it was set. Null: none."
    )
    said_in: str | None = Field(alias="saidBidCurrency", description="The currency of saidBid.")
    said_picos: Rate | None = Field(
        alias="saidBidRate",
        description="Value of one unit of saidBidCurrency in the agency's currency. Null: the same "
        "currency, or no rate.",
    )
    caps: PlacementCaps = Field(description="Caps of the job group at this publisher.")
    published: Published = Field(description="Current content of the publisher's feed.")


class Explanation(Model):
    """Why a job is, or is not, in each publisher's feed."""

    ref: str = Field(alias="refNumber", description="The job's reference number.")
    job_id: str = Field(alias="jobId", description="The job's id.")
    client_id: str = Field(alias="clientId", description="Id of the job's client.")
    at: Instant = Field(description="Time of the explanation.")
    job: ExplainedJob = Field(description="The state of the job itself.")
    client: ExplainedLevel = Field(description="The client.")
    campaign: ExplainedLevel | None = Field(description="The campaign of its job group.")
    group: ExplainedGroup | None = Field(
        alias="jobGroup", description="The job group that it belongs to."
    )
    pending: bool = Field(description="Whether a change is still being matched to job groups.")
    others: list[OtherGroup] = Field(
        alias="otherJobGroups",
        description="Job groups that do not have it: highest ranked first, at most 100.",
    )
    other_count: int = Field(
        alias="otherJobGroupsTotal", description="Total number of these job groups."
    )
    publishers: list[ExplainedPublisher] = Field(description="All publishers of the agency.")


def explanation_of(
    tx: Tx, settings: Settings, client: nouns.Client, found: JobExplanation
) -> Explanation:
    """An explanation as it is told."""
    job, here = found.job, found.belonging
    frozen = {o.shop.listing.group_no for o in found.outcomes if o.shop.listing is not None}
    group_ids = {no: group.id for no, group in groups_by_number(tx, frozen).items()}
    placed = {one.publisher_id: one for one in here.group.body.placements} if here.group else {}
    return Explanation.of(
        ref=job.body.ref,
        job_id=job.id,
        client_id=client.id,
        at=found.now,
        job=_job(found),
        client=_level(client, client.body.company_name, found.states[0]),
        campaign=_campaign(found),
        group=_group(found),
        pending=here.pending,
        others=[_other(one, found.others.get(one.group.no)) for one in here.losers],
        other_count=here.loser_count,
        publishers=[
            _publisher(
                one,
                placed.get(one.publisher.id),
                _published(tx, settings, one, group_ids),
                found.exchange,
            )
            for one in found.outcomes
        ],
    )


def _job(found: JobExplanation) -> ExplainedJob:
    job = found.job
    settings = job.body.settings or nouns.JobSettings()
    return ExplainedJob.of(
        status=status_of(job, found.now),
        valid=job.valid,
        missing=list(job.body.missing),
        from_feed=job.feed_no is not None,
        listable=not found.unlistable,
        reasons=found.unlistable,
        caps=settings.setting.caps,
    )


def _level(one: nouns.Client | nouns.Campaign, name: str, state: Resolved) -> ExplainedLevel:
    return ExplainedLevel.of(id=one.id, name=name, state=state, caps=one.body.caps)


def _campaign(found: JobExplanation) -> ExplainedLevel | None:
    campaign = found.belonging.campaign
    if campaign is None or found.belonging.group is None:
        return None
    return _level(campaign, campaign.body.name, found.states[1])


def _group(found: JobExplanation) -> ExplainedGroup | None:
    here = found.belonging
    if here.campaign is None or here.group is None:
        return None
    return ExplainedGroup.of(
        here.group,
        name=here.group.body.name,
        state=found.states[2],
        caps=here.group.body.caps,
        campaign_id=here.campaign.id,
        trace=trace_told(here.trace),
        warnings=pointers(NewJobGroup, here.warnings),
    )


def _other(one: Loser, stands: Resolved | None) -> OtherGroup:
    return OtherGroup.of(
        one,
        id=one.group.id,
        name=one.group.body.name,
        priority=one.group.priority,
        state=stands or one.state,
        campaign_id=one.campaign.id,
        trace=trace_told(one.trace),
        warnings=pointers(NewJobGroup, one.warnings),
    )


def _bid_as_given(bid: Bid | None, currency: str) -> dict[str, Any]:
    """A bid as it was said. ``currency``: the agency's."""
    if bid is None:
        return {"said_micros": None, "said_in": None, "said_picos": None}
    micros, said_in, picos = bid.said
    if not said_in:
        micros, said_in = bid.micros or 0, currency
    return {"said_micros": micros, "said_in": said_in, "said_picos": picos or None}


def _publisher(
    one: PublisherOutcome,
    placement: nouns.Placement | None,
    published: Published,
    exchange: Exchange,
) -> ExplainedPublisher:
    body, bid = one.publisher.body, one.bid
    return ExplainedPublisher.of(
        body,
        id=one.publisher.id,
        listed=one.offer is not None,
        reasons=list(map(str, one.reasons)),
        bid_micros=None if bid is None else bid.micros,
        bid_source=None if bid is None else str(bid.source),
        price_picos=exchange.picos(body.currency) or None,
        **_bid_as_given(bid, exchange.currency),
        markdown_ppm=None if bid is None else one.markdown_ppm,
        price_micros=one.offer.price_micros if isinstance(one.offer, Offer) else None,
        caps=PlacementCaps.of(budget=placement and placement.budget),
        published=published,
    )


def _published(
    tx: Tx, settings: Settings, one: PublisherOutcome, group_ids: dict[int, str]
) -> Published:
    shop: ClientShop = one.shop
    listing, publisher = shop.listing, one.publisher
    return Published.of(
        shop,
        feed_url=feed_url(tx, settings, publisher.no, gzipped=publisher.body.compressed),
        written_at=None if shop.file is None else shop.file.written_at,
        listed=listing is not None if shop.looked_into else None,
        bid_micros=None if listing is None else listing.bid_micros,
        price_micros=None if listing is None else listing.price_micros,
        group_id=None if listing is None else group_ids.get(listing.group_no),
    )
