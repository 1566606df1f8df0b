"""Lists of addresses that count as bots: read from a CSV, queried address by address.

**Source**: domain 7.4 (botIpsFileUrl: header "IP Address", prefixes allowed).
"""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
MOST_PREFIXES: Final = 100_000
_OCTETS = re.compile(r"(\d{1,3})(?:\.(\d{1,3}))?(?:\.(\d{1,3}))?\.?(?:\*)?")
_HEADING = "ip address"
_OTHER_MARKS = re.compile("[;\t]")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotAddresses(ValueError):
    """The text is no list of addresses. The message says which line, and is fit for the caller."""


def list_text(raw: bytes) -> str:
    """The text of a list, as spreadsheets save it. Addresses are ASCII: notes behind them may be in
    any character set, and only UTF-16 is told apart, by its mark. **Refuses** (NotAddresses) half
    characters of UTF-16.
    """
    try:
        return raw.decode("utf-16") if raw.startswith(_UTF16) else raw.decode("utf-8", "replace")
    except UnicodeDecodeError as bad:
        raise NotAddresses("it is not UTF-16, as its first bytes say") from bad


def read_prefixes(text: str) -> list[str]:
    """The list as networks in their shortest spelling, sorted and without repeats. The first cell
    of a line counts, before a comma, semicolon or tab; a heading and empty lines are skipped.

    Accepts 192.0.2.7, 192.0.2 (three octets, or two, or one), 192.0.2.0/24 and the same for IPv6.
    **Refuses** (NotAddresses) other lines, and more than 100,000.
    """
    prefixes: dict[str, None] = {}
    for number, cell in _cells(text):
        network = _network(cell)
        if network is None:
            raise NotAddresses(f"line {number} is neither an address nor a prefix")
        prefixes[str(network)] = None
        if len(prefixes) > MOST_PREFIXES:
            raise NotAddresses(f"there are more than {MOST_PREFIXES} addresses")
    return list(prefixes)


def _cells(text: str) -> Iterator[tuple[int, str]]:
    try:
        for number, row in enumerate(csv.reader(text.removeprefix("\ufeff").splitlines()), 1):
            cell = _OTHER_MARKS.split(row[0], 1)[0].strip() if row else ""
            if cell and not (number == 1 and cell.casefold() == _HEADING):
                yield number, cell
    except csv.Error as bad:
        raise NotAddresses("it is not CSV") from bad


def _network(cell: str) -> Network | None:
    parts = _OCTETS.fullmatch(cell)
    if parts is not None:
        octets = [part for part in parts.groups() if part is not None]
        cell = ".".join([*octets, "0", "0", "0"][:4]) + f"/{8 * len(octets)}"
    try:
        return ip_network(cell, strict=False)
    except ValueError:
        return None


class AddressList:
    """A set of networks that tells whether it contains an address. ``version``: equal for equal
    networks, empty for none.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._known: dict[tuple[int, int], set[int]] = {}
        every = sorted(networks)
        digest = hashlib.blake2b("\n".join(every).encode(), digest_size=8).hexdigest()
        self.version = digest if every else ""
        for text in every:
            network = ip_network(text)
            key = (network.version, network.max_prefixlen - network.prefixlen)
            self._known.setdefault(key, set()).add(int(network.network_address) >> key[1])

    def __contains__(self, address: str) -> bool:
        if not self._known:
            return False
        version, number = _parsed(address)
        return any(
            version == of and number >> bits in known for (of, bits), known in self._known.items()
        )


@lru_cache(maxsize=65_536)
def _parsed(address: str) -> tuple[int, int]:
    """Version and number; version 0 if it is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return 0, 0
    return parsed.version, int(parsed)
