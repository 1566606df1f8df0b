"""Converts a feed's bytes to UTF-8 from any encoding. Pure and incremental."""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_DECLARED = re.compile(
    rb"""\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']"""
)
_MOST_HEAD = 64 * 1024
_MOST_REPAIRS = 1_000
# IANA names; a codec that is not for text, or that nests, is never reached from here.
_KNOWN = frozenset(
    codecs.lookup(name).name
    for name in (
        "utf-8",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
        *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
        *(f"cp{page}" for page in (437, 850, 852, 866, 874, *range(1250, 1259))),
        "koi8-r",
        "koi8-u",
        "mac-roman",
        "mac-cyrillic",
        "cp932",
        "euc-jp",
        "iso2022_jp",
        "gb18030",
        "big5hkscs",
        "cp949",
    )
)
_STANDS_FOR: Final = {
    codecs.lookup(narrow).name: codecs.lookup(wide).name
    for narrow, wide in {
        "ascii": "cp1252",
        "iso8859-1": "cp1252",
        "iso8859-9": "cp1254",
        "iso8859-11": "cp874",
        "tis-620": "cp874",
        "shift_jis": "cp932",
        "gb2312": "gb18030",
        "gbk": "gb18030",
        "euc-kr": "cp949",
        "big5": "big5hkscs",
    }.items()
}
"""Writers name the narrow set and use the wide one. **Source**: WHATWG Encoding, 4.2."""
_LETTERS_OF_1250: Final = re.compile(rb"[\x8a\x8c-\x8f\x9a\x9c-\x9f]")
"""Letters there, and control characters in ISO-8859-2, whose other letters stand elsewhere."""
_LABELS: Final = {
    "ansi": "cp1252",
    "x-ansi": "cp1252",
    "x-cp1252": "cp1252",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-sjis": "cp932",
    "ms_kanji": "cp932",
    "windows-31j": "cp932",
    "x-gbk": "gb18030",
    "x-x-big5": "big5hkscs",
    "ks_c_5601-1987": "cp949",
    "dos-874": "cp874",
    "x-mac-roman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "windows1252": "cp1252",
    "cp-1252": "cp1252",
    "win-1252": "cp1252",
    "windows1250": "cp1250",
    "cp-1250": "cp1250",
    "windows1251": "cp1251",
    "cp-1251": "cp1251",
    "unicode-1-1-utf-8": "utf-8",
    "unicode": "utf-16-le",
    "ucs-2": "utf-16-le",
    "visual": "iso8859-8",
    "logical": "iso8859-8",
}
"""Labels of the standard that Python does not know."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS: Final[Mapping[tuple[bool, ...], str]] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}
"""Which of the first four bytes are zero, if a feed begins with two characters of ASCII."""
_SEVERAL_BYTES: Final = frozenset(
    codecs.lookup(name).name
    for name in ("utf-8", "cp932", "euc-jp", "iso2022_jp", "gb18030", "big5hkscs", "cp949")
)


_EASTERN: Final = _SEVERAL_BYTES - {"utf-8", "iso2022_jp"}
_CHARACTER: Final = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_NOT_BY_CHANCE: Final = 4
"""So many characters in an Eastern set are hardly ever valid UTF-8, all of them."""


class UnknownEncoding(ValueError):
    """The feed declares an encoding that we do not read, or does not follow it."""


def codec_of(label: str) -> str:
    """The codec for a label. **Refuses** a label that we do not know."""
    named = label.strip().lower()
    try:
        codec = codecs.lookup(_LABELS.get(named, named)).name
    except LookupError as unknown:
        raise UnknownEncoding(f"the encoding {label} is not known") from unknown
    codec = _STANDS_FOR.get(codec, codec)
    if codec not in _KNOWN:
        raise UnknownEncoding(f"the encoding {label} is not known")
    return codec


def encoding_of(head: bytes, charset: str = "", telling: bytes | None = None) -> str:
    """The encoding of a feed with this beginning: by its mark, else by the server's
    ``Content-Type``, else by the feed's declaration, else UTF-8. An unknown name is ignored.
    ``telling``: the first bytes that are not all ASCII, if they are further on.

    A server that says UTF-8 of a feed whose declaration shows another one is not believed; nor is a
    label of a single-byte set if the bytes are valid UTF-8, which text in such a set hardly ever is
    by chance; nor one of an Eastern set, if there are enough of them.
    **Source**: RFC 7303, 3; XML 1.0, F.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    wide = _ZEROS.get(tuple(not byte for byte in head[:4]))
    if wide is not None:
        return wide
    declaration = _DECLARED.match(head)
    declared = _as_bytes(_label_of(declaration[1].decode())) if declaration else "utf-8"
    encoding = _as_bytes(_label_of(charset)) if charset else declared
    telling = head if telling is None else telling
    if encoding == "utf-8" != declared and not _is_utf8(telling):
        return declared
    if _is_of_single_bytes(encoding) and not telling.isascii() and _is_utf8(telling):
        return "utf-8"
    if encoding in _EASTERN and not telling.isascii() and _is_utf8(telling):
        is_named = _is_in(encoding, telling)
        if not is_named or len(_CHARACTER.findall(telling)) >= _NOT_BY_CHANCE:
            return "utf-8"
    if encoding == "iso8859-2" and _LETTERS_OF_1250.search(telling):
        return "cp1250"
    return encoding


