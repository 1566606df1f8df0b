"""Explains a cap: what uses it, what is reserved from it, and since when it has its value."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from handbill.changes import service as changes
from handbill.control.outlooks import Budget, Budgeted, Outlook
from handbill.core.charging import Limit, Measure, Scope, locked_of
from handbill.core.nouns import Campaign, Client, Group, Publisher
from handbill.core.standing.capping import CapKey
from handbill.core.trail import Kind, trail_state
from handbill.core.trail import TrailEntity as Changed
from handbill.core.undoing import State
from handbill.ledger import service as ledger
from handbill.store.records import Tx

_WHERE: Final[Mapping[Scope, tuple[Kind, str]]] = {
    "client": ("CLIENT", "caps"),
    "campaign": ("CAMPAIGN", "caps"),
    "campaign_placement": ("CAMPAIGN", "placement_caps"),
    "group": ("JOB_GROUP", "caps"),
    "placement": ("JOB_GROUP", "placements"),
}
"""The kind of entity whose changes concern a cap, and the field that holds it."""


class Drawn(NamedTuple):
    """What a campaign, a job group or a publisher below a cap uses of it."""

    one: Campaign | Group | Publisher
    used: int


class ExplainedCap(NamedTuple):
    """``reserved``: what its locked placements have still to spend of it. ``drawn``: who uses it,
    the largest first; ``by_others``: the use of those that no longer exist. ``set_at``: since when
    it has its present value; None: not known any more.
    """

    outlook: Outlook
    reserved: int
    drawn: list[Drawn]
    by_others: int
    set_at: int | None


def explain_caps(
    tx: Tx, client: Client, budget: Budget, entity: Budgeted, known: list[Publisher]
) -> list[ExplainedCap]:
    """The caps of a client, or of one of its campaigns or job groups: ``entity`` of ``budget``."""
    return [_explained(tx, client, budget, entity, one, known) for one in entity.caps]


def _explained(
    tx: Tx,
    client: Client,
    budget: Budget,
    entity: Budgeted,
    one: Outlook,
    known: list[Publisher],
) -> ExplainedCap:
    measure = one.key[2]
    below = dict(_below(budget, entity.one, one.key, known))
    limits = {
        Limit(scope, name, measure, one.cap.period, 0): noun
        for (scope, name), noun in below.items()
    }
    used = ledger.used(tx, client.no, limits, budget.today)
    own = Limit(*one.key, one.cap.period, one.cap.value)
    whole = ledger.used(tx, client.no, [own], budget.today)[own]
    drawn = [Drawn(noun, used[limit]) for limit, noun in limits.items() if used[limit]]
    drawn.sort(key=lambda it: -it.used)
    rest = 0 if one.key[0] == "placement" else whole - sum(it.used for it in drawn)
    reserved = _reserved(tx, client, budget, entity.one, one, known)
    return ExplainedCap(one, reserved, drawn, max(0, rest), _set_at(tx, client, entity.one, one))


def _below(
    budget: Budget, owner: Client | Campaign | Group, key: CapKey, known: list[Publisher]
) -> Iterator[tuple[tuple[Scope, str], Campaign | Group | Publisher]]:
    """The counters below a cap, and whose they are."""
    scope, entity, _ = key
    if isinstance(owner, Client):
        for campaign, _ in budget.below:
            assert isinstance(campaign.one, Campaign), "it is the client's"
            yield ("campaign", f"{campaign.one.no}"), campaign.one
    elif isinstance(owner, Campaign):
        at = entity.partition("/")[2]
        groups = next(some for one, some in budget.below if one.one.no == owner.no)
        for group in groups:
            assert isinstance(group.one, Group), "it is the campaign's"
            name = f"{group.one.no}/{at}" if at else f"{group.one.no}"
            yield ("placement" if at else "group", name), group.one
    elif scope == "group":
        for publisher in known:
            yield ("placement", f"{owner.no}/{publisher.no}"), publisher


def _reserved(
    tx: Tx,
    client: Client,
    budget: Budget,
    owner: Client | Campaign | Group,
    one: Outlook,
    known: list[Publisher],
) -> int:
    if not isinstance(owner, Group) or one.key[0] != "group" or one.key[2] != "budget":
        return 0
    nos = {it.id: it.no for it in known}
    locked = locked_of(owner.body.placements, one.cap.period, owner.no, nos)
    limits = {
        Limit("placement", name, "budget", one.cap.period, value): value for name, value in locked
    }
    used = ledger.used(tx, client.no, limits, budget.today)
    return sum(max(0, value - used[limit]) for limit, value in limits.items())


def _set_at(tx: Tx, client: Client, owner: Client | Campaign | Group, one: Outlook) -> int | None:
    scope, _, measure = one.key
    kind, field = _WHERE[scope]
    entity = Changed(kind, owner.id, client.agency_no, client.no)
    state = trail_state({field: getattr(owner.body, field)})
    return changes.same_since(tx, entity, state, _part(field, measure, one.publisher_id))


def _part(field: str, measure: Measure, publisher_id: str) -> Callable[[State], Any]:
    """Finds a cap in its owner's state."""

    def of(state: State) -> Any:
        if field == "caps":
            return state[field][measure]
        if field == "placement_caps":
            return state[field].get(publisher_id)
        placed = [one for one in state[field] if one["publisher_id"] == publisher_id]
        return placed[0]["budget"] if placed else None

    return of
