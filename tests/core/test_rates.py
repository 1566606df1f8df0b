"""Rates: what is one, which one counts on a day, and that rounding never makes anybody pay more."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.bids import PLAIN_JOB, Bid, BidSource, JobBids, Offer, offer_of
from handbill.core.currencies import unit_micros
from handbill.core.listing_tokens import Listing, listing_token, open_listing
from handbill.core.nouns import JobPlacement, JobSettings
from handbill.core.rates import (
    MOST_PICOS,
    OWN,
    PICOS,
    UNQUOTED,
    DatedRate,
    Exchange,
    NotRate,
    Quote,
    Quoted,
    charge_at,
    converted,
    number_of,
    numbered,
    picos_of,
    quotes_of,
    rate_number,
    rate_text,
)
from handbill.core.terms import PlacementTerms, Withheld
from handbill.dialects.rates import NotRates, rates_in
from handbill.kit.money import MICROS, PPM

TODAY = date(2026, 11, 23)
RATES = st.integers(1, MOST_PICOS)
AMOUNTS = st.integers(1, 10**12)


def dated(pair: str, rate: str, back: int = 0, *, is_own: bool = False) -> DatedRate:
    return DatedRate(TODAY - timedelta(back), pair[:3], pair[3:], picos_of(Decimal(rate)), is_own)


def exchange(*rates: DatedRate, currency: str = "USD") -> Exchange:
    return Exchange(currency, TODAY, rates)


# ── which one counts ────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("rates", "picos"),
    [
        ([], None),
        ([dated("EURUSD", "1.08")], 1_080_000_000_000),
        ([dated("EURUSD", "1.08", 1), dated("EURUSD", "1.10", 2)], 1_080_000_000_000),
        ([dated("EURUSD", "1.08", 7)], 1_080_000_000_000),
        ([dated("EURUSD", "1.08", 8)], None),
        ([dated("EURUSD", "1.08", -1)], None),
        ([dated("USDEUR", "0.8")], 1_250_000_000_000),
        ([dated("USDEUR", "3")], 333_333_333_333),
        ([dated("GBPEUR", "1.2"), dated("GBPUSD", "1.5")], 1_250_000_000_000),
        ([dated("GBPEUR", "1.2", 1), dated("GBPUSD", "1.5")], None),
        ([dated("USDEUR", "0.5"), dated("EURUSD", "1.9")], 1_900_000_000_000),
        ([dated("EURUSD", "1.08"), dated("EURUSD", "2", 7, is_own=True)], 2_000_000_000_000),
        ([dated("EURUSD", "1.08"), dated("EURUSD", "2", 8, is_own=True)], 1_080_000_000_000),
        ([dated("USDEUR", "0.000001"), dated("JPYUSD", "0.01")], 10**18),
        ([dated("USDEUR", "0.000000999999")], None),
    ],
)
def test_which_rate_counts(rates: list[DatedRate], picos: int | None) -> None:
    assert exchange(*rates).picos("EUR") == picos
    assert exchange(*reversed(rates)).picos("EUR") == picos


def test_the_agencys_own_currency_is_not_converted_whatever_rates_say() -> None:
    odd = exchange(DatedRate(TODAY, "USD", "USD", 2 * PICOS), dated("EURUSD", "2"))
    assert (odd.picos("USD"), odd.picos(""), odd.picos("JPY")) == (0, 0, None)


@pytest.mark.parametrize(
    "bad",
    [
        "0",
        "-1",
        "NaN",
        "Infinity",
        "1e30",
        "1000000.000001",
        "1e-13",
        "0.0000000000001",
        "1." + "0" * 198 + "1",
        "9" * 200,
        "1e-999999",
    ],
)
def test_what_is_no_rate(bad: str) -> None:
    with pytest.raises(NotRate):
        picos_of(Decimal(bad))


@given(RATES)
def test_a_rate_comes_back_as_it_was_said(picos: int) -> None:
    assert picos_of(rate_number(picos)) == picos
    text = rate_text(picos)
    assert picos_of(Decimal(text if "." in text else f"{text}.") + Decimal("0e-200")) == picos


# ── what is paid ────────────────────────────────────────────────────────────────────────────────
def terms(rates: Exchange, currency: str, **said: object) -> PlacementTerms:
    given_ = {
        "publisher_id": "Board",
        "bid_type": "CPC",
        "min_bid_micros": 0,
        "flat_micros": None,
        "placement_micros": None,
        "placement_in": "",
        "group_micros": 0,
        "markdown_ppm": 0,
        "least_markdown_ppm": 0,
        "unit_micros": unit_micros(currency),
        "whole_micros": 10_000,
        "currency": currency,
        "exchange": rates,
    }
    return PlacementTerms(**(given_ | said))  # type: ignore[arg-type]


CODES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF"])


@given(
    bid=AMOUNTS,
    bid_in=CODES,
    priced_in=CODES,
    bid_rate=RATES,
    price_rate=RATES,
    markdown=st.integers(0, PPM),
    least=st.integers(0, 10**9),
)
def test_nobody_pays_more_than_was_said(
    bid: int, bid_in: str, priced_in: str, bid_rate: int, price_rate: int, markdown: int, least: int
) -> None:
    rates = {bid_in: bid_rate, priced_in: price_rate}
    found = offer_of(
        terms(
            exchange(*(DatedRate(TODAY, code, "USD", at) for code, at in rates.items())),
            priced_in,
            min_bid_micros=least,
            markdown_ppm=markdown,
        ),
        JobBids(feed_micros=bid, feed_in=bid_in),
        TODAY,
    )
    true_bid = Fraction(bid) * (1 if bid_in == "USD" else Fraction(rates[bid_in], PICOS))
    its = 1 if priced_in == "USD" else Fraction(rates[priced_in], PICOS)
    unit = unit_micros(priced_in)
    if not isinstance(found, Offer):
        if found is Withheld.BELOW_MIN_BID:
            assert true_bid / its < least + Fraction(1) / its
        return
    assert found.bid_micros <= true_bid < found.bid_micros + 1
    assert found.price_micros % unit == 0
    shown = Fraction(bid) if bid_in == priced_in else found.bid_micros / Fraction(its)
    less = shown * (PPM - markdown) / PPM
    assert found.price_micros <= less < found.price_micros + unit
    charge = charge_at(found.bid_micros, found.price_micros, found.quote.price_picos)
    assert charge <= found.bid_micros
    assert charge <= found.price_micros * its < charge + 1
    quotes = quotes_of(found.quote, found.price_micros, priced_in, bid_stands=True)
    said_bid, said_price = quotes
    assert (said_bid == OWN) == (bid_in == "USD")
    if said_bid != OWN:
        assert said_bid == Quoted(bid, bid_in, rates[bid_in])
        assert converted(said_bid.micros, said_bid.rate_picos) == found.bid_micros
    assert said_price.currency == ("" if priced_in == "USD" else priced_in)


def test_each_bid_in_its_currency() -> None:
    rates = exchange(dated("EURUSD", "1.10"), dated("JPYUSD", "0.0066"))
    board = terms(rates, "EUR", group_micros=1_000_000, min_bid_micros=900_000)
    assert offer_of(board, JobBids(), TODAY) == Offer(
        1_000_000, 900_000, BidSource.GROUP, Quote(1_100_000_000_000)
    )
    low = terms(rates, "EUR", group_micros=980_000, min_bid_micros=900_000)
    assert offer_of(low, JobBids(), TODAY) is Withheld.BELOW_MIN_BID
    euros = terms(
        rates, "EUR", placement_micros=900_000, placement_in="EUR", min_bid_micros=900_000
    )
    quote = Quote(1_100_000_000_000, 1_100_000_000_000, 900_000, number_of("EUR"))
    assert offer_of(euros, JobBids(), TODAY) == Offer(990_000, 900_000, BidSource.PLACEMENT, quote)
    job = JobBids(
        settings=JobSettings(placements=(JobPlacement("Board", 950_000, currency="EUR"),))
    )
    offer = offer_of(board, job, TODAY)
    assert isinstance(offer, Offer)
    assert offer[:3] == (1_045_000, 950_000, BidSource.JOB_PLACEMENT)
    flat = terms(rates, "JPY", bid_type="FLAT_CPC", flat_micros=20_000_000)
    offer = offer_of(flat, JobBids(), TODAY)
    assert isinstance(offer, Offer)
    assert offer[:3] == (132_000, 20_000_000, BidSource.FLAT)


@pytest.mark.parametrize(
    ("said", "asked", "why"),
    [
        ({"group_micros": 500_000}, JobBids(), Withheld.NO_RATE),
        ({}, JobBids(), Withheld.NO_BID),
        ({"currency": "USD"}, JobBids(False, 500_000, PLAIN_JOB, "GBP"), Withheld.NO_RATE),
        ({"currency": "USD"}, JobBids(False, 0, PLAIN_JOB, "GBP"), Withheld.NO_BID),
        ({"bid_type": "FLAT_CPC", "flat_micros": 300_000}, JobBids(), Withheld.NO_RATE),
    ],
)
def test_without_a_rate_nothing_is_offered(
    said: dict[str, object], asked: JobBids, why: Withheld
) -> None:
    assert offer_of(terms(exchange(), **({"currency": "EUR"} | said)), asked, TODAY) is why  # type: ignore[arg-type]


def test_what_needs_no_rate_is_offered_without_one() -> None:
    organic = terms(exchange(), "EUR", bid_type="Organic")
    assert isinstance(offer_of(organic, JobBids(), TODAY), Offer)


def test_an_amount_past_all_bounds_has_no_rate() -> None:
    high = terms(exchange(dated("EURUSD", "1000000")), "USD")
    asked = JobBids(feed_micros=10**18, feed_in="EUR")
    assert offer_of(high, asked, TODAY) is Withheld.NO_RATE
    tiny = terms(exchange(dated("EURUSD", "0.000000000001")), "EUR", group_micros=10**9)
    assert offer_of(tiny, JobBids(), TODAY) is Withheld.NO_RATE


# ── what a link keeps ───────────────────────────────────────────────────────────────────────────
@given(
    quote=st.builds(
        Quote,
        st.integers(0, MOST_PICOS),
        st.integers(0, MOST_PICOS),
        st.integers(0, 10**18),
        st.sampled_from([0, number_of("EUR")]),
    )
)
def test_a_link_freezes_its_rates(quote: Quote) -> None:
    listing = Listing(
        client_no=2**20,
        campaign_no=2**20,
        group_no=2**20,
        publisher_no=2**20,
        job_id=b"j" * 16,
        bid_type="CPC",
        bid_micros=10**12,
        price_micros=10**12,
        listed_at=1_800_000_000_000_000,
        quote=quote,
    )
    token = listing_token(listing, 1, b"k" * 32)
    assert open_listing(token, {1: b"k" * 32}) == listing
    assert len(token) < 200


def test_a_lowered_bid_is_not_told_as_the_links() -> None:
    quote = Quote(0, 2 * PICOS, MICROS, number_of("EUR"))
    assert quotes_of(quote, 1, "USD", bid_stands=False).bid == OWN
    assert quotes_of(quote, 1, "USD", bid_stands=True).bid == Quoted(MICROS, "EUR", 2 * PICOS)
    assert [numbered(number_of(code)) for code in ("EUR", "JPY", "")] == ["EUR", "JPY", ""]
    assert quotes_of(UNQUOTED, 1, "USD", bid_stands=True) == (OWN, OWN)
    assert Bid(0, BidSource.FEED).said == OWN


# ── files ───────────────────────────────────────────────────────────────────────────────────────
ECB = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates
</gesmes:subject><Cube><Cube time='2026-11-23'><Cube currency='USD' rate='1.0825'/>
<Cube currency='JPY' rate='161.20'/></Cube><Cube time='2026-11-20'><Cube currency='USD'
 rate='1.08'/></Cube></Cube></gesmes:Envelope>"""


