"""What the headers of an answer say: its next page, validators, charset and codings."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported when the first request goes out: few processes ever send one
    import aiohttp


_MOST_MARK = 1_024
_MOST_LINKS = 8_192
_LINK = re.compile(r"<([^<>]*+)>([^<>]*+)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s,;\"]+))", re.IGNORECASE)


def next_of(response: "aiohttp.ClientResponse") -> str:
    """The target of the link to the next page, as it is written."""
    links = ",".join(response.headers.getall("Link", []))[:_MOST_LINKS]
    for target, params in _LINK.findall(links):
        rel = _REL.search(params)
        if rel is not None and "next" in (rel[1] or rel[2]).lower().split():
            return str(target).strip()
    return ""


def codings_of(response: "aiohttp.ClientResponse") -> list[str]:
    header = ",".join(response.headers.getall("Content-Encoding", []))
    return [coding.strip() for coding in header.lower().split(",")]


def mark_of(response: "aiohttp.ClientResponse", name: str) -> str:
    """A validator of the answer, if it can be sent back as it was: short visible ASCII."""
    value = response.headers.get(name, "")
    is_plain = value.isascii() and value.isprintable() and len(value) <= _MOST_MARK
    return value if is_plain else ""


def charset_of(response: "aiohttp.ClientResponse") -> str:
    """The charset of the answer; a malformed one is ignored."""
    value = response.charset or ""
    return value if value.isascii() and value.isprintable() else ""
