"""Mends items that are almost XML, where many senders make the same error with only one possible
meaning; and finds what can be read of an item beyond that.
"""

import re
from collections import Counter
from collections.abc import Iterator
from html.entities import html5
from itertools import islice
from xml.parsers import expat
from xml.sax.saxutils import escape, unescape

from handbill.dialects.inbound.items import MOST_ELEMENTS

_NEVER = rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]"  # XML 1.0, 2.2
_NUMBER = rb"&\#(?:[0-9]{1,9}|[xX][0-9A-Fa-f]{1,8});"
_WRONG = re.compile(
    rb"<!\[CDATA\[(?:(?!\]\]>).)*+(?:\]\]>|\Z)|<!--(?:(?!-->).)*+(?:-->|\Z)"
    rb"|" + _NEVER + rb"|(?:" + _NUMBER + rb")++"
    rb"|&(?!(?:amp|lt|gt|quot|apos);)(?:[A-Za-z][A-Za-z0-9]{1,31};)?"
    rb"|<(?![^\s\d<=>&,;.+-])|\]\]>"  # neither markup nor the end of a section
    rb"|<(br|hr|wbr|BR|HR)\s*>(?![^<]*</\1\s*>)"  # with an end tag of its own, it is XML
    rb"|<(img|IMG)\s[^<>]*+(?<!/)>(?![^<]*</\2\s*>)",
    re.DOTALL,
)
_CONTROL = re.compile(_NEVER)
_HTML = re.compile(
    rb"<!\[CDATA\[(?:(?!\]\]>).)*+(?:\]\]>|\Z)|<!--(?:(?!-->).)*+(?:-->|\Z)"
    rb"|<(?=/?(?:a|b|big|blockquote|br|center|col|dd|div|dl|dt|em|font|h[1-6]|hr|i|img|li|ol|p|pre"
    rb"|script|small|span|strong|style|sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|u|ul)[\s/>])",
    re.DOTALL | re.IGNORECASE,
)
"""Tags of HTML that no feed has for its own nodes, outside of sections and comments."""
_TOLD = re.compile(
    rb"<([A-Za-z_][\w.:-]{0,99}+)(?:\s[^<>]{0,999}+)?>\s*+"
    rb"(?:<!\[CDATA\[([^\]<]{0,999}+)\]\]>|([^<]{0,999}+))\s*+</\1\s*+>"
)  # a failed start costs no more than the way to the next tag
MOST_WRONG = 100_000


def meanings(raw: bytes) -> Iterator[bytes]:
    """What an item that is not XML may be meant as, the likeliest first: mended; and with its HTML
    as text, since HTML need not close each ``<p>`` and ``<li>``. **Shape**: UTF-8.
    """
    meant = mended(raw)
    if meant != raw:
        yield meant
    as_text = _html_as_text(meant)
    if as_text != meant:
        yield as_text


def meant_beginning(raw: bytes) -> bytes:
    """The beginning of a feed, from its root on, as it is meant: mended, and with its HTML as text
    if only that makes it XML.
    """
    meant = mended(raw)
    as_text = b"" if _may_be_xml(meant) else _html_as_text(meant)
    return as_text if as_text and _may_be_xml(as_text) else meant


def mended(raw: bytes) -> bytes:
    """The item with HTML's entities as characters, a bare ``&``, a ``<`` before no name and a
    ``]]>`` behind no section escaped, ``<br>`` and ``<img>`` closed, and without the text of
    comments and characters that XML forbids; otherwise unchanged. An item with more than 100,000
    such places stays as it is: that is no slip. **Shape**: UTF-8.
    """
    meant, count = _WRONG.subn(_meant, raw, MOST_WRONG + 1)
    return raw if count > MOST_WRONG else meant


def told_by(raw: bytes) -> dict[str, str]:
    """The nodes of a broken item that are complete and occur once."""
    texts: dict[bytes, bytes] = {}
    counts: Counter[bytes] = Counter()
    for node in islice(_TOLD.finditer(raw), MOST_ELEMENTS):
        counts[node[1]] += 1
        texts[node[1]] = node[2] or node[3] or b""
    return {
        name.decode(): unescape(text.decode("utf-8", "replace")).strip()
        for name, text in texts.items()
        if counts[name] == 1
    }


def _html_as_text(raw: bytes) -> bytes:
    return _HTML.sub(lambda tag: b"&lt;" if tag[0] == b"<" else tag[0], raw)


def _may_be_xml(beginning: bytes) -> bool:
    """Whether it is XML so far, or has a document type, which we do not read."""
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _end
    try:
        parser.Parse(beginning, False)
    except expat.ExpatError:
        return False
    except StopIteration:
        return True
    return True


def _end(*_: object) -> None:
    raise StopIteration


def _meant(found: re.Match[bytes]) -> bytes:
    text = found[0]
    if text == b"<":
        return b"&lt;"
    if text == b"]]>":
        return b"]]&gt;"
    if text.startswith(b"<!--"):  # two hyphens within are an error; its lines still count
        return b"<!--" + b"\n" * text.count(b"\n") + (b"-->" if text.endswith(b"-->") else b"")
    if text.startswith(b"<!"):
        return _CONTROL.sub(b"", text)
    if text.startswith(b"<"):
        return text[:-1] + b"/>"
    if text.startswith(b"&#"):
        return _characters(text.decode()[2:-1].split(";&#"))
    if not text.startswith(b"&"):
        return b""
    meant = html5.get(text[1:].decode())
    return b"&amp;" + text[1:] if meant is None else escape(meant).encode()


def _characters(numbers: list[str]) -> bytes:
    """Adjacent references as the characters they mean; two halves of UTF-16 are one character."""
    codes = [int(one[1:], 16) if one[0] in "xX" else int(one) for one in numbers]
    units = b"".join(
        code.to_bytes(2, "big") if code < 0x10000 else chr(code).encode("utf-16-be")
        for code in codes
        if code <= 0x10FFFF
    )
    return _CONTROL.sub(b"", escape(units.decode("utf-16-be", "ignore")).encode())
