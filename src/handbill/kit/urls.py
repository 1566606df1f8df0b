"""One spelling for a URL: what was checked is what is stored, requested and redirected to."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import quote, unquote_plus

MOST_URL = 8192
_MOST_HOST = 253
_MOST_SCHEME = len("https:")
_DEFAULT_PORTS = {"http": 80, "https": 443}

# A URL that is already canonical: the common case, decided by one match.
_CANONICAL = re.compile(
    r"https?://(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.){1,10}[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
    r"/[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*(?:\?[A-Za-z0-9\-._~!$&'()*+,;=:@/%?\[\]]*)?"
)
_SCHEME = re.compile(r"(https?):(?://?)?(?=[^/])", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[0-9]{1,5}")
_SCHEMES = ("http:", "https:")
_SECOND = re.compile(r"(?:\s|%20|(?<!%[0-9a-f])[a-z0-9])https?://", re.IGNORECASE)
"""Two URLs in one text; one that is part of another's path or query has a mark before it."""
_UNSEEN = re.compile("[\xad\u200b\u2060\ufeff]")  # possible word breaks, and byte order marks
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# Characters that may stay as they are; the percent sign too, so that nothing is encoded twice.
_IN_PATH = "-._~!$&'()*+,;=:@/%[]"
_IN_QUERY = _IN_PATH + "?"


class NotUrl(ValueError):
    """The text is not a URL that we accept; the message says why, and is fit for an answer."""


def canonical_url(text: str, *, userinfo: bool = False) -> str:
    """The canonical spelling of an http or https URL.

    Scheme and host in lower case, the host in its IDNA form, default ports dropped, spaces and
    other characters that a URL may not contain percent-encoded; path and query otherwise kept byte
    for byte. ``https:domain.com/x`` is read as ``https://domain.com/x`` (contract 3). **Refuses**
    (NotUrl): other schemes, control characters, over 8 KB, a user name or password (unless
    ``userinfo``), invalid host names, and IPv4 addresses in any form but 1.2.3.4.
    """
    is_plain = len(text) < MOST_URL and text.find("://", _MOST_SCHEME) < 0
    if is_plain and _CANONICAL.fullmatch(text) and len(text.split("/", 3)[2]) <= _MOST_HOST:
        return text
    text = seen_url(text)
    if _CONTROL.search(text):
        raise NotUrl("has a control character")
    scheme_end = _SCHEME.match(text)
    if scheme_end is None:
        raise NotUrl("must start with http:// or https://")
    scheme = scheme_end[1].lower()
    authority, path, query, fragment = _split(text[scheme_end.end() :])
    user, at, place = authority.rpartition("@")
    if at and not userinfo:
        raise NotUrl("must not have a user name or password")
    host, port = _host_and_port(place)
    if (path.startswith("//") and place.lower().endswith(_SCHEMES)) or _SECOND.search(path):
        raise NotUrl("has two schemes")
    if port == _DEFAULT_PORTS[scheme]:
        port = None
    url = (
        f"{scheme}://"
        + (quote(user, safe=_IN_PATH) + "@" if at else "")
        + host
        + (f":{port}" if port is not None else "")
        + quote(path, safe=_IN_PATH)
        + quote(query, safe=_IN_QUERY)
        + quote(fragment, safe=_IN_QUERY + "#")
    )
    if len(url) > MOST_URL:
        raise NotUrl(f"must be at most {MOST_URL} bytes")
    return url


def seen_url(text: str) -> str:
    """The text of a URL without blanks around it, and without characters that nobody sees."""
    return (text if text.isascii() else _UNSEEN.sub("", text)).strip(" \t\r\n\xa0\u3000")


def page_url(text: str) -> str:
    """The canonical spelling of a URL that people visit: its host contains a dot.

    **Refuses** (NotUrl), in addition to ``canonical_url``, names in a private network.
    """
    url = canonical_url(text)
    host = place_of(url)[1]
    if "." not in host and ":" not in host:
        raise NotUrl(f"must have a public host name, with a dot: {host[:60]}")
    return url


def place_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a canonical URL; an IPv6 host comes without its brackets."""
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    host, colon, port = authority.rpartition(":")
    if not colon or "]" in port:
        host, port = authority, str(_DEFAULT_PORTS[scheme])
    return scheme, host.strip("[]"), int(port)


def strip_params(url: str, names: Collection[str]) -> str:
    """The URL without the query parameters of these names; the rest stays byte for byte. A name
    that ends in ``*`` stands for all that begin so.
    """
    before, hash_, fragment = url.partition("#")
    base, mark, query = before.partition("?")
    if not mark or not names:
        return url
    starts = tuple(name[:-1] for name in names if name.endswith("*"))
    every = query.split("&")
    kept = []
    for param in every:
        name = unquote_plus(param.partition("=")[0])
        if name not in names and not name.startswith(starts):
            kept.append(param)
    if len(kept) == len(every):
        return url
    return base + ("?" if kept else "") + "&".join(kept) + hash_ + fragment


def _split(rest: str) -> tuple[str, str, str, str]:
    """Authority, path, query with its mark, fragment with its mark."""
    before, hash_, fragment = rest.partition("#")
    start, mark, query = before.partition("?")
    authority, slash, path = start.partition("/")
    return authority, "/" + path if slash else "/", mark + query, hash_ + fragment


def _host_and_port(place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        inside, bracket, after = place[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise NotUrl("has an invalid host")
        host, port = _ipv6(inside), after[1:]
    else:
        name, _, port = place.partition(":")
        host = _host(name)
    if not port:
        return host, None
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise NotUrl("must have a port from 1 to 65535")
    return host, int(port)


def _ipv6(text: str) -> str:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError as bad:
        raise NotUrl("has an IPv6 address that cannot be read") from bad
    if address.scope_id is not None:
        raise NotUrl("must not name a network interface")
    return f"[{address.compressed}]"


def _host(name: str) -> str:
    if len(name) > _MOST_HOST:
        raise NotUrl("has a host name that is too long")
    if not name.isascii():
        name = _ascii_name(name)
    host = name.lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > _MOST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise NotUrl("has an invalid host")
    if _NUMBER.fullmatch(labels[-1]):
        # Some readers take such a name for an address; so it must be one, in plain form.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as odd:
            raise NotUrl("must write an IPv4 address as four decimal numbers") from odd
    return host


def _ascii_name(name: str) -> str:
    """The IDNA form of a name (IDNA 2008, after the mapping of UTS 46, non-transitional)."""
    import idna  # its tables are large, and few hosts need them

    try:
        mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
        labels = mapped.split(".")
        return ".".join(
            label if label.isascii() else idna.alabel(label).decode("ascii") for label in labels
        )
    except idna.IDNAError as bad:
        raise NotUrl(
            "has a character that is not allowed in a host name, or not at that place"
        ) from bad
