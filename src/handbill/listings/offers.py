"""Decides in one pass over a client's matched jobs what is offered to whom, at which bid.

It reads no descriptions. It keeps 44 bytes a job, whatever the number of publishers, and a running
digest per publisher that shows whether its part has changed at all.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from heapq import merge
from operator import attrgetter
from struct import Struct
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.campaigns import service as campaigns
from handbill.core.bids import PLAIN_JOB, POSTED, JobBids, Offer, offer_of
from handbill.core.in_force import InForce, Paced
from handbill.core.nouns import Client, Group, JobSettings, Publisher
from handbill.core.pacing.thinning import turn_of
from handbill.core.rates import UNQUOTED, Exchange, Quote
from handbill.core.states import campaign_state, client_state, group_state
from handbill.core.terms import PlacementTerms, barred, terms_of
from handbill.groups import service as groups
from handbill.kit.instants import Instant
from handbill.listings.hiding import NOWHERE, Hiding, hiding_of
from handbill.listings.listable import LISTABLE
from handbill.postings import service as postings
from handbill.publishers import service as publishers
from handbill.rates import service as rates
from handbill.standing import service as standing
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import jobs, matches

_FLUSH_JOBS = 2_000
_MOST_KNOWN = 20_000
_ROW = Struct(">Q16s16sI")
_OFFERED = Struct(">8Q")
_SETTINGS = msgspec.json.Decoder(JobSettings)

_j, _m = jobs.c, matches.c
_LISTED = (
    sa.select(
        _j.no, _j.id, _j.digest, _j.status, _j.cpc_micros, _j.settings, _m.group_no, _j.cpc_currency
    )
    .select_from(matches.join(jobs, _m.job_no == _j.no))
    .where(
        _m.client_no == b("client_no"),
        among(_m.group_no, "groups"),
        _j.left_at.is_(None),
        *LISTABLE.values(),
    )
    .order_by(_m.job_no)
)
_IDS = (
    sa.select(_j.id)
    .select_from(matches.join(jobs, _m.job_no == _j.no))
    .where(_m.group_no == b("group_no"), _j.left_at.is_(None), *LISTABLE.values())
)
_POSTED = (
    sa.select(_j.no, _j.id, _j.digest, _m.group_no)
    .select_from(jobs.outerjoin(matches, _m.job_no == _j.no))
    .where(
        _j.client_no == b("client_no"),
        among(_j.no, "nos"),
        _j.status == sa.literal_column("'A'"),
        _j.left_at.is_(None),
        *LISTABLE.values(),
    )
    .order_by(_j.no)
)


class Offered(NamedTuple):
    """A job group's offer to one publisher."""

    group_no: int
    campaign_no: int
    bid_micros: int
    price_micros: int
    quote: Quote = UNQUOTED

    def packed(self) -> bytes:
        return _OFFERED.pack(*self[:4], *self.quote)


class Deal(NamedTuple):
    """The terms of one trading job group with a publisher, by its slot, as they are in force."""

    slot: int
    terms: PlacementTerms
    paced: Paced | None


class GroupDeals(NamedTuple):
    campaign_no: int
    deals: tuple[Deal, ...]


class OneListing(NamedTuple):
    """One job offered to one publisher."""

    job_no: int
    job_id: bytes
    digest: bytes
    offered: Offered


@dataclass(slots=True)
class Offers:
    """All that a client offers at one moment. ``slots``: the publishers, by their place here.

    ``rows``: of each job its number, id, digest, and which mix of offers (one per slot) it has.
    ``posted``: by slot, the jobs with a bought slot there, by number, in order: the bought slot
    wins over what their job group offers.
    """

    slots: list[Publisher]
    digests: list[bytes] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    rows: bytearray = field(default_factory=bytearray)
    mixes: list[tuple[Offered | None, ...]] = field(default_factory=list)
    posted: dict[int, dict[int, OneListing]] = field(default_factory=dict)

    def of(self, slot: int) -> Iterator[OneListing]:
        """What one publisher is offered, in the order of job numbers."""
        posted = self.posted.get(slot)
        if not posted:
            return self._traded(slot)
        traded = (one for one in self._traded(slot) if one.job_no not in posted)
        return merge(posted.values(), traded, key=attrgetter("job_no"))

    def _traded(self, slot: int) -> Iterator[OneListing]:
        column = [mix[slot] for mix in self.mixes]
        for no, job_id, digest, mix_no in _ROW.iter_unpack(self.rows):
            offered = column[mix_no]
            if offered is not None:
                yield OneListing(no, job_id, digest, offered)


