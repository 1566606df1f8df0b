"""What an entry may never say, whoever makes it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from handbill.core import entries
from handbill.core.charging import FREE, Factors, Price, priced
from handbill.core.closing import Booked
from handbill.core.entries import Entry
from handbill.core.judging import COUNTED, DUPLICATE
from handbill.core.rates import PICOS
from handbill.core.received import ReceivedConversion
from handbill.kit.instants import DAY, Instant

AT: Instant = 20_000 * DAY
APPLY = ReceivedConversion(
    at=AT,
    client_no=1,
    action=3,
    source="s2s",
    click_random=b"c" * 16,
    click_at=AT - DAY,
    click_client_no=1,
    job_id=b"j" * 16,
    campaign_no=2,
    group_no=3,
    publisher_no=4,
    bid_type="CPA",
    bid_micros=1_000_000,
    price_micros=800_000,
    application_id="a",
)


def entry(price: Price = FREE, disposition: str = COUNTED) -> Entry:
    return entries.of_conversion(
        APPLY, Booked(AT, ""), disposition, price, entry_id=b"e" * 16, kind="APPLY", currency="USD"
    )


def test_an_entry_carries_its_event_and_its_price() -> None:
    made = entry(priced(1_000_000, 800_000, Factors(100_000, 0)))
    assert (made.charge_micros, made.spend_micros, made.marked_micros) == (
        800_000,
        1_000_000,
        1_100_000,
    )
    assert (made.id, made.click_id, made.client_no) == (b"e" * 16, b"c" * 16, 1)
    assert (made.campaign_no, made.group_no, made.publisher_no) == (2, 3, 4)
    assert made.job_id == (b"j" * 16).hex()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"charge_micros": 1_000_001}, "gets at most"),
        ({"spend_micros": 1_100_001}, "gets at most"),
        ({"charge_micros": -1}, "gets at most"),
        ({"disposition": DUPLICATE}, "is free"),
        ({"agency_ppm": -1}, "never taken off"),
        ({"currency": ""}, "has a currency"),
        ({"id": b"short"}, "has an id"),
        ({"bid_currency": "EUR", "bid_micros": 1_000_000}, "has a rate"),
        ({"price_currency": "EUR", "price_micros": 800_000}, "has a rate"),
        (
            {"bid_currency": "EUR", "bid_micros": 1_000_001, "bid_rate_picos": PICOS},
            "as its rate says",
        ),
        (
            {"price_currency": "EUR", "price_micros": 800_001, "price_rate_picos": PICOS},
            "what its rate makes",
        ),
    ],
)
def test_what_cannot_be_is_not_made(wrong: dict[str, Any], why: str) -> None:
    sound = entry(priced(1_000_000, 800_000, Factors(100_000, 0)))
    with pytest.raises(AssertionError, match=why):
        msgspec.structs.replace(sound, **wrong)


def test_an_entry_takes_no_places() -> None:
    """Thirteen texts and eleven numbers in a row would be mixed up one day."""
    makes: Callable[..., Entry] = Entry
    with pytest.raises(TypeError):
        makes(*msgspec.structs.astuple(entry()))
