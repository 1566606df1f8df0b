"""The target of a redirect: the job's stored URL with the click id added, nothing else changed."""

from string import ascii_letters, digits

_LEGAL = (ascii_letters + digits + "-._~:/?#[]@!$&'()*+,;=%").encode()
_NAME = b"jClickId="
_ENDS = (b"?", b"&")
_WEB = (b"https://", b"http://")


def web_address(url: bytes) -> bytes | None:
    """The URL with all bytes percent-encoded that are not allowed in one (contract 3).

    None if it is no web address: a seeker is sent nowhere else.
    """
    if not url.startswith(_WEB) and not url[:8].lower().startswith(_WEB):
        return None
    if not url.translate(None, _LEGAL):
        return url
    return b"".join(bytes((byte,)) if byte in _LEGAL else b"%%%02X" % byte for byte in url.strip())


def with_click(url: bytes, click_id: bytes) -> bytes:
    """The URL with ``jClickId`` as its last parameter, before a fragment.

    A jClickId that is already there is an earlier click's, and is replaced; no other parameter is
    changed. **Source**: domain 7.1.
    """
    if b"#" not in url and _NAME not in url and not url.endswith(_ENDS):
        return b"%b%b%b" % (url, b"&jClickId=" if b"?" in url else b"?jClickId=", click_id)
    url, has_fragment, fragment = url.partition(b"#")
    base, _, query = url.partition(b"?")
    if _NAME in query:
        query = b"&".join(part for part in query.split(b"&") if not part.startswith(_NAME))
    if query and not query.endswith(b"&"):
        query += b"&"
    return b"".join((base, b"?", query, _NAME, click_id, has_fragment, fragment))
