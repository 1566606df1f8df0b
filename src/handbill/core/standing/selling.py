"""What can be sold at a placement: who bars whom, which bids are accepted, and who fetches."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from handbill.core.bids import JobBids, Offer, bid_of, markdown_of, offer_of
from handbill.core.nouns import Client, Publisher
from handbill.core.rates import KEPT_DAYS, PICOS, Exchange
from handbill.core.standing.capping import CappedEntity
from handbill.core.standing.reasons import Code, Fix, Level, Params, Reason
from handbill.core.standing.tree import Spot, StandingTree, reason
from handbill.core.terms import Withheld, bars, terms_at
from handbill.kit.figures import counted
from handbill.kit.money import PPM

_BARRED: Final = {
    Withheld.PUBLISHER_INACTIVE: (Code.PUBLISHER_PAUSED, "the publisher is paused"),
    Withheld.PUBLISHER_EXCLUDED: (Code.EXCLUDED, "the client excludes the publisher"),
    Withheld.CLIENT_TYPE: (Code.CLIENT_TYPE, "the publisher takes other types of clients"),
}
_UNSOLD: Final = {
    Withheld.NO_BID: (Code.NO_BID, "no bid is set there"),
    Withheld.BELOW_MIN_BID: (Code.BELOW_MIN_BID, "the bid is below the publisher's least"),
    Withheld.BELOW_UNIT: (Code.BELOW_UNIT, "the price is below the currency's smallest amount"),
}


def owner_of(spot: Spot) -> CappedEntity:
    """A placement as the owner of a cause."""
    publisher = spot.publisher
    return CappedEntity(
        level=Level.PLACEMENT,
        id=publisher.id,
        name=publisher.body.name,
        what="placement",
        publisher_id=publisher.id,
        group_id=spot.group.id,
    )


def sold(tree: StandingTree, spot: Spot, today: date) -> Iterator[Reason]:
    """What the client, the publisher and the bids mean for a placement."""
    client, publisher = tree.client, spot.publisher
    there = owner_of(spot)._replace(level=Level.PUBLISHER, group_id="")
    for why in bars(client, publisher):
        code, words = _BARRED[why]
        if code is Code.PUBLISHER_PAUSED:
            yield reason(code, there, words, fix=Fix(kind="enable"))
        elif code is Code.EXCLUDED:
            at = CappedEntity(
                level=Level.CLIENT,
                id=client.id,
                name=client.body.company_name,
                what="client",
                publisher_id=publisher.id,
            )
            yield reason(code, at, words, fix=Fix(kind="admit"))
        else:
            yield reason(code, there, words)
    if publisher.body.bid_type == "PPP":
        yield reason(Code.NOT_POSTED, there, "the publisher lists only posted jobs")
        return
    if (
        publisher.body.bid_type != "Organic"
        and tree.exchange.picos(publisher.body.currency) is None
    ):
        yield _rateless(there, publisher.body.currency)
    elif (spot.group.no, publisher.no) not in tree.selling:
        jobs = tree.jobs.get(spot.group.no, ())
        yield from unsold(client, spot, jobs, today, tree.exchange)
    yield from _unfetched(tree, publisher, there)


def _rateless(owner: CappedEntity, currency: str) -> Reason:
    params = Params(publisher_id=owner.publisher_id, group_id=owner.group_id, currency=currency)
    words = f"there is no exchange rate for {currency} of the last {KEPT_DAYS} days"
    return reason(Code.NO_RATE, owner, f"{words}: set one in the settings", params)


def unsold(
    client: Client,
    spot: Spot,
    jobs: Sequence[tuple[JobBids, int]],
    today: date,
    exchange: Exchange,
) -> Iterator[Reason]:
    """Why none of these jobs is offered there, by the most common cause."""
    if not jobs:
        return
    campaign, group, placement, publisher = spot
    terms = terms_at(client, campaign, group, publisher, placement, exchange)
    causes: Counter[Withheld] = Counter()
    example: dict[Withheld, JobBids] = {}
    for asked, count in jobs:
        offer = offer_of(terms, asked, today)
        if isinstance(offer, Offer):
            return
        causes[offer] += count
        example.setdefault(offer, asked)
    why = causes.most_common(1)[0][0]
    count = causes.total()
    at = Params(publisher_id=publisher.id, group_id=group.id, jobs=count)
    if why not in _UNSOLD and why is not Withheld.NO_RATE:
        words = f"each of its {counted(count, 'job')} is paused, out of its dates, "
        words += "or excludes the publisher"
        yield reason(Code.NO_JOBS, owner_of(spot), words, at)
        return
    bid = bid_of(terms, example[why])
    if why is Withheld.NO_RATE:
        lacking = bid.said.currency if bid.micros is None else terms.currency
        yield _rateless(owner_of(spot), lacking)
        return
    code, words = _UNSOLD[why]
    rate = exchange.picos(terms.currency) or PICOS
    least = max(terms.min_bid_micros, terms.unit_micros)
    markdown_ppm = markdown_of(terms, example[why])
    if markdown_ppm < PPM:
        least = max(least, -(-terms.unit_micros * PPM // (PPM - markdown_ppm)))
    least = -(-least * rate // PICOS)
    params = Params(
        publisher_id=publisher.id,
        group_id=group.id,
        jobs=count,
        bid_micros=bid.micros,
        min_bid_micros=terms.min_bid_micros,
        currency="" if terms.currency == exchange.currency else terms.currency,
    )
    by_apply, is_flat = terms.bid_type == "CPA", terms.bid_type == "FLAT_CPC"
    fix = Fix(kind="bid", value=least, source=bid.source, by_apply=by_apply)
    yield reason(code, owner_of(spot), words, params, fix=None if is_flat else fix)


def _unfetched(tree: StandingTree, publisher: Publisher, there: CappedEntity) -> Iterator[Reason]:
    """Lost, or never seen: this is only reported, and stops nothing."""
    held = tree.held.get(publisher.no)
    if held is None or not held.lost:
        return
    params = Params(
        publisher_id=publisher.id, fetched_at=held.fetched_at or None, rhythm=held.rhythm
    )
    words = "the publisher has not fetched its feed for three times its usual interval"
    yield reason(Code.NOT_FETCHED, there, words, params, blocking=False)
