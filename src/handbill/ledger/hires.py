"""Hires as entries of the ledger: dated by the funnel, credited to the application's click.

The funnel keeps each hire until it is booked; the judge books it in the transaction that tells the
funnel so. **Source**: domain 8, contract 6 (ledger export).
"""

import hashlib
from collections.abc import Iterable

from handbill.core.charging import Place
from handbill.core.closing import booked, first_open
from handbill.core.judging import COUNTED, ORGANIC
from handbill.core.received import ReceivedConversion, decode
from handbill.funnel.service import Hire
from handbill.kit.instants import Instant
from handbill.kit.zones import zone_of
from handbill.ledger.runs import RECEIVED, Added
from handbill.ledger.terms import Terms
from handbill.store.events import Entry

MOST = 1_000
"""Hires that one batch books."""


def places_of(hires: Iterable[Hire]) -> set[Place]:
    """The clients of hires, so that their terms are read."""
    return {Place(hire.client_no, 0, 0, 0) for hire in hires}


def book(added: Added, hire: Hire, terms: Terms | None, now: Instant) -> None:
    """Add a hire to what a client's run adds. It costs nothing."""
    zone = zone_of(terms.zone if terms else "UTC")
    dated = booked(hire.at, "", first_open(now, zone), zone)
    disposition = COUNTED if hire.click_id else ORGANIC
    added.tally(hire.client_no, "HIRE", RECEIVED)
    added.tally(hire.client_no, "HIRE", disposition)
    event = _event(hire)
    added.entries.append(
        Entry(
            _id_of(hire), dated.at, "HIRE", disposition, dated.reason, hire.client_no,
            event.campaign_no, event.group_no, event.publisher_no, event.job_id.hex(),
            event.bid_type, 0, 0, terms.currency if terms else "", 0, 0, 0, event.click_at,
            hire.click_id, b"", "", "", "funnel", hire.candidate_id, hire.application_id,
        )
    )  # fmt: skip


def _event(hire: Hire) -> ReceivedConversion:
    """The apply that the hire goes back to; of an organic one nothing is known."""
    if hire.facts:
        found = decode(hire.facts)[0]
        assert isinstance(found, ReceivedConversion)
        return found
    return ReceivedConversion(
        hire.at, hire.client_no, 3, "funnel", b"", 0, 0, b"", 0, 0, 0, "", 0, 0, "", ""
    )


def _id_of(hire: Hire) -> bytes:
    """The same however often it is asked for."""
    name = f"hire/{hire.client_no}/{hire.application}"
    return hashlib.blake2b(name.encode(), digest_size=16).digest()
