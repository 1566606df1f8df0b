"""Explains why a job is, or is not, in each publisher's feed.

It uses the functions that decide it: matching, states, bids, and the conditions by which listings
are published; and the files as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from handbill.access import keys
from handbill.core.bids import PLAIN_JOB, POSTED, Bid, JobBids, Offer, bid_of, markdown_of, offer_of
from handbill.core.in_force import Paced, Thing
from handbill.core.listing_tokens import Listing
from handbill.core.nouns import Client, Group, Job, Publisher
from handbill.core.pacing.thinning import span_of, turn_of
from handbill.core.rates import Exchange
from handbill.core.standing.reasons import PLAIN, Resolved
from handbill.core.states import State, campaign_state, client_state, group_state
from handbill.core.terms import PlacementTerms, Withheld, barred, terms_of
from handbill.groups.explaining import Belonging, belonging
from handbill.jobs import service as jobs
from handbill.kit.instants import Instant
from handbill.listings import rows
from handbill.listings.assembly import is_current
from handbill.listings.listable import unlistable
from handbill.listings.offers import turns_of
from handbill.listings.published import published
from handbill.listings.resolving import standing_in
from handbill.listings.rows import File
from handbill.listings.service import ALL_CLIENTS
from handbill.postings import service as postings
from handbill.publishers import service as publishers
from handbill.rates import service as rates
from handbill.standing import service as standing
from handbill.store.blobs import Blobs
from handbill.store.records import Tx

MOST_LOOKED_INTO = 2 * 1024**3
NO_GROUP = "NO_GROUP"


class ClientShop(NamedTuple):
    """The client's part of a publisher's files. ``looked_into``: False where it was too large to be
    read; ``listing``: what the job's link in it freezes, None where it is not there.
    """

    file: File | None
    current: bool
    looked_into: bool
    listing: Listing | None


class PublisherOutcome(NamedTuple):
    """The result for the job at one publisher. ``reasons``: all known reasons why it is not listed;
    ``bid`` None: there are no terms, and so no bid.
    """

    publisher: Publisher
    reasons: list[str]
    offer: Offer | None
    bid: Bid | None
    markdown_ppm: int
    shop: ClientShop


@dataclass(frozen=True, slots=True)
class JobExplanation:
    """``unlistable``: what keeps the job out of every feed; ``states``: of client, campaign, job
    group, in this order, as far as they exist; ``others``: by number, of the job groups that take
    part and do not have the job. Both as control saw them last.
    """

    job: Job
    now: Instant
    exchange: Exchange
    belonging: Belonging
    unlistable: list[str]
    states: list[Resolved]
    others: Mapping[int, Resolved]
    outcomes: list[PublisherOutcome]


def explain(
    tx: Tx, blobs: Blobs, client: Client, ref: str, now: Instant, most: int = MOST_LOOKED_INTO
) -> JobExplanation:
    """Explain the client's live job of that reference. **Refuses** any other alike (404).

    ``most``: how many bytes of parts, unpacked, may be read in all.
    """
    job = jobs.job_of(tx, client.no, ref)
    exchange = rates.exchange_of(tx, client, now)
    today = exchange.today
    here = belonging(tx, client, job.no, now)
    trading = _states(client, here, today)
    why_not = unlistable(tx, job.no, now)
    look = _Look(tx, blobs, client, job, now, exchange, most)
    outcomes = [
        _outcome(look, publisher, here, trading, why_not, today)
        for publisher in publishers.publishers_of(tx, client.agency_no)
    ]
    known = standing.resolved_of(tx, client.no)
    above = [one for one in (here.group, here.campaign, client) if one is not None]
    states = [standing_in(known, above[-n:], now) for n in range(1, len(above) + 1)]
    others = {
        one.group.no: standing_in(known, [one.group, one.campaign, client], now)
        for one in here.losers
        if one.reason != "NOT_ACTIVE"
    }
    return JobExplanation(job, now, exchange, here, why_not, states, others, outcomes)


def _states(client: Client, found: Belonging, today: date) -> list[State]:
    states = [client_state(client, today)]
    if found.campaign is not None and found.group is not None:
        states.append(campaign_state(found.campaign, states[0], today))
        states.append(group_state(found.group, states[1], today))
    return states


def _outcome(
    look: "_Look",
    publisher: Publisher,
    found: Belonging,
    states: list[State],
    why_not: list[str],
    today: date,
) -> PublisherOutcome:
    shop = look.into(publisher)
    posted = look.job.no in look.posted.get(publisher.no, ())
    if posted or publisher.body.bid_type == "PPP":
        reasons = why_not + _why_not_posted(look, publisher, states[0], posted=posted)
        bid = Bid(POSTED.bid_micros, POSTED.source) if posted else None
        return PublisherOutcome(publisher, reasons, None if reasons else POSTED, bid, 0, shop)
    if found.group is None or found.campaign is None:
        return PublisherOutcome(publisher, [*why_not, NO_GROUP], None, None, 0, shop)
    reasons = [*why_not]
    if not states[-1].trades:
        reasons.append(Withheld.NOT_TRADING)
    terms = terms_of(look.client, found.campaign, found.group, publisher, look.exchange)
    if not isinstance(terms, PlacementTerms):
        return PublisherOutcome(publisher, [*reasons, terms], None, None, 0, shop)
    paced = look.force.paced.get((found.group.no, publisher.no))
    offer = offer_of(terms, look.asked, today, paced)
    reasons += look.stops(found.group, publisher)
    if not isinstance(offer, Offer):
        reasons += [] if offer in reasons else [offer]
    elif not reasons and look.is_thinned(found.group, paced):
        reasons.append(Withheld.THINNED)
    listed = offer if isinstance(offer, Offer) and not reasons else None
    bid = bid_of(terms, look.asked)
    if listed is not None and listed.bid_micros != bid.micros:
        bid = Bid(listed.bid_micros, listed.source)
    return PublisherOutcome(publisher, reasons, listed, bid, markdown_of(terms, look.asked), shop)


def _why_not_posted(look: "_Look", publisher: Publisher, top: State, *, posted: bool) -> list[str]:
    reasons: list[str] = [] if top.trades else [Withheld.NOT_TRADING]
    why = barred(look.client, publisher)
    if why is not None:
        reasons.append(why)
    if look.asked.paused:
        reasons.append(Withheld.JOB_PAUSED)
    if not posted:
        reasons.append(Withheld.NOT_POSTED)
    return reasons


class _Look:
    """Looks into the files, within a limit of bytes."""

    def __init__(
        self,
        tx: Tx,
        blobs: Blobs,
        client: Client,
        job: Job,
        now: Instant,
        exchange: Exchange,
        most: int,
    ) -> None:
        self.tx = tx
        self.client = client
        self.exchange = exchange
        self.job = job
        self.asked = JobBids(
            job.status != "A",
            job.body.cpc_micros,
            job.body.settings or PLAIN_JOB,
            job.body.cpc_currency,
        )
        self._blobs = blobs
        self.posted = postings.posted_jobs(tx, client.no)
        self.force = standing.in_force(tx, client.no)
        self.known = standing.resolved_of(tx, client.no)
        self._now = now
        self._parts = rows.parts_of_client(tx, client.no)
        self._keys = keys.secret(tx, "listing")
        self._room = most
        self._turns: list[bytes] | None = None
        """Turns in the job's own job group, read when first needed."""

    def stops(self, group: Group, publisher: Publisher) -> list[Withheld]:
        """Whether the job is stopped there by a cap, or held by a rule."""
        things: tuple[Thing, ...] = (
            ("placement", f"{group.no}/{publisher.no}"),
            ("job", self.job.id),
            ("job_placement", f"{self.job.id}/{publisher.no}"),
        )
        resolved = [self.known.get(one, PLAIN) for one in things if one in self.force.stopped]
        capped = any(one.is_capped for one in resolved)
        held = any(one.is_held for one in resolved)
        return [Withheld.CAPPED] * capped + [Withheld.HELD_BY_RULE] * held

    def is_thinned(self, group: Group, paced: Paced | None) -> bool:
        """Whether only a part of the job group is listed, and it is not the job's turn."""
        if paced is None or paced.window is None:
            return False
        if self._turns is None:
            self._turns = turns_of(self.tx, group.no, self._now)
        return turn_of(self.job.id) not in span_of(paced.window, self._turns)

    def into(self, publisher: Publisher) -> ClientShop:
        """The client's part of a publisher's files, and the job's link in it."""
        file = rows.file_of(self.tx, publisher.no, ALL_CLIENTS)
        part = self._parts.get(publisher.no)
        current = file is not None and is_current(
            publisher, file, rows.parts_of(self.tx, publisher.no)
        )
        if part is None:
            return ClientShop(file, current, looked_into=True, listing=None)
        self._room -= part.plain_bytes
        if self._room < 0:
            return ClientShop(file, current, looked_into=False, listing=None)
        listing = published(self._blobs, part, bytes.fromhex(self.job.id), self._keys)
        return ClientShop(file, current, looked_into=True, listing=listing)
