"""What a feed says before its first item: the currency of all amounts, or that it is no feed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.dialects.inbound.head import currency_of, no_page
from handbill.dialects.inbound.scanner import Malformed


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


@pytest.mark.parametrize("begin", [b"<!DOCTYPE html>\n<html>", b"\n<html lang='en'>", b"<HTML>"])
def test_a_web_page_is_named_as_such(begin: bytes) -> None:
    page = begin + b"<head><title>Sign in</title></head><body><br></body></html>"
    with pytest.raises(Malformed, match="web page"):
        list(no_page([page[:3], page[3:9], page[9:]]))


@pytest.mark.parametrize("text", ['{"jobs": []}', '\n[{"title": "RN"}]', "[]", "{}"])
def test_json_is_named_as_such(text: str) -> None:
    with pytest.raises(Malformed, match="JSON"):
        list(no_page([text.encode()]))


@pytest.mark.parametrize(
    "before", ["\u00a0\n", "\ufeff \ufeff", "\0\0\n", "\u200b\u2060\u3000\u0085\u2028\n"]
)
def test_what_nobody_sees_before_a_feed_is_left_out(before: str) -> None:
    feed = b"".join(no_page([before.encode(), b"<?xml version='1.0'?><jobs/>"]))
    assert feed.lstrip(b"\n") == b"<?xml version='1.0'?><jobs/>"
    assert feed.count(b"\n") == before.count("\n"), "the lines of faults stay right"


@given(st.lists(st.binary(max_size=80)))
def test_what_is_no_page_passes_as_it_is(pieces: list[bytes]) -> None:
    assert b"".join(no_page([b"<jobs>", *pieces])) == b"<jobs>" + b"".join(pieces)
