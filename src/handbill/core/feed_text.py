"""The texts of feeds, read as their readers read them. Pure.

Text that was encoded or escaped twice is read once more, control characters that stand for those of
windows-1252 are replaced, and all values of a repeated node are kept.
"""

import re
from collections.abc import Mapping
from html.entities import html5

import msgspec

ALSO = "\x1e"
"""Precedes each further value of a repeated node; not a character of XML 1.0."""
AND = ", "
"""Between several values where people read them."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_BREAK = re.compile(r"[\t\n\r\xa0\u2000-\u200a\u2028\u2029\u202f\u205f]")
_UNSEEN = re.compile("[\xad\u200b\u2060\ufeff]")  # possible word breaks, and byte order marks
_READ_AS = {chr(byte): bytes((byte,)).decode("cp1252", "ignore") for byte in range(128, 160)}
"""Control characters that stand for those of windows-1252. **Source**: HTML 13.2.5.80."""
_ENTITY = re.compile(r"&(?:#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6})|[A-Za-z][A-Za-z0-9]{1,31});")
_HALVES = re.compile(
    r"&#(?:(5[56]\d\d\d)|[xX]([dD][89aAbB][0-9a-fA-F]{2}));"
    r"&#(?:(5[67]\d\d\d)|[xX]([dD][c-fC-F][0-9a-fA-F]{2}));"
)
"""A character that was escaped as its two halves in UTF-16."""
_MOST_ESCAPES = 3  # a text may have been escaped so often
_AMPERSAND = re.compile(r"&(?:(?:amp|#38|#[xX]26);)+")
_ESCAPED_TAG = re.compile(r"&lt;/?[A-Za-z][A-Za-z0-9]*(?:\s|/?&gt;)")
_TAG = re.compile(r"</?[A-Za-z]")
_BYTES = {
    ord(bytes((byte,)).decode("cp1252")): byte
    for byte in range(128, 160)
    if bytes((byte,)).decode("cp1252", "ignore")
}
"""The characters of windows-1252 that are not at their place in Unicode, by byte."""
_TWICE = re.compile(f"[\xc2-\xf4][\x80-\xbf{''.join(map(chr, _BYTES))}]")
_BY_CHANCE = re.compile("(?<=[A-Z\xc0-\xde])\xc3[…–—”“’•·\xa0]")
"""What may also be a capital at a word's end with a mark behind it: ``MANHÃ–TARDE``."""
_WEST, _NEAR = "\xc2\xc3\xe2", "\xc4\xc5\xce\xcf\xd0\xd1\xd7\xd8\xd9"
_LEADS = (
    (frozenset(_WEST), 1),  # of Western letters, and of quotes and dashes
    (frozenset(_WEST + _NEAR), 2),  # of Latin, Greek, Cyrillic, Hebrew and Arabic letters
    (frozenset(_WEST + _NEAR + "".join(map(chr, range(0xE0, 0xF5)))), 4),
)
"""First bytes of characters, and how many bytes must follow in all, so that it is not by chance."""
_SECTION = re.compile(r"\s*<!\[CDATA\[(.*?)\]\]>\s*", re.DOTALL)
_OF_TEXT = re.compile(
    r"<(?:(/?(?:b|i|u|em|strong|span|font|small|sub|sup|mark|a))|/?(?:br|p|div|li|ul|ol|h[1-6]))"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_LONE = re.compile(r"<(?:br|p|li)(?:\s[^<>]*)?>|<\w+\s*/>", re.IGNORECASE)
_MOST_LINE = 1_001


def cleaned(text: str, most: int = _MOST_LINE) -> str:
    """One line of text: white space around it and control characters gone."""
    if not text.isprintable():
        if _BREAK.search(text):
            text = " ".join(text.split())
        text = _UNSEEN.sub("", _CONTROL.sub(_character, text))
    return text.strip()[:most]


def _character(control: re.Match[str]) -> str:
    """The character that a control character stands for, mostly none."""
    return _READ_AS.get(control[0], "")


def unescaped(text: str) -> str:
    """A line as a reader reads it: repeated escapes, once or twice, are undone."""
    for _ in range(_MOST_ESCAPES):
        if "&" not in text or ";" not in text:
            break
        former, text = text, _ENTITY.sub(_meant, _joined(text))
        if former == text:
            break
    return within(text)


def within(text: str) -> str:
    """The content of a text that was put into a CDATA section and then escaped as a whole."""
    section = _SECTION.fullmatch(text) if "<![" in text else None
    return text if section is None else section[1]


def unmarked(name: str) -> str:
    """A name without case and marks between words."""
    return name.lower().replace("_", "").replace("-", "")


def all_decoded_once(fields: Mapping[str, str]) -> Mapping[str, str]:
    """The texts of one item as ``decoded_once`` reads them: where one of them was certainly encoded
    twice, the others may be read so with less evidence.
    """
    if all(map(str.isascii, fields.values())):
        return fields
    texts = {name: decoded_once(text) for name, text in fields.items()}
    if texts != fields:
        return {name: decoded_once(text, is_sure=True) for name, text in fields.items()}
    return texts


def decoded_once(text: str, *, is_sure: bool = False) -> str:
    """A text that was UTF-8, taken for windows-1252, and encoded again, as it was before; any other
    text as it is: one that is not UTF-8 as a whole, or could be meant so (``CAFÉ’s``).

    ``is_sure``: another text of the same writer was encoded so.
    """
    if text.isascii() or not _TWICE.search(text):
        return text
    if not is_sure and not _TWICE.search(_BY_CHANCE.sub(" ", text)):
        return text
    raw = text.translate(_BYTES)
    try:
        decoded = raw.encode("latin-1").decode()
    except UnicodeError:
        return text
    leads, less = {char for char in raw if char >= "\xc0"}, len(text) - len(decoded)
    if any(leads <= known and less >= least for known, least in _LEADS):
        return decoded_once(decoded)
    return text


def values_of(text: str) -> str:
    """A list in JSON, as exports write one into a node, as the values of a repeated node."""
    if text[:2] != '["' or text[-1] != "]":
        return text
    try:
        return ALSO.join(msgspec.json.decode(text, type=list[str]))
    except msgspec.DecodeError:
        return text


def without_tags(line: str) -> str:
    """A line without HTML's text tags; a word in angle brackets that lacks a closing tag, and needs
    one, is no tag.
    """
    if "</" not in line and not _LONE.search(line):
        return line
    return " ".join(_OF_TEXT.sub(lambda tag: "" if tag[1] else " ", line).split())


def _joined(text: str) -> str:
    """The text with a character in place of each two halves of one."""
    return _HALVES.sub(_whole, text) if "&#" in text else text


def _whole(halves: re.Match[str]) -> str:
    high = int(halves[1] or halves[2], 10 if halves[1] else 16)
    low = int(halves[3] or halves[4], 10 if halves[3] else 16)
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return halves[0]
    return chr(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)


def _meant(entity: re.Match[str]) -> str:
    name = entity[0][1:-1]
    if name[0] != "#":
        return html5.get(f"{name};", entity[0])
    number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    valid = 0 < number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if valid else entity[0]


def each_of(text: str) -> tuple[str, ...]:
    """The different values of a field that may have several, each as one line."""
    lines = (cleaned(without_tags(unescaped(one))) for one in text.split(ALSO))
    return tuple(dict.fromkeys(filter(None, lines)))


def link_of(text: str) -> str:
    """A URL whose ampersands may be escaped; nothing else in it is an entity."""
    return _AMPERSAND.sub("&", text)


def html_text(text: str) -> str:
    """A description: HTML and line breaks stay; one that was escaped as a whole is unescaped."""
    # Each check is more expensive than the one before, and cheaper than the search.
    plain = text.isascii() and "\x7f" not in text and ALSO not in text
    if not plain and not text.replace("\n", "").isprintable():
        text = _CONTROL.sub(_character, text.replace(ALSO, "\n"))
    text = _joined(within(text))
    if "&lt;" in text and _ESCAPED_TAG.search(text) and not _TAG.search(text):
        text = within(_ENTITY.sub(_meant, text))
    return text
