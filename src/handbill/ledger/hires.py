"""Hires as entries of the ledger: dated by the funnel, credited to the application's click.

The funnel keeps each hire until it is booked. The judge books it and tells the funnel so in the
same transaction. **Source**: domain 8, contract 6 (ledger export).
"""

import hashlib
from collections.abc import Iterable

import msgspec

from handbill.core import entries
from handbill.core.charging import Place
from handbill.core.closing import booked, first_open
from handbill.core.judging import COUNTED, ORGANIC
from handbill.core.received import ReceivedConversion, decode
from handbill.funnel.service import Hire
from handbill.kit.instants import Instant
from handbill.kit.zones import zone_of
from handbill.ledger.runs import RECEIVED, Added
from handbill.ledger.terms import ClientTerms

MOST = 1_000
"""The most hires that one batch books."""


def places_of(hires: Iterable[Hire]) -> set[Place]:
    """The places of hires, for which terms are read."""
    return {Place(hire.client_no, 0, 0, 0) for hire in hires}


def book(added: Added, hire: Hire, terms: ClientTerms | None, now: Instant) -> None:
    """Add a hire to what a client's run adds. It costs nothing."""
    zone = zone_of(terms.zone if terms else "UTC")
    dated = booked(hire.at, "", first_open(now, zone), zone)
    disposition = COUNTED if hire.click_id else ORGANIC
    assert len(hire.click_id) in {0, 16}, "a click id is whole, or there is none"
    added.tally(hire.client_no, "HIRE", RECEIVED)
    added.tally(hire.client_no, "HIRE", disposition)
    added.entries.append(
        entries.of_conversion(
            _event(hire),
            dated,
            disposition,
            entry_id=_id_of(hire),
            kind="HIRE",
            currency=terms.currency if terms else "",
        )
    )


def _event(hire: Hire) -> ReceivedConversion:
    """The hire as a conversion of its apply, as far as that is known."""
    if hire.facts:
        applied = decode(hire.facts)[0]
        assert isinstance(applied, ReceivedConversion), "a hire goes back to an apply"
    else:
        applied = ReceivedConversion(at=hire.at, client_no=hire.client_no, action=3, source="")
    return msgspec.structs.replace(
        applied,
        client_no=hire.client_no,
        source="funnel",
        click_random=hire.click_id,
        candidate_id=hire.candidate_id,
        application_id=hire.application_id,
    )


def _id_of(hire: Hire) -> bytes:
    """The id of a hire's entry: the same each time."""
    name = f"hire/{hire.client_no}/{hire.application}"
    return hashlib.blake2b(name.encode(), digest_size=16).digest()
