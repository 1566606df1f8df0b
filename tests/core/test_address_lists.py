"""Lists of bots' addresses: what is understood, what is refused, and what is on them."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core import address_lists
from handbill.core.address_lists import AddressList, NotAddresses, list_text, read_prefixes


def test_prefixes_are_read_in_every_spelling() -> None:
    text = "\ufeffIP Address,y\n192.0.2\n10.1.\n8.8.8.8,x\n\n2001:db8::/32\n7.*\n192.0.2.0/24\n"
    assert read_prefixes(text) == [
        "192.0.2.0/24",
        "10.1.0.0/16",
        "8.8.8.8/32",
        "2001:db8::/32",
        "7.0.0.0/8",
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b'\xef\xbb\xbfIP Address,Note\r\n8.8.8.8,x\r\n"192.0.2",y\r\n',
        b'"IP Address";"Note"\n"8.8.8.8";"caf\xe9"\n192.0.2;caf\xe9, bar\n',
        "IP Address\tNote\r\n8.8.8.8\tcafé\r\n192.0.2\t\r\n".encode("utf-16"),
        "IP Address\n8.8.8.8\n192.0.2\n".encode("utf-16-le").join((b"\xff\xfe", b"")),
    ],
)
def test_a_list_is_read_as_spreadsheets_save_it(raw: bytes) -> None:
    assert read_prefixes(list_text(raw)) == ["8.8.8.8/32", "192.0.2.0/24"]


def test_half_a_character_is_told() -> None:
    with pytest.raises(NotAddresses, match="UTF-16"):
        list_text(b"\xff\xfe1")


@pytest.mark.parametrize("line", ["x", "1.2.3.4.5", "256.1", "1.2.3.4/33", "-", "IP Address"])
def test_other_lines_are_refused_by_number(line: str) -> None:
    with pytest.raises(NotAddresses, match="line 3 is neither an address nor a prefix"):
        read_prefixes(f"IP Address\n192.0.2\n{line}\n")


def test_a_list_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_lists, "MOST_PREFIXES", 2)
    assert len(read_prefixes("1.1.1.1\n1.1.1.2\n1.1.1.2")) == 2
    with pytest.raises(NotAddresses, match="more than 2"):
        read_prefixes("1.1.1.1\n1.1.1.2\n1.1.1.3")


@given(st.ip_addresses(), st.lists(st.tuples(st.ip_addresses(), st.integers(0, 32)), max_size=8))
def test_an_address_is_on_the_list_when_a_network_holds_it(
    address: object, prefixes: list[tuple[object, int]]
) -> None:
    networks = [ip_network(f"{base}/{length}", strict=False) for base, length in prefixes]
    expected = any(ip_address(str(address)) in network for network in networks)
    assert (str(address) in AddressList(map(str, networks))) is expected


def test_what_is_no_address_is_on_no_list() -> None:
    assert "" not in AddressList(["0.0.0.0/0"])
    assert "x" not in AddressList(["::/0"])
    assert "1.1.1.1" not in AddressList([])
