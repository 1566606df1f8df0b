"""Amounts as people write them, and which currency they say they are in."""

import pytest

from handbill.core.amounts import (
    Tellers,
    other_model,
    read_amount,
    said_by_name,
    tellers,
)
from handbill.core.currencies import PLACES, SIGNS, named_by, unit_micros


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1.50", 1_500_000),
        ("USD 1.50", 1_500_000),
        ("$1.5", 1_500_000),
        ("1,50", 1_500_000),
        ("1.50 EUR", 1_500_000),
        ("0", 0),
        ("1,234.50", 1_234_500_000),
        ("£ 2", 2_000_000),
        ("1.234,50", 1_234_500_000),
        ("1 234.5", 1_234_500_000),
        ("0.123456", 123_456),
        (".50", 500_000),
        ("$.75", 750_000),
        ("US$ 1.00", 1_000_000),
        (",5 €", 500_000),
        ("1'234.50 CHF", 1_234_500_000),
        ("1\u202f234,5\u00a0€", 1_234_500_000),
        ("Rs. 50", 50_000_000),
        ("usd1", 1_000_000),
        ("$1 USD", 1_000_000),
        ("0.1234567", 123_456),
        ("0.0000009", 0),
        ("USD $1.50", 1_500_000),
        ("US $2", 2_000_000),
        ("1,234,567", 1_234_567_000_000),
        ("1.234.567,5", 1_234_567_500_000),
        ("1’234.5", 1_234_500_000),
        ("12,34,567.00", 1_234_567_000_000),
        ("1 234", 1_234_000_000),
        ("1,234", 1_234_000),
        ("2.", 2_000_000),
        ("CHF 5.-", 5_000_000),
        ("5,-- €", 5_000_000),
        ("5:- kr", 5_000_000),
        ("INR 5/-", 5_000_000),
        ("Rs.50", 50_000_000),
        ("Rs .50", 500_000),
        ("kr.5,50", 5_500_000),
        ("S/.5", 5_000_000),
        ("USD.50", 500_000),
        ("1.50.", 1_500_000),
        ("1 50", None),
        ("0.5 0", None),
        ("1,5.0", None),
        ("1.5,0", None),
        ("1,2,3.4", None),
        ("1,23,4", None),
        ("1 234,567.8", None),
        ("1'23", None),
        ("USD XXX 1", None),
        ("-1", None),
        ("free", None),
        ("1.2.3", None),
        ("1e5", None),
        ("NaN", None),
        ("USD", None),
        ("1" * 14, None),
        ("٣", None),
        ("abc 1", None),
        ("1 per click", None),
        ("\uff11.\uff15\uff10", 1_500_000),
        ("(1.50)", None),
        ("1-2", None),
        ("", None),
        (".", None),
        ("+1", None),
        ("1%", None),
    ],
)
def test_amounts_are_read_and_rounded_down(text: str, micros: int | None) -> None:
    found = read_amount(text)
    assert (None if found is None else found.micros) == micros


@pytest.mark.parametrize("currency", ["JPY", "IDR", "HUF"])
def test_where_nobody_writes_parts_a_mark_before_three_figures_groups_thousands(
    currency: str,
) -> None:
    texts = ("1,200", "1.200", "1,20", "120.5", "0.500")
    read = {text: read_amount(text, currency) for text in texts}
    assert {text: found and found.micros for text, found in read.items()} == {
        "1,200": 1_200_000_000,
        "1.200": 1_200_000_000,
        "1,20": 1_200_000,
        "120.5": 120_500_000,
        "0.500": 500_000,
    }


