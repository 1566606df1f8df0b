"""A client as control sees it: its caps, and its job groups at their publishers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Final, NamedTuple

from handbill.campaigns import service as campaigns
from handbill.control.offered import OfferBasis, offered
from handbill.core.bids import JobBids, bid_of
from handbill.core.charging import (
    Factors,
    Limit,
    Measure,
    Place,
    by_measure,
    entities_of,
    locked_of,
    priced,
)
from handbill.core.in_force import Key
from handbill.core.markups import Marking, Steps, override_ppm
from handbill.core.nouns import Campaign, Cap, Client, Group, Placement, Publisher
from handbill.core.pacing.caps import DeliveryMode, delivery_of
from handbill.core.rates import Exchange
from handbill.core.standing.capping import CapKey
from handbill.core.terms import PlacementTerms, terms_at
from handbill.groups import service as groups
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import service as ledger
from handbill.listings.matched import NOTHING, Alike, Stock, alike
from handbill.markups.service import steps_at
from handbill.postings import service as postings
from handbill.publishers import service as publishers
from handbill.rates import service as rates
from handbill.store.records import Tx

_EVERY_DAY: Final = frozenset(range(7))


class Tended(NamedTuple):
    """A cap, its delivery, and the days on which its owner is in force."""

    cap: Cap
    delivery: DeliveryMode
    last: date | None
    weekdays: frozenset[int]
    reserved: tuple[tuple[str, int], ...] = ()
    """Of a job group's budget: the parts that are reserved for its locked placements."""
    dearest: int = 0
    """What a budget counts of one event at the dearest bid that is set below it; 0: none is."""

    def weights(self, weekdays: Sequence[int]) -> list[int]:
        """The weight of each weekday, Monday first: zero where nothing is offered."""
        return [weight if day in self.weekdays else 0 for day, weight in enumerate(weekdays)]


