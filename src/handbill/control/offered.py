"""What a client's job groups would offer at their placements: the same from tick to tick, until one
of the values that it follows from differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from handbill.core.charging import Place
from handbill.core.nouns import Campaign, Client, Group, Publisher
from handbill.core.rates import Exchange
from handbill.core.states import campaign_state, client_state, group_state
from handbill.core.terms import PlacementTerms, terms_of
from handbill.kit.digests import digest_of
from handbill.listings.matched import NOTHING, Alike, Shared, Stock, stock_of

_MOST: Final = 100_000
"""How many offers are remembered: some 60 MB."""


class PlacedOffer(NamedTuple):
    """``trades``: as of a pair."""

    terms: PlacementTerms
    stock: Stock
    trades: bool


class OfferBasis(NamedTuple):
    """All that offers follow from. By number: campaigns, job groups, publishers; and the jobs of
    each job group.
    """

    client: Client
    exchange: Exchange
    campaigns: Mapping[int, Campaign]
    groups: Mapping[int, Group]
    publishers: Mapping[int, Publisher]
    jobs: Mapping[int, Sequence[Alike]]


class _Known(NamedTuple):
    """``digest``: of what they follow from, which need not be kept for it."""

    digest: bytes
    offers: Mapping[Place, PlacedOffer]


_KNOWN: Final[dict[int, _Known]] = {}


def offered(basis: OfferBasis) -> Mapping[Place, PlacedOffer]:
    """The offer of each job group to each publisher that may list its jobs."""
    known, digest = _KNOWN.get(basis.client.no), _digest(basis)
    if known is None or known.digest != digest:
        if sum(1 + len(one.offers) for one in _KNOWN.values()) >= _MOST:
            _KNOWN.clear()
        known = _KNOWN[basis.client.no] = _Known(digest, dict(_offers(*basis)))
    return known.offers


def _digest(basis: OfferBasis) -> bytes:
    client, exchange, *by_number = basis
    return digest_of(client, exchange.content, [[*one.items()] for one in by_number])


def _offers(
    client: Client,
    exchange: Exchange,
    every: Mapping[int, Campaign],
    live: Mapping[int, Group],
    known: Mapping[int, Publisher],
    jobs: Mapping[int, Sequence[Alike]],
) -> Iterator[tuple[Place, PlacedOffer]]:
    today = exchange.today
    top = client_state(client, today)
    states = {no: campaign_state(one, top, today) for no, one in every.items()}
    for group in live.values():
        campaign, some = every[group.campaign_no], jobs.get(group.no)
        shared: Shared = {}
        trades = group_state(group, states[campaign.no], today).trades
        for publisher in _placed(group, known):
            terms = terms_of(client, campaign, group, publisher, exchange)
            if isinstance(terms, PlacementTerms):
                place = Place(client.no, campaign.no, group.no, publisher.no)
                stock = stock_of(terms, some, today, shared) if some else NOTHING
                yield place, PlacedOffer(terms, stock, trades)


def _placed(group: Group, known: Mapping[int, Publisher]) -> list[Publisher]:
    ids = {one.publisher_id for one in group.body.placements}
    return [publisher for publisher in known.values() if publisher.id in ids]
