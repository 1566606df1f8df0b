"""A feed's bytes as UTF-8, whatever it is written in. Pure and incremental."""

import codecs
import re
from collections.abc import Iterable, Iterator

_DECLARED = re.compile(
    rb"""\A\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']"""
)
_MOST_HEAD = 1_024
# Named as IANA does; a codec that is not for text, or that nests, is never reached from here.
_KNOWN = frozenset(
    codecs.lookup(name).name
    for name in (
        "utf-8", "ascii", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be",
        *(f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
        *(f"cp{page}" for page in (437, 850, 852, 866, 874, *range(1250, 1259))),
        "koi8-r", "koi8-u", "mac-roman", "shift_jis", "cp932", "euc-jp", "iso2022_jp", "gb2312",
        "gbk", "gb18030", "big5", "euc-kr", "cp949",
    )
)  # fmt: skip
_UTF8 = frozenset({"utf-8", "ascii"})
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)


class UnknownEncoding(ValueError):
    """The feed declares an encoding that we do not read, or does not keep to it."""


def encoding_of(head: bytes) -> str:
    """The encoding of a feed that begins like this: by its mark, else as declared, else UTF-8.

    **Refuses** a name that we do not know (UnknownEncoding). **Source**: XML 1.0, appendix F.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    declared = _DECLARED.match(head[:_MOST_HEAD])
    if declared is None:
        return "utf-8"
    name = declared[1].decode()
    try:
        found = codecs.lookup(name).name
    except LookupError as unknown:
        raise UnknownEncoding(f"the encoding {name} is not known") from unknown
    if found not in _KNOWN:
        raise UnknownEncoding(f"the encoding {name} is not known")
    # Without a mark a document that we can read as bytes cannot be in one of these.
    return "utf-8" if found.startswith(("utf-16", "utf-32")) else found


def as_utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same feed in UTF-8 without a byte order mark; its declaration stays as it was.

    UTF-8 goes through untouched (the parser checks it). **Refuses** bytes that the declared
    encoding has no character for (UnknownEncoding).
    """
    source = iter(chunks)
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= _MOST_HEAD:
            break
    name = encoding_of(head)
    if name in _UTF8:
        yield head.removeprefix(codecs.BOM_UTF8)
        yield from source
        return
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        yield decoder.decode(head).encode()
        for chunk in source:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", True).encode()
    except UnicodeError as bad:
        raise UnknownEncoding(f"the feed is not in {name}, as it says") from bad
