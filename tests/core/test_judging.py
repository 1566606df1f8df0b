"""Classes of clicks, visitors, and what is kept of an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.judging import (
    balance_of,
    digest_of_agent,
    masked_ip,
    visitor_of,
)

KEY = b"k" * 32


def test_a_visitor_is_address_and_agent_on_a_job() -> None:
    one = visitor_of(KEY, b"j" * 16, "192.0.2.1", "agent")
    assert len(one) == 16
    assert one == visitor_of(KEY, b"j" * 16, "192.0.2.1", "agent")
    others = {
        visitor_of(KEY, b"k" * 16, "192.0.2.1", "agent"),
        visitor_of(KEY, b"j" * 16, "192.0.2.2", "agent"),
        visitor_of(KEY, b"j" * 16, "192.0.2.1", "another"),
        visitor_of(b"o" * 32, b"j" * 16, "192.0.2.1", "agent"),
    }
    assert len(others | {one}) == 5


@pytest.mark.parametrize(
    ("ip", "mode", "kept"),
    [
        ("192.0.2.77", "full", "192.0.2.77"),
        ("192.0.2.77", "truncated", "192.0.2.0"),
        ("2001:db8:1:2::3", "truncated", "2001:db8:1::"),
        ("2001:DB8::1", "full", "2001:db8::1"),
        ("no address", "truncated", ""),
        ("", "hashed", ""),
    ],
)
def test_what_is_kept_of_an_address(ip: str, mode: str, kept: str) -> None:
    assert masked_ip(ip, mode, KEY) == kept


def test_a_hashed_address_tells_nothing_without_the_key() -> None:
    one = masked_ip("192.0.2.77", "hashed", KEY)
    assert one == masked_ip("192.0.2.77", "hashed", KEY)
    assert "192" not in one
    assert one != masked_ip("192.0.2.77", "hashed", b"o" * 32)


@given(st.text())
def test_any_agent_and_address_can_be_digested(text: str) -> None:
    assert len(digest_of_agent(text)) == 16
    assert len(visitor_of(KEY, b"", text, text)) == 16
    assert masked_ip(text, "truncated", KEY) is not None


def test_a_balance() -> None:
    assert balance_of(5, [("valid", 3), ("bot", 2)]) == 0
    assert balance_of(5, [("valid", 3)]) == 2
