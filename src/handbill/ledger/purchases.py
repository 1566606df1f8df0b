"""Postings as entries of the ledger: what a purchase costs, day by day, outside of all caps.

The purchases' room says what is due. The judge books it and tells that room so in the same
transaction. **Source**: domain 10 (spend of a posting), docs/decisions/0008.
"""

import hashlib
from collections.abc import Iterable

from handbill.core import entries
from handbill.core.charging import UNMARKED, Place, priced
from handbill.core.closing import booked, first_open
from handbill.core.judging import COUNTED
from handbill.kit.instants import Instant
from handbill.kit.zones import zone_of
from handbill.ledger.runs import RECEIVED, Added
from handbill.ledger.terms import ClientTerms
from handbill.postings.spending import DueSpending, Share


def places_of(dues: Iterable[DueSpending]) -> set[Place]:
    """The places of purchases, for whose clients terms are read."""
    return {_place_of(due, share) for due in dues for share in due.shares}


def _place_of(due: DueSpending, share: Share) -> Place:
    return Place(share.client_no, 0, 0, due.former.publisher_no)


def book(
    added: Added, due: DueSpending, share: Share, terms: ClientTerms | None, now: Instant
) -> None:
    """Add a client's part of a day to what its run adds. It uses no room of any cap."""
    zone = zone_of(terms.zone if terms else "UTC")
    dated = booked(share.at, "", first_open(now, zone), zone)
    currency, factors = "", UNMARKED
    if terms is not None:
        currency, factors = terms.currency, terms.markings[_place_of(due, share)].at(share.at)
    assert share.micros >= 0, "what a posting costs is never given back"
    price = priced(share.micros, share.micros, factors)
    added.tally(share.client_no, "POSTING", RECEIVED)
    added.tally(share.client_no, "POSTING", COUNTED)
    added.entries.append(
        entries.of_posting(
            due.former.id,
            dated,
            price,
            entry_id=_id_of(due, share),
            client_no=share.client_no,
            publisher_no=due.former.publisher_no,
            currency=currency,
        )
    )


def _id_of(due: DueSpending, share: Share) -> bytes:
    """The id of the entry: the same each time."""
    name = f"posting/{due.former.no}/{share.client_no}/{share.after_micros}"
    return hashlib.blake2b(name.encode(), digest_size=16).digest()