def placed_publishers(tx: Tx, client: Client) -> list[Publisher]:
    """The live publishers that any live job group of the client places, trading or not, and those
    at which jobs of the client are posted.
    """
    placed = {
        placement.publisher_id
        for group in groups.groups_of(tx, client.no)
        for placement in group.body.placements
    }
    posted = postings.posted_jobs(tx, client.no)
    return [
        publisher
        for publisher in publishers.publishers_of(tx, client.agency_no)
        if publisher.id in placed or publisher.no in posted
    ]


def trades_of(
    tx: Tx, client: Client, slots: list[Publisher], exchange: Exchange, force: InForce
) -> dict[int, GroupDeals]:
    """The terms of each job group that trades today, by its number, where no cap stops it."""
    today = exchange.today
    top = client_state(client, today)
    above = {
        campaign.no: (campaign, campaign_state(campaign, top, today))
        for campaign in campaigns.campaigns_of(tx, client.no)
    }
    trades: dict[int, GroupDeals] = {}
    for group in groups.groups_of(tx, client.no):
        if group.campaign_no not in above:
            continue
        campaign, state = above[group.campaign_no]
        if not group_state(group, state, today).trades:
            continue
        open_deals = (
            Deal(slot, terms, force.paced.get((group.no, publisher.no)))
            for slot, publisher in _open(group, slots, force)
            if isinstance(
                terms := terms_of(client, campaign, group, publisher, exchange), PlacementTerms
            )
        )
        if deals := tuple(open_deals):
            trades[group.no] = GroupDeals(group.campaign_no, deals)
    return trades


def _open(group: Group, slots: list[Publisher], force: InForce) -> Iterator[tuple[int, Publisher]]:
    """The publishers at which no cap stops the job group."""
    for slot, publisher in enumerate(slots):
        if ("placement", f"{group.no}/{publisher.no}") not in force.stopped:
            yield slot, publisher


def offers_of(tx: Tx, client: Client, now: Instant) -> Offers:
    """Decide every listing of a live client, reading its matched jobs once."""
    exchange = rates.exchange_of(tx, client, now)
    today = exchange.today
    offers = Offers(placed_publishers(tx, client))
    force = standing.in_force(tx, client.no)
    trades = trades_of(tx, client, offers.slots, exchange, force)
    rows: Iterator[Row] = iter(())
    hiding = None
    if trades:
        nos = {slot: publisher.no for slot, publisher in enumerate(offers.slots)}
        hiding = hiding_of(force, nos, {no: turns_of(tx, no, now) for no in _thinned(trades)})
        rows = tx.stream(_LISTED, client_no=client.no, groups=Listed(trades), now=now)
    _fill(offers, trades, rows, today, hiding)
    if client_state(client, today).trades:
        _fill_posted(tx, client, offers, now)
    return offers


def asked_in(status: str, cpc_micros: int | None, settings: str | None, currency: str) -> JobBids:
    """What a job's row says of its bid."""
    own = PLAIN_JOB if settings is None else _SETTINGS.decode(settings)
    return JobBids(paused=status != "A", feed_micros=cpc_micros, settings=own, feed_in=currency)


def _thinned(trades: dict[int, GroupDeals]) -> list[int]:
    """The job groups that list only a part of their jobs at some publisher."""
    return [
        no
        for no, trade in trades.items()
        if any(deal.paced is not None and deal.paced.window is not None for deal in trade.deals)
    ]


def turns_of(tx: Tx, group_no: int, now: Instant) -> list[bytes]:
    """The order in which a job group's jobs take turns where not all are listed."""
    return sorted(turn_of(job_id) for (job_id,) in tx.all(_IDS, group_no=group_no, now=now))


