"""Sessions of aiohttp that dial only the checked addresses: for ``egress`` alone."""

import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

if TYPE_CHECKING:
    from handbill.host.egress import FetchLimits

_READ = 256 * 1024


class _Pinned(AbstractResolver):
    """Resolves every name to the addresses that were checked."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                proto=0,
                flags=socket.AI_NUMERICHOST,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        return


def session_to(
    addresses: Sequence[str], limits: "FetchLimits", tls: ssl.SSLContext | None
) -> aiohttp.ClientSession:
    """A session of one connection, to one of these addresses."""
    connector = aiohttp.TCPConnector(
        resolver=_Pinned(addresses),
        use_dns_cache=False,
        force_close=True,
        limit=1,
        ssl=tls or True,
    )
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=limits.connect_seconds, sock_read=limits.idle_seconds
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        trust_env=False,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=_READ,
    )


async def request(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
) -> aiohttp.ClientResponse:
    """The answer to a URL exactly as spelled; redirects are not followed."""
    target = URL(url.partition("#")[0], encoded=True)
    return await session.request(method, target, headers=headers, data=body, allow_redirects=False)
