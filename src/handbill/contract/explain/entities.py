"""Why a client, campaign or job group stands as it does, as it is told: state, listings, caps."""

from typing import Annotated

from pydantic import Field

from handbill.contract.budget.models import Amount, CapStatus, StateInBrief, cap_told, name_of
from handbill.contract.standing.models import ResolvedStatus, status_told
from handbill.control.budgets import budget_of
from handbill.control.explaining import ExplainedCap, explain_caps
from handbill.control.outlooks import Budgeted
from handbill.core.charging import Measure
from handbill.core.nouns import Campaign, Client, Group, Publisher
from handbill.core.standing.reasons import Level
from handbill.groups import service as groups
from handbill.kit.instants import Instant as At
from handbill.kit.money import number_of
from handbill.listings.listed import shown
from handbill.listings.resolving import ResolvedEntity, standing_at
from handbill.publishers import service as publishers
from handbill.store.blobs import Blobs
from handbill.store.records import Tx
from handbill.wire.fields import Id, Instant, Percent
from handbill.wire.models import Model, is_none
from handbill.wire.queries import Query
from handbill.wire.words import AnyCase


class ExplainedListings(Model):
    """Listings at one publisher."""

    id: str = Field(description="Id of the publisher.")
    name: str = Field(description="Its name.")
    listings: int | None = Field(
        description="How many of its listings the publisher's file shows. Null: the client has too "
        "many to be looked through here."
    )
    state: StateInBrief | None = Field(
        alias="resolvedStatus",
        exclude_if=is_none,
        description="Of a job group: the state of its placement there.",
    )


class DrawnBy(Model):
    """Who uses a cap."""

    level: Level = Field(description="CAMPAIGN, JOBGROUP, or PLACEMENT.")
    id: str = Field(description="Its id; of a placement, the publisher's.")
    name: str = Field(description="Its name.")
    used: Amount = Field(description="What it has used of the cap in the period.")


class CapExplanation(CapStatus):
    """A cap in figures, and where they come from."""

    set_at: Instant | None = Field(
        alias="setOn",
        description="Since when the cap is set as it is. Null: for longer than changes are kept.",
    )
    limited_since: Instant | None = Field(
        alias="limitedSince",
        description="Since when it stops or brakes without a break. Null: it does neither.",
    )
    threshold_ppm: Annotated[int, Percent()] = Field(
        alias="thresholdP", description="Brake line, in percent."
    )
    locked: bool = Field(description="Of a placement's budget: whether it is kept for it.")
    reserved: Amount = Field(
        description="Of a job group's budget: what its locked placements have still to spend of it."
    )
    drawn: list[DrawnBy] = Field(
        alias="drawnBy",
        description="Who uses it, the most first: of a client its campaigns, of a campaign its job "
        "groups, of a job group its publishers. Empty for a cap of one publisher in a job group.",
    )
    by_others: Amount = Field(
        alias="drawnByOthers", description="What was used by those that are deleted by now."
    )


class CapsAsked(Query):
    """Which of its caps are asked for; by default all."""

    cap: Annotated[Measure, AnyCase()] | None = Field(
        None, description="Only the caps of this: budget, clicks or applies."
    )
    publisher_id: Id | None = Field(
        None, alias="publisherId", description="Only the caps for this publisher."
    )


class EntityExplanation(Model):
    """The effective state of a client, campaign or job group, and why."""

    level: Level = Field(description="CLIENT, CAMPAIGN or JOBGROUP.")
    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")
    at: Instant = Field(description="The moment that this is about.")
    state: ResolvedStatus = Field(
        alias="resolvedStatus",
        description="The effective state, what decides it, what would still stop it, and the "
        "requests that mend it; the same as resolved-status.",
    )
    listings: list[ExplainedListings] = Field(
        description="What each of its publishers' files shows of it right now."
    )
    caps: list[CapExplanation] = Field(
        description="Its own caps, and those of its placements, each explained; or those that were "
        "asked for."
    )


def explain_entity(
    tx: Tx,
    blobs: Blobs,
    ceiling_ppm: int,
    now: At,
    told: ResolvedEntity,
    asked: CapsAsked | None = None,
) -> EntityExplanation:
    """Explain a client, campaign or job group. ``told``: how it stands; ``asked``: which of its
    caps to explain, by default all.
    """
    client, campaign, group, *_ = told.around
    one = group or campaign or client
    known = publishers.publishers_of(tx, client.agency_no)
    group_nos: list[int] | None = None
    if campaign is not None:
        below = [group] if group else groups.children_of(tx, [campaign.no])[campaign.no]
        group_nos = [it.no for it in below]
    placed = [held.publisher for held in told.files]
    budget = budget_of(tx, client, now, ceiling_ppm)
    entity = budget.of(one)
    return EntityExplanation.of(
        level=_level(one),
        id=one.id,
        name=name_of(one),
        at=now,
        state=status_told(told),
        listings=[
            ExplainedListings.of(
                id=it.publisher.id,
                name=it.publisher.body.name,
                listings=it.listings,
                state=group and StateInBrief.of(standing_at(tx, group, it.publisher)),
            )
            for it in shown(tx, blobs, client, placed, group_nos)
        ],
        caps=[]
        if entity is None
        else list(
            map(
                _cap,
                explain_caps(tx, client, budget, _only(entity, asked) if asked else entity, known),
            )
        ),
    )


def _only(entity: Budgeted, asked: CapsAsked) -> Budgeted:
    """The entity with those of its caps that are asked for."""
    caps = [
        one
        for one in entity.caps
        if asked.cap in {None, one.key[2]} and asked.publisher_id in {None, one.publisher_id}
    ]
    return entity._replace(caps=caps)


def _level(one: Client | Campaign | Group | Publisher) -> Level:
    if isinstance(one, Client):
        return Level.CLIENT
    if isinstance(one, Publisher):
        return Level.PLACEMENT
    return Level.CAMPAIGN if isinstance(one, Campaign) else Level.GROUP


def _cap(one: ExplainedCap) -> CapExplanation:
    outlook = one.outlook
    is_money = outlook.key[2] == "budget"

    def told(amount: int) -> Amount:
        return number_of(amount) if is_money else amount

    return CapExplanation.of(
        **cap_told(outlook),
        set_at=one.set_at,
        limited_since=outlook.noted.limited.since_at,
        threshold_ppm=outlook.cap.threshold_ppm,
        locked=outlook.cap.locked,
        reserved=told(one.reserved),
        drawn=[
            DrawnBy.of(
                level=_level(it.one),
                id=it.one.id,
                name=it.one.body.name if isinstance(it.one, Publisher) else name_of(it.one),
                used=told(it.used),
            )
            for it in one.drawn
        ],
        by_others=told(one.by_others),
    )