def _is_of_single_bytes(name: str) -> bool:
    return name not in _SEVERAL_BYTES and not name.startswith(("utf-16", "utf-32"))


def _label_of(charset: str) -> str:
    """The encoding with this label; an unknown label counts as none."""
    try:
        return codec_of(charset)
    except UnknownEncoding:
        return "utf-8"


def _as_bytes(name: str) -> str:
    # Without a mark, a document that we can read as bytes cannot be in one of these.
    return "utf-8" if name.startswith(("utf-16", "utf-32")) else name


def _is_utf8(head: bytes) -> bool:
    """Whether this may be UTF-8; its last character may be cut."""
    return _is_in("utf-8", head)


def _is_in(encoding: str, head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def as_utf8(
    chunks: Iterable[bytes], charset: str = "", repaired: list[str] | None = None
) -> Iterator[bytes]:
    """The same feed in valid UTF-8 without a byte order mark; its declaration is not changed.

    ``charset``: from the server's ``Content-Type``. Bytes that are not in the encoding are read as
    windows-1252, as other readers do; ``repaired`` is called for each. **Refuses** a feed with more
    than 1,000 such places (UnknownEncoding).
    """
    source = iter(chunks)
    head = _enough_of(source)
    blank, begun = _begun(head)
    name = encoding_of(begun, charset)
    passed = 0
    if head.isascii() and (name == "utf-8" or _is_of_single_bytes(name)):
        # All these share ASCII: which one it is shows at the first other byte.
        yield head
        passed = len(head)
        for head in source:
            if not head.isascii():
                break
            yield head
            passed += len(head)
        else:
            return
        head += _enough_of(source)
        name = encoding_of(begun, charset, head)
    elif name == "utf-8":
        yield blank
        passed = len(head)
        head = begun.removeprefix(codecs.BOM_UTF8)
        passed -= len(head)
    reader = _Reader(name, repaired if repaired is not None else [])
    reader.passed = passed
    yield reader.read(head)
    for chunk in source:
        yield reader.read(chunk)
    yield reader.read(b"", final=True)


def _enough_of(source: Iterator[bytes]) -> bytes:
    """Enough bytes to recognise an encoding; fewer only if the feed ends."""
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= _MOST_HEAD:
            break
    return head


def _begun(head: bytes) -> tuple[bytes, bytes]:
    """The blank beginning of a feed, and the rest. In a wide encoding nothing counts as blank."""
    if b"\0" in head[:4]:
        return b"", head
    begun = head.lstrip()
    return head[: len(head) - len(begun)], begun


class _Reader:
    """Decodes a stream; what is not in the encoding is read as windows-1252, and reported."""

    def __init__(self, name: str, told: list[str]) -> None:
        self.name = name
        self.passed = 0
        self._told = told
        self._decoder = codecs.getincrementaldecoder(name)("strict")

    def read(self, chunk: bytes, *, final: bool = False) -> bytes:
        """A chunk in UTF-8; a character that is cut at its end comes with the next."""
        state = self._decoder.getstate()
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self._decoder.setstate(state)
            return self._passing(chunk, self._repaired(chunk, final=final).encode())
        if self.name != "utf-8":
            return self._passing(chunk, text.encode("utf-8", "replace"))
        # As it came, without a cut character: encoding it again would double the cost.
        whole = state[0] + chunk
        return self._passing(chunk, whole[: len(whole) - len(self._decoder.getstate()[0])])

    def _passing(self, chunk: bytes, read: bytes) -> bytes:
        self.passed += len(chunk)
        return read

    def _repaired(self, chunk: bytes, *, final: bool) -> str:
        parts: list[str] = []
        end = self.passed + len(chunk)
        while True:
            try:
                parts.append(self._decoder.decode(chunk, final))
            except UnicodeDecodeError as bad:
                # What the decoder held back comes before our bytes in what it looked at.
                whole = bytes(bad.object)
                self._decoder.reset()
                parts.append(self._decoder.decode(whole[: bad.start]))
                self._decoder.reset()
                wrong, chunk = whole[bad.start : bad.end], whole[bad.end :]
                parts.append(self._read_as_1252(wrong, end - len(chunk) - len(wrong)))
            else:
                return "".join(parts)

    def _read_as_1252(self, wrong: bytes, at: int) -> str:
        if len(self._told) >= _MOST_REPAIRS:
            raise UnknownEncoding(f"more than {_MOST_REPAIRS:,} places are not in {self.name}")
        self._told.append(
            f"byte {at + 1:,} (0x{wrong[:1].hex()}) is not of {self.name}: read as windows-1252"
        )
        return wrong.decode("cp1252", "replace")
