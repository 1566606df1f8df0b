"""What a feed is written in, whoever says it; bytes that are not of it are read and told."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.dialects.inbound.encodings import UnknownEncoding, as_utf8, encoding_of


def chunked(raw: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The bytes in chunks of these sizes, over and over."""
    at = number = 0
    while at < len(raw):
        size = sizes[number % len(sizes)]
        yield raw[at : at + size]
        at += size
        number += 1


def test_declared_encodings() -> None:
    for name, text in (
        ("ISO-8859-1", "é"),
        ("iso-8859-15", "€"),
        ("windows-1252", "“€”"),
        ("KOI8-R", "ж"),
        ("Shift_JIS", "求人"),
        ("GB18030", "招聘"),
        ("EUC-KR", "채용"),
        ("us-ascii", "e"),
    ):
        document = f"<?xml version='1.0' encoding='{name}'?><jobs>{text}</jobs>"
        for size in (1, 3, 5_000):
            read = b"".join(as_utf8(chunked(document.encode(name), [size])))
            assert read.decode() == document
    for name in ("utf-7", "rot13", "idna", "unicode_escape", "none-such"):
        document = f"<?xml version='1.0' encoding='{name}'?><jobs>é</jobs>"
        assert b"".join(as_utf8([document.encode()])).decode() == document  # says nothing
    for name in ("ISO-8859-1", "windows-1252", "us-ascii"):
        document = f"<?xml version='1.0' encoding='{name}'?><jobs>Café – 5 €</jobs>"
        for charset in ("", name, "utf-8"):
            read = b"".join(as_utf8([document.encode()], charset))
            assert read.decode() == document  # it is UTF-8, whatever is said
    repaired: list[str] = []
    broken = b"<?xml version='1.0' encoding='Shift_JIS'?><jobs>\x81</jobs>"
    assert b"<jobs>" in b"".join(as_utf8([broken], repaired=repaired))
    assert len(repaired) == 1


@pytest.mark.parametrize(
    ("head", "charset", "name"),
    [
        (b"<a>\xe9</a>", "", "utf-8"),
        (b"<a>\xe9</a>", "windows-1252", "cp1252"),
        (b"<a>\xe9</a>", "ISO-8859-1", "cp1252"),
        (b"<a/>", "no-such", "utf-8"),
        (b"\xef\xbb\xbf<a/>", "iso-8859-2", "utf-8"),
        (b"<?xml version='1.0' encoding='latin1'?><a>\xe9</a>", "utf-8", "cp1252"),
        (b"<?xml version='1.0' encoding='latin1'?><a>\xc3\xa9</a>", "utf-8", "utf-8"),
        (b"<?xml version='1.0' encoding='utf-8'?><a>\xe9</a>", "latin1", "cp1252"),
        (b"\r\n <?xml version='1.0' encoding='koi8-r'?><a/>", "", "koi8-r"),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", "", "utf-8"),
        (b"<?xml version='1.0' encoding='x-sjis'?><a/>", "", "cp932"),
        (b"<?xml version='1.0' encoding='gb2312'?><a/>", "", "gb18030"),
        ("<?xml version='1.0' encoding='gb2312'?><a>招聘护士</a>".encode(), "", "utf-8"),
        ("<?xml version='1.0' encoding='gb2312'?><a>招聘护士</a>".encode("gb2312"), "", "gb18030"),
        (
            "<?xml version='1.0' encoding='big5'?><a>Zürich, café, Köln, é</a>".encode(),
            "",
            "utf-8",
        ),
        (b"<?xml version='1.0' encoding='Shift_JIS'?><a>\x83i\x81[\x83X</a>", "", "cp932"),
        (b"<?xml version='1.0' encoding='windows1252'?><a>\xfc</a>", "", "cp1252"),
        ("<a>Pielęgniarka</a>".encode(), "iso-8859-2", "utf-8"),
        ("<?xml version='1.0' encoding='windows-1251'?><a>Сестра</a>".encode(), "", "utf-8"),
        ("<a>Сестра</a>".encode("cp1251"), "windows-1251", "cp1251"),
        ("<jobs>".encode("utf-16-le"), "", "utf-16-le"),
        ("\r\n<jobs>".encode("utf-16-be"), "utf-8", "utf-16-be"),
        ("<jobs>".encode("utf-32-le"), "", "utf-32-le"),
    ],
)
def test_mark_then_server_then_declaration_say_the_encoding(
    head: bytes, charset: str, name: str
) -> None:
    assert encoding_of(head, charset) == name


@pytest.mark.parametrize("size", [1_000, 1_000_000])
@pytest.mark.parametrize(
    ("declared", "charset", "written"),
    [
        ("ISO-8859-1", "", "utf-8"),
        ("iso-8859-2", "", "utf-8"),
        ("windows-1252", "utf-8", "cp1252"),
        ("utf-8", "windows-1251", "utf-8"),
        ("windows-1252", "", "cp1252"),
    ],
)
def test_the_first_text_that_tells_may_stand_far_from_the_beginning(
    size: int, declared: str, charset: str, written: str
) -> None:
    text = f"<?xml version='1.0' encoding='{declared}'?><jobs>{'<a/>' * 40_000}Bäcker</jobs>"
    repaired: list[str] = []
    read = as_utf8(chunked(text.encode(written), [size]), charset, repaired)
    assert b"".join(read).decode() == text
    assert not repaired


@given(st.binary(max_size=200), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_any_bytes_become_utf8_and_what_is_not_is_told(raw: bytes, sizes: list[int]) -> None:
    raw = b"<a>" + raw.replace(b"\0", b"")
    repaired: list[str] = []
    text = b"".join(as_utf8(chunked(raw, sizes), repaired=repaired)).decode()
    try:
        assert text == raw.decode()
    except UnicodeDecodeError:
        first = int(repaired[0].split()[1].replace(",", "")) - 1
        assert raw[:first].decode() == text[: len(raw[:first].decode())]
    else:
        assert not repaired


def test_a_feed_that_is_not_at_all_in_its_encoding_is_refused() -> None:
    with pytest.raises(UnknownEncoding, match="more than 1,000 places"):
        list(as_utf8([b"<a>" + b"\xff " * 1_001]))


def test_windows_1250_is_read_as_such_under_the_name_of_iso_8859_2() -> None:
    begin = "<?xml version='1.0' encoding='ISO-8859-2'?><jobs>"
    for text, written in (("Pielęgniarka Środa źródło", "cp1250"), ("ąęćśźż Š", "iso8859-2")):
        read = b"".join(as_utf8([f"{begin}{text}</jobs>".encode(written)]))
        assert read.decode() == f"{begin}{text}</jobs>"
    quoted = f"{begin}ą".encode("iso8859-2") + b"\x84x\x94</jobs>"
    assert b"".join(as_utf8([quoted])).decode().startswith(f"{begin}ą")
