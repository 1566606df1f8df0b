"""The currency that a feed names before its first item."""

import pytest

from handbill.dialects.inbound.head import currency_of


@pytest.mark.parametrize(
    "head",
    [
        "<source><multi_currency>false</multi_currency>",
        "<source><currency_note>All amounts in USD</currency_note>",
        "<source><currency>as agreed</currency>",
        "<source><salary_currency>EUR</salary_currency>",
        '<source a:currencies="EUR">',
        '<a><b><c><d currency="EUR">',
    ],
)
def test_a_node_that_names_no_currency_of_all_amounts_says_nothing(head: str) -> None:
    assert currency_of(head.encode()) == ""


@pytest.mark.parametrize(
    "head",
    [
        "<source><currency>EUR</currency>",
        "<source><currency_note>in USD</currency_note><defaultCurrency> EUR </defaultCurrency>",
        "<source><currency/><currency>none</currency><currency-code>EUR</currency-code>",
        '<source multi_currency="false" currencyCode="EUR">',
        "<source><head><cpc_currency>EUR</cpc_currency></head>",
    ],
)
def test_the_first_node_that_names_one_counts(head: str) -> None:
    assert currency_of(head.encode()) == "EUR"