def test_the_forms_of_files() -> None:
    of_bank = [
        {"date": "2026-11-23", "from": "EUR", "to": "USD", "rate": Decimal("1.0825")},
        {"date": "2026-11-23", "from": "EUR", "to": "JPY", "rate": Decimal("161.20")},
        {"date": "2026-11-20", "from": "EUR", "to": "USD", "rate": Decimal("1.08")},
    ]
    assert rates_in(ECB) == of_bank
    wide = b"Date,USD,JPY,\n2026-11-23,1.0825,161.20,\n2026-11-20,1.08,N/A,\n"
    assert rates_in(wide) == of_bank
    shouted = b"DATE,FROM,TO,RATE\n2026-11-23,EUR,USD,1.0825\n"
    assert rates_in(shouted) == of_bank[:1]
    plain = "\ufeffDate,From,To,Rate\r\n2026-11-23, EUR,USD,1.0825\r\n\r\n2026-11-23,GBP,USD,x\r\n"
    assert rates_in(b"\n\n" + ECB) == of_bank
    assert rates_in(ECB.decode().replace("UTF-8", "UTF-16").encode("utf-16")) == of_bank
    for parted in ("date;from;to;rate\n2026-11-23;eur;usd;1,0825", "Date\tUSD\n2026-11-23\t1,0825"):
        assert rates_in(parted.encode()) == of_bank[:1]
        assert rates_in(parted.encode("utf-16")) == of_bank[:1]
    assert rates_in(plain.encode()) == [
        of_bank[0],
        {"date": "2026-11-23", "from": "GBP", "to": "USD", "rate": "x"},
    ]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "begin"),
        (b"a,b,c\n", "begin"),
        (b"\xff\xfe", "begin"),
        (b"date,from,to,rate\n\xff", "UTF-8"),
        (b"<html></html>", "no rates"),
        pytest.param(b"date,from,to,rate\n," + b"1" * 140_000, "not CSV", id="long cell"),
        (b"<a><b></a>", "not XML"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a/>', "DOCTYPE"),
    ],
)
def test_files_of_no_form(raw: bytes, why: str) -> None:
    with pytest.raises(NotRates, match=why):
        rates_in(raw)
