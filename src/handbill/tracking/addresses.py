"""A visitor's address: the peer or, behind proxies of ours, the last hop that is none of them."""

from functools import lru_cache
from ipaddress import ip_address, ip_network

_MOST_HOPS = 32
_KNOWN = 4096
_NEAR = [
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
]


class Proxies:
    """The proxies whose X-Forwarded-For is believed: addresses or networks in CIDR form.

    **Refuses** a text that is neither (ValueError), at the start.
    """

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._networks = [ip_network(text, strict=False) for text in trusted]
        self.has = lru_cache(_KNOWN)(self._has)

    def _has(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._networks)

    def client_of(self, peer: str, forwarded: bytes) -> str:
        """The client's address. What a stranger wrote further left is never looked at."""
        client = peer
        hops = forwarded.decode("latin-1").split(",")[-_MOST_HOPS:]
        while hops and self.has(client):
            try:
                client = _address(hops.pop())
            except ValueError:
                break
        return client


def is_near(address: str) -> bool:
    """Whether the address is this machine's or in a private network."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in _NEAR)


def _address(hop: str) -> str:
    """The address of one hop, which may have a port. **Refuses** anything else (ValueError)."""
    hop = hop.strip()
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    ip = ip_address(hop)
    return str(getattr(ip, "ipv4_mapped", None) or ip)
