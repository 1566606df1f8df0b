"""Where a seeker is sent: the job's stored URL with the click id added, nothing else changed."""

from string import ascii_letters, digits

_LEGAL = (ascii_letters + digits + "-._~:/?#[]@!$&'()*+,;=%").encode()
_NAME = b"jClickId="
_WEB = (b"https://", b"http://")


def encoded(url: bytes) -> bytes:
    """The URL with every byte that may not stand in one percent-encoded (contract 3)."""
    if not url.translate(None, _LEGAL):
        return url
    return b"".join(bytes((byte,)) if byte in _LEGAL else b"%%%02X" % byte for byte in url.strip())


def is_web(url: bytes) -> bool:
    """Whether a seeker may be sent there at all."""
    return url.startswith(_WEB) or url[:8].lower().startswith(_WEB)


def around_click(url: bytes) -> tuple[bytes, bytes]:
    """What stands before and after the click id in the URL that a seeker is sent to.

    ``jClickId`` becomes the last parameter, before a fragment. One that already stood there is
    some earlier click's and gives way; no other parameter is touched. **Source**: domain 7.1.
    """
    url, has_fragment, fragment = url.partition(b"#")
    base, _, query = url.partition(b"?")
    if _NAME in query:
        query = b"&".join(part for part in query.split(b"&") if not part.startswith(_NAME))
    if query and not query.endswith(b"&"):
        query += b"&"
    return b"%b?%b%b" % (base, query, _NAME), has_fragment + fragment