class Use(NamedTuple):
    """What is used of a cap in its period, and of that today: micros, clicks or applies."""

    all: int
    today: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A job group at a publisher that may list its jobs, and the markup of an event there.
    ``trades``: whether its switches, dates and weekdays allow it to offer them today.
    """

    place: Place
    terms: PlacementTerms
    stock: Stock
    factors: Factors
    trades: bool

    @property
    def key(self) -> Key:
        return self.place.group_no, self.place.publisher_no

    def marked(self, bid_micros: int) -> int:
        """What a bid takes of a budget."""
        return priced(bid_micros, 0, self.factors).marked_micros


@dataclass(frozen=True, slots=True)
class CapTree:
    """``over``: the caps over each pair, by its place. ``gone``: pairs that were decided on and
    cannot list anything today.
    """

    client: Client
    now: Instant
    today: date
    zone: tzinfo
    exchange: Exchange
    campaigns: Mapping[int, Campaign]
    groups: Mapping[int, Group]
    publishers: Mapping[int, Publisher]
    jobs: Mapping[int, Sequence[Alike]]
    caps: Mapping[CapKey, Tended]
    used: Mapping[CapKey, Use]
    pairs: Sequence[Pair]
    over: Mapping[Place, Sequence[CapKey]]
    posted: int
    gone: Sequence[Pair] = ()


def tree_of(tx: Tx, client: Client, now: Instant, decided: Iterable[Key] = ()) -> CapTree:
    """All that caps and pacing of a live client go by, from the records of one moment. ``decided``:
    the pairs with a decision in force.
    """
    zone = zone_of(client.zone)
    today = day_of(now, zone)
    every = {one.no: one for one in campaigns.campaigns_of(tx, client.no)}
    live = {
        one.no: one
        for one in groups.groups_of(tx, client.no)
        if not one.is_default and one.campaign_no in every
    }
    known = {one.no: one for one in publishers.publishers_of(tx, client.agency_no)}
    caps = caps_of(client, every, live, known)
    jobs = alike(tx, live, now) if live else {}
    exchange = rates.exchange_of(tx, client, now)
    pairs = _pairs(tx, OfferBasis(client, exchange, every, live, known, jobs), now)
    missing = {*decided} - {pair.key for pair in pairs}
    gone = _gone(tx, client, now, exchange, known, missing) if missing else []
    posted = sum(map(len, postings.posted_jobs(tx, client.no).values()))
    over = {pair.place: _over(pair.place, caps) for pair in (*pairs, *gone)}
    return CapTree(
        client,
        now,
        today,
        zone,
        exchange,
        every,
        live,
        known,
        jobs,
        _with_dearest(caps, (*pairs, *gone), over),
        used_of(tx, client, caps, today),
        pairs,
        over,
        posted,
        gone,
    )


def _with_dearest(
    caps: Mapping[CapKey, Tended], pairs: Iterable[Pair], over: Mapping[Place, Sequence[CapKey]]
) -> dict[CapKey, Tended]:
    """The caps with the dearest bids below them, whether anything is sold there now or not."""
    dearest = dict.fromkeys(caps, 0)
    for pair in pairs:
        set_there = bid_of(pair.terms, JobBids()).micros or 0
        bid = pair.marked(max(set_there, pair.terms.least_micros))
        for key in over[pair.place]:
            dearest[key] = max(dearest[key], bid)
    return {key: one._replace(dearest=dearest[key]) for key, one in caps.items()}


def caps_of(
    client: Client,
    every: Mapping[int, Campaign],
    live: Mapping[int, Group],
    known: Mapping[int, Publisher],
) -> dict[CapKey, Tended]:
    """All caps of a client, except those of single jobs."""
    return dict(_caps(client, every, live, known))


def _caps(
    client: Client,
    every: Mapping[int, Campaign],
    live: Mapping[int, Group],
    known: Mapping[int, Publisher],
) -> Iterator[tuple[CapKey, Tended]]:
    numbers = {one.id: one.no for one in known.values()}
    ends = {0: _last(client.body.end_on)}
    for measure, cap in by_measure(client.body.caps):
        yield ("client", f"{client.no}", measure), _tended(cap, None, ends[0])
    for campaign in every.values():
        ends[campaign.no] = _sooner(ends[0], _last(campaign.body.end_on))
        for measure, cap in by_measure(campaign.body.caps):
            yield ("campaign", f"{campaign.no}", measure), _tended(cap, None, ends[campaign.no])
        for publisher_id, cap in campaign.body.placement_caps.items():
            if no := numbers.get(publisher_id):
                key: CapKey = ("campaign_placement", f"{campaign.no}/{no}", "budget")
                yield key, _tended(cap, None, ends[campaign.no])
    for group in live.values():
        end = _sooner(ends[group.campaign_no], _last(group.body.end_on))
        yield from _caps_of_group(group, end, numbers)


def _caps_of_group(
    group: Group, end: date | None, numbers: Mapping[str, int]
) -> Iterator[tuple[CapKey, Tended]]:
    body = group.body
    weekdays = frozenset(body.days)
    for measure, cap in by_measure(body.caps):
        kept = _tended(cap, body.delivery, end, weekdays)
        if measure == "budget":
            reserved = locked_of(body.placements, cap.period, group.no, numbers)
            kept = kept._replace(reserved=reserved)
        yield ("group", f"{group.no}", measure), kept
    for placement in body.placements:
        no = numbers.get(placement.publisher_id)
        if placement.budget is not None and no is not None:
            key: CapKey = ("placement", f"{group.no}/{no}", "budget")
            yield key, _tended(placement.budget, body.delivery, end, weekdays)


def _tended(
    cap: Cap, said: str | None, last: date | None, weekdays: frozenset[int] = _EVERY_DAY
) -> Tended:
    return Tended(cap, delivery_of(said, cap), last, weekdays)


def _last(day_on: str) -> date | None:
    return date.fromisoformat(day_on) if day_on else None


def _sooner(one: date | None, other: date | None) -> date | None:
    return min((end for end in (one, other) if end is not None), default=None)


def used_of(
    tx: Tx, client: Client, caps: Mapping[CapKey, Tended], today: date
) -> dict[CapKey, Use]:
    """What is used of each of these caps."""
    limits = {key: Limit(*key, one.cap.period, one.cap.value) for key, one in caps.items()}
    daily = {key: one._replace(period="Daily") for key, one in limits.items()}
    used = ledger.used(tx, client.no, {*limits.values(), *daily.values()}, today)
    return {key: Use(used[limits[key]], used[daily[key]]) for key in caps}


def _pairs(tx: Tx, basis: OfferBasis, now: Instant) -> list[Pair]:
    offers = offered(basis)
    steps = steps_at(tx, offers)
    _, _, every, live, _, _ = basis
    pairs = []
    for place, (terms, stock, trades) in offers.items():
        factors = _factors(live[place.group_no], every[place.campaign_no], steps[place], now)
        pairs.append(Pair(place, terms, stock, factors, trades))
    return pairs


def _factors(group: Group, campaign: Campaign, steps: Steps, now: Instant) -> Factors:
    own = override_ppm(campaign.body.override.markup_ppm, group.body.override.markup_ppm)
    return Marking(steps, own).at(now)


def _gone(
    tx: Tx,
    client: Client,
    now: Instant,
    exchange: Exchange,
    known: Mapping[int, Publisher],
    missing: Iterable[Key],
) -> list[Pair]:
    """These pairs, which a publisher may still show, with their markups of now: their placements,
    job groups or campaigns are gone, or bar it.
    """
    ever = groups.groups_by_number(tx, {group_no for group_no, _ in missing})
    of = campaigns.campaigns_by_number(tx, {one.campaign_no for one in ever.values()})
    by_place = {}
    for group_no, publisher_no in sorted(missing):
        group, publisher = ever.get(group_no), known.get(publisher_no)
        if group is not None and publisher is not None:
            campaign, placement = of[group.campaign_no], Placement(publisher.id)
            terms = terms_at(client, campaign, group, publisher, placement, exchange)
            place = Place(client.no, campaign.no, group_no, publisher_no)
            by_place[place] = terms, group, campaign
    steps = steps_at(tx, by_place)
    return [
        Pair(place, terms, NOTHING, _factors(group, campaign, steps[place], now), False)
        for place, (terms, group, campaign) in by_place.items()
    ]


def _over(place: Place, caps: Mapping[CapKey, Tended]) -> list[CapKey]:
    """The caps over a place, from the client's down."""
    measures: tuple[Measure, ...] = ("budget", "clicks", "applies")
    return [
        key
        for scope, entity in entities_of(place)
        for measure in measures
        if (key := (scope, entity, measure)) in caps
    ]


def in_millionths(key: CapKey, amount: int) -> int:
    """An amount of what a cap counts, in millionths of it: a budget is in micros already."""
    return amount if key[2] == "budget" else amount * PPM
