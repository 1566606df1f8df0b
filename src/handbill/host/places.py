"""Which places may be dialled: the rules for everything outbound, whatever its protocol.

A name is resolved, and all its addresses are checked; exactly these addresses are then dialled.
"""

import socket
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from handbill.host import security
from handbill.kit.addresses import is_public
from handbill.kit.faults import Unavailable
from handbill.kit.urls import NotUrl, canonical_url, place_of

Resolve = Callable[[str, int], Sequence[str]]
_MOST_LOOKUPS: Final = 64
"""How many names are looked up at once. A look-up at a slow name server goes on after its fetch has
given up, and an agency, which has four fetches at once, must not take all of them.
"""


class EgressRefused(Exception):
    """Our policy forbids it; trying again will not help. The message may be shown to the caller."""


class EgressFailed(Unavailable):
    """The other side failed. The message may be shown to the caller, and has none of its bytes."""


class AllowedPlaces:
    """``allow``: host:port, exactly as named, that may be reached although the address is not
    public or the port unusual.
    """

    def __init__(self, allow: Sequence[str], resolve: Resolve | None) -> None:
        self._allow = frozenset(_allowed(text) for text in allow)
        self._resolve = resolve or _resolve
        self._resolvers = ThreadPoolExecutor(_MOST_LOOKUPS, thread_name_prefix="resolve")

    def require_port(self, host: str, port: int, ports: Collection[int]) -> None:
        """**Refuses** a port that is neither usual nor allowed."""
        if port not in ports and (host, port) not in self._allow:
            security.note("egress_refused", host=host, port=str(port), why="port")
            raise EgressRefused(
                f"port {port} is not open to feeds and callbacks{_advice(host, port)}"
            )

    def looked_up(self, host: str, port: int) -> "Future[Sequence[str]]":
        """The addresses of a host, not checked yet."""
        if _is_address(host):
            known: Future[Sequence[str]] = Future()
            known.set_result([host])
            return known
        return self._resolvers.submit(self._resolve, host, port)

    def checked(self, host: str, port: int, addresses: Sequence[str]) -> list[str]:
        """These addresses of a host. **Refuses** none, and any that is not public."""
        if not addresses:
            raise EgressFailed("the host name has no address")
        if (host, port) not in self._allow and not all(map(is_public, addresses)):
            security.note("egress_refused", host=host, port=str(port), why="address")
            raise EgressRefused(f"the host has an address that is not public{_advice(host, port)}")
        return list(addresses)

    def addresses(self, host: str, port: int, ports: Collection[int], seconds: float) -> list[str]:
        """The addresses that may be dialled, for threads that may wait."""
        self.require_port(host, port, ports)
        try:
            addresses = self.looked_up(host, port).result(seconds)
        except TimeoutError as late:
            raise EgressFailed("took too long") from late
        except OSError as unknown:
            raise EgressFailed("the host name cannot be resolved") from unknown
        return self.checked(host, port, addresses)

    def close(self) -> None:
        self._resolvers.shutdown(wait=False)


def _advice(host: str, port: int) -> str:
    """What the operator can do: the exception's very text, for feeds or for callbacks."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (
        f"; the operator can allow {place} in HANDBILL_EGRESS_ALLOW, for callbacks in "
        "HANDBILL_EGRESS_ALLOW_CALLBACKS"
    )


def _resolve(host: str, port: int) -> list[str]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))


def _is_address(host: str) -> bool:
    # The canonical form leaves no other host name that ends in a number or has a colon.
    return ":" in host or host.rpartition(".")[2].isdecimal()


def _allowed(text: str) -> tuple[str, int]:
    try:
        _, host, port = place_of(canonical_url(f"http://{text}/"))
    except NotUrl as bad:
        raise ValueError(f"egress_allow: {text!r} {bad}") from bad
    if not text.endswith(f":{port}") or set(text) & set("/?#"):
        raise ValueError(f"egress_allow: {text!r} must be host:port")
    return host, port