_Key = tuple[int, int | None, str | None, str, frozenset[int], str]
_Known = dict[_Key, tuple[int, list[tuple[bytearray, bytes]]]]


def _fill(
    offers: Offers,
    trades: dict[int, GroupDeals],
    found: Iterator[Row],
    today: date,
    hiding: Hiding | None,
) -> None:
    """Most jobs of a group get the same offers, so that one decision is used for many."""
    buffers = [bytearray() for _ in offers.slots]
    hashers = [hashlib.blake2b(digest_size=16) for _ in offers.slots]
    offers.counts = [0] * len(offers.slots)
    known: _Known = {}
    for n, (no, id_, digest, status, cpc_micros, settings, group_no, cpc_in) in enumerate(found):
        without = NOWHERE if hiding is None else hiding.of(group_no, id_)
        key = (group_no, cpc_micros, settings, status, without, cpc_in)
        mix = known.get(key)
        if mix is None:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            mix = known[key] = _mix(offers, trades[group_no], key, today, buffers)
        mix_no, shares = mix
        if not shares:
            continue
        job_id = bytes.fromhex(id_)
        offers.rows.extend(_ROW.pack(no, job_id, digest, mix_no))
        head = job_id + digest
        for buffer, offered in shares:
            buffer.extend(head + offered)
        if n % _FLUSH_JOBS == 0:
            _flush(offers, buffers, hashers)
    _flush(offers, buffers, hashers)
    offers.digests = [hasher.digest() for hasher in hashers]


def _fill_posted(tx: Tx, client: Client, offers: Offers, now: Instant) -> None:
    """Posted jobs are listed whatever their job group's bids, states and placements: under the
    group that they are matched to, else the default one, so that their clicks are counted there.

    Slots can be bought at any publisher, also at one that is paid by click or apply.
    """
    posted = postings.posted_jobs(tx, client.no)
    wanted = {
        slot: posted[publisher.no]
        for slot, publisher in enumerate(offers.slots)
        if publisher.no in posted and barred(client, publisher) is None
    }
    if not wanted:
        return
    live = groups.groups_of(tx, client.no)
    campaign_of = {group.no: group.campaign_no for group in live}
    default_no = next((group.no for group in live if group.is_default), 0)
    for slot, nos in wanted.items():
        listed = offers.posted[slot] = {}
        hasher = hashlib.blake2b(offers.digests[slot], digest_size=16)
        rows = tx.all(_POSTED, client_no=client.no, nos=Listed(nos), now=now)
        for no, id_, digest, matched_no in rows:
            group_no = matched_no if matched_no in campaign_of else default_no
            campaign_no = campaign_of.get(group_no, 0)
            offered = Offered(group_no, campaign_no, POSTED.bid_micros, POSTED.price_micros)
            listed[no] = OneListing(no, bytes.fromhex(id_), digest, offered)
            hasher.update(bytes.fromhex(id_) + digest + offered.packed())
        offers.counts[slot] = sum(1 for _ in offers.of(slot))
        offers.digests[slot] = hasher.digest()


def _mix(
    offers: Offers, trade: GroupDeals, key: _Key, today: date, said: list[bytearray]
) -> tuple[int, list[tuple[bytearray, bytes]]]:
    group_no, cpc_micros, settings, status, without, cpc_in = key
    asked = asked_in(status, cpc_micros, settings, cpc_in)
    mix: list[Offered | None] = [None] * len(offers.slots)
    shares = []
    for slot, terms, paced in trade.deals:
        offer = offer_of(terms, asked, today, paced)
        if isinstance(offer, Offer) and slot not in without:
            offered = Offered(
                group_no, trade.campaign_no, offer.bid_micros, offer.price_micros, offer.quote
            )
            mix[slot] = offered
            shares.append((said[slot], offered.packed()))
    offers.mixes.append(tuple(mix))
    return len(offers.mixes) - 1, shares


def _flush(offers: Offers, said: list[bytearray], hashers: list["hashlib.blake2b"]) -> None:
    size = 32 + _OFFERED.size
    for slot, buffer in enumerate(said):
        hashers[slot].update(buffer)
        offers.counts[slot] += len(buffer) // size
        buffer.clear()