@pytest.mark.parametrize(
    ("text", "may_be", "may_not_be"),
    [
        ("JPY 120", "JPY", "USD"),
        ("0.50 eur", "EUR", "USD"),
        ("$1", "USD", "EUR"),
        ("$1", "CAD", "GBP"),
        ("C$ 1", "CAD", "USD"),
        ("US$1", "USD", "CAD"),
        ("¥5", "JPY", "USD"),
        ("5 zł", "PLN", "EUR"),
        ("5 kr.", "SEK", "EUR"),
        ("$1 CAD", "CAD", "USD"),
        ("CAD$1", "CAD", "USD"),
        ("15 руб.", "RUB", "USD"),
        ("CN¥1", "CNY", "JPY"),
        ("\uffe51", "JPY", "USD"),
        ("\uff04\uff11", "USD", "EUR"),
        ("1 (EUR)", "EUR", "USD"),
        ("USD: 1", "USD", "EUR"),
        ("1 US Dollars", "USD", "CAD"),
        ("1 Euros", "EUR", "USD"),
        ("0,50 $US", "USD", "CAD"),
        ("0,50 $ CA", "CAD", "USD"),
        ("US-Dollar 1", "USD", "CAD"),
        ("1 U$S", "USD", "UYU"),
        ("500 đ", "VND", "USD"),
    ],
)
def test_an_amount_says_its_currency(text: str, may_be: str, may_not_be: str) -> None:
    found = read_amount(text)
    assert found is not None
    assert found.currencies is not None
    assert may_be in found.currencies
    assert may_not_be not in found.currencies


def test_one_that_names_none_may_be_in_any_and_one_that_names_two_in_none() -> None:
    bare, torn = read_amount("1.50"), read_amount("€ 1.50 USD")
    assert bare is not None
    assert bare.currencies is None
    assert torn is not None
    assert torn.currencies == frozenset()


def test_smallest_units_are_those_of_iso_4217() -> None:
    units = {code: unit_micros(code) for code in ("USD", "JPY", "KWD", "CLF", "XXX")}
    assert units == {"USD": 10_000, "JPY": 1_000_000, "KWD": 1_000, "CLF": 100, "XXX": 10_000}
    assert all(len(code) == 3 and code.isupper() for code in PLACES)
    assert all(codes <= PLACES.keys() for codes in SIGNS.values())
    assert named_by("ABC") is None


@pytest.mark.parametrize(
    ("node", "names", "of_amount", "of_item"),
    [
        ("cpc", ["cpc/@iso", "cpc/@currencyISO", "cpc/@symbol"], 3, 0),
        ("cpc", ["cpcCurrency", "price_currency", "cost-currency", "bid_currency_code"], 4, 0),
        ("cpc", ["currency", "currencyIso", "iso_currency", "CurrencySymbol", "@currency"], 0, 5),
        ("bid/amount", ["bid/currency_code", "bid/@cur", "bid/amount/@ccy"], 3, 0),
        ("bid/amount", ["currency", "offer/currency"], 0, 0),
        ("cpc", ["salary_currency", "currency"], 0, 0),
        ("", ["currency"], 0, 0),
    ],
)
def test_nodes_that_give_a_currency(
    node: str, names: list[str], of_amount: int, of_item: int
) -> None:
    found = tellers(node, names)
    assert found == Tellers(names[:of_amount], names[:of_item], found.pays)


@pytest.mark.parametrize(
    ("node", "said", "model"),
    [
        ("bid/amount", {"bid/cost_model": "CPA"}, "CPA"),
        ("bid/amount", {"bid/@type": "Cost per application"}, "Cost per application"),
        ("bid", {"bid-type": "CPA", "type": "x"}, "CPA"),
        ("bid", {"bid/@type": "lead"}, "lead"),
        ("bid", {"bid_type": "CPC", "type": "lead"}, ""),
        ("bid/amount", {"bid/cost_model": "cpc", "other/type": "CPA"}, ""),
        ("cpc", {"bid_type": "CPA"}, ""),
    ],
)
def test_a_bid_may_be_for_something_else_than_a_click(
    node: str, said: dict[str, str], model: str
) -> None:
    assert other_model(tellers(node, said), said) == model


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("cpc_eur", "eur"),
        ("bidEUR", "EUR"),
        ("bid/EUR", "EUR"),
        ("CPC-USD", "USD"),
        ("maxCpcGbp", "Gbp"),
        ("cpcInCents", "Cents"),
        ("cpc_cents", "cents"),
        ("bid_micros", "micros"),
        ("bid/minor", "minor"),
        ("cpc", ""),
        ("bid/amount", ""),
        ("bid_all", ""),
        ("ALL_JOBS/MAX_BID", ""),
        ("bidALL", "ALL"),
        ("EUR", ""),
        ("maxBid", ""),
        ("@cpc", ""),
    ],
)
def test_a_node_may_say_by_its_name_what_a_bid_is_in(node: str, said: str) -> None:
    assert said_by_name(node) == said
