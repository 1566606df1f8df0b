"""Feeds cut into items: the same whatever the chunks, and as a parser of the whole sees them."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from handbill.core.feed_text import ALSO
from handbill.dialects.inbound.encodings import as_utf8
from handbill.dialects.inbound.items import ItemReader
from handbill.dialects.inbound.markup import HTML
from handbill.dialects.inbound.mending import meanings
from handbill.dialects.inbound.plain import plain_reader
from handbill.dialects.inbound.repeats import NodeText, fields_of
from handbill.dialects.inbound.scanner import FeedItem, Malformed, scan

_NAMES = ("job", "jobs", "title", "a", "b", "j", "jobtype")
_TEXTS = st.text(st.sampled_from("ab<>&]\"' \t\nü€😀jo/-!?[CDAT"), max_size=12)


def chunked(raw: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The bytes in chunks of these sizes, over and over."""
    at = number = 0
    while at < len(raw):
        size = sizes[number % len(sizes)]
        yield raw[at : at + size]
        at += size
        number += 1


def items_of(raw: bytes, sizes: list[int] | None = None, **more: object) -> list[FeedItem]:
    chunks = chunked(raw, sizes or [7])
    return list(scan(chunks, "job", ItemReader({"a"}), collection="jobs", **more))  # type: ignore[arg-type]


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@st.composite
def content(draw: st.DrawFn, depth: int = 2) -> str:
    """What may stand in an element: text, sections, comments, instructions, elements."""
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.integers(0, 6 if depth else 3))
        text = draw(_TEXTS)
        if kind == 0:
            parts.append(escaped(text))
        elif kind == 1:
            parts.append("<![CDATA[" + text.replace("]]>", "") + "]]>")
        elif kind == 2:
            parts.append("<!--" + text.replace("-", "") + "-->")
        elif kind == 3:
            parts.append("<?p " + text.replace("?", "") + "?>")
        else:
            parts.append(draw(element(depth - 1)))
    return "".join(parts)


@st.composite
def element(draw: st.DrawFn, depth: int = 2, name: str | None = None) -> str:
    name = name or draw(st.sampled_from(_NAMES[1:] if depth == 2 else _NAMES))
    tag = name
    if draw(st.booleans()):
        value = escaped(draw(_TEXTS)).replace('"', "&quot;")
        tag += f'{draw(st.sampled_from((" ", chr(10))))}x="{value}"'
    if draw(st.integers(0, 4)) == 0:
        return f"<{tag}/>"
    space = draw(st.sampled_from(("", " ", "\n")))
    return f"<{tag}>{draw(content(depth))}</{name}{space}>"


@st.composite
def feed(draw: st.DrawFn) -> bytes:
    """A well-formed feed whose root is jobs, with job nodes among other things."""
    parts = ["<?xml version='1.0'?>\n" if draw(st.booleans()) else "", "<jobs>"]
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(st.integers(0, 5))
        if kind <= 2:
            parts.append(draw(element(2, "job")))
        elif kind == 3:
            parts.append("\n  ")
        elif kind == 4:
            parts.append("<!-- <job> " + draw(_TEXTS).replace("-", "") + "-->")
        else:
            parts.append(f"<head>{escaped(draw(_TEXTS))}<![CDATA[<job></job>]]></head>")
    return "".join((*parts, "</jobs>")).encode()


def text_by_lxml(node: etree._Element) -> str:
    """The text of a node and of those within it, parted where these are the feed's own."""
    parts, counts = [node.text or ""], dict[str, int]()
    for child in node:
        counts[child.tag] = place = counts.get(child.tag, -1) + 1
        if child.tag.lower() not in HTML:
            parts.append(ALSO if place else " ")
        parts += text_by_lxml(child), child.tail or ""
    return "".join(parts)


def _attributes(node: etree._Element) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in node.attrib.items()]


def fields_by_lxml(job: etree._Element) -> dict[str, str]:
    """Text by path, as ``ReadItem`` says it, of the nodes that lxml sees."""
    said = [NodeText((f"@{name}",), (0,), value.strip()) for name, value in _attributes(job)]

    def walk(node: etree._Element, path: tuple[str, ...], places: tuple[int, ...]) -> None:
        counts: dict[str, int] = {}
        for child in node.iterchildren("*"):
            counts[child.tag] = place = counts.get(child.tag, -1) + 1
            deeper, there = (*path, child.tag), (*places, place)
            said.extend(
                NodeText((*deeper, f"@{name}"), (*there, 0), value.strip())
                for name, value in _attributes(child)
            )
            walk(child, deeper, there)
            said.append(NodeText(deeper, there, text_by_lxml(child).strip()))

    walk(job, (), ())
    return fields_of(said)


@given(feed(), st.lists(st.integers(1, 40), min_size=1, max_size=5))
@example(b"<jobs><job><a>1</a></job><job/><job x='>'/><job></job ></jobs>", [1])
@example(b"<jobs><job><job><j/></job><![CDATA[</job>]]></job></jobs>", [3])
@settings(max_examples=200)
def test_as_a_parser_of_the_whole(raw: bytes, sizes: list[int]) -> None:
    root = etree.fromstring(raw, etree.XMLParser(remove_comments=True, remove_pis=True))
    found = items_of(raw, sizes)
    expected = [node for node in root if node.tag == "job"]
    assert len(found) == len(expected)
    for item, node in zip(found, expected, strict=True):
        assert item.fields is not None
        nested = {"a"} if any(len(n) for n in node if n.tag == "a") else set()
        mine = {k: v for k, v in item.fields.items() if k not in nested}
        theirs = {k: v for k, v in fields_by_lxml(node).items() if k not in nested}
        assert mine == theirs
    # Read again with every digest known: the same items, and none is parsed.
    known = {item.digest for item in found}
    again = items_of(raw, sizes[::-1], known=known)
    assert [item.digest for item in again] == [item.digest for item in found]
    assert all(item.fields is None for item in again)


@given(feed(), st.data())
@settings(max_examples=150)
def test_what_is_no_xml_is_refused(raw: bytes, data: st.DataObject) -> None:
    """Change or cut a byte: refused if and only if the whole is, by libxml2, also when mended."""
    at = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.sampled_from(b"<>&/\"'x] \x01\xff"))
    broken = data.draw(st.sampled_from((raw[:at], raw[:at] + bytes((byte,)) + raw[at + 1 :])))
    try:
        root = etree.fromstring(broken, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        root = None
    if root is not None and root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        root = None
    # What stands in comments, sections and instructions of the frame is passed over unread.
    if root is None and (b"<!--" in broken or b"<![" in broken or b"<?" in broken):
        return
    if root is not None and not any(node.tag == "jobs" for node in root.iter()):
        root = None
    try:
        items_of(broken, [11])
    except Malformed as bad:
        assert root is None, bad
        assert 1 <= bad.line <= broken.count(b"\n") + 1
    else:
        if root is None:
            root = whole_of(broken)
        assert any(node.tag == "jobs" for node in root.iter())


def whole_of(broken: bytes) -> etree._Element:
    """A feed by its first meaning that is XML, without what is after it."""
    for meant in meanings(broken):
        with suppress(etree.XMLSyntaxError):
            return etree.fromstring(meant[: meant.rindex(b">") + 1])
    raise AssertionError("it has no meaning that is XML")


@given(element(2, "job"))
@settings(max_examples=250)
def test_plain_items_are_as_the_parser_reads_them(text: str) -> None:
    raw = text.encode()
    reader = ItemReader()
    reader.begin()
    read = reader.feed(raw)
    assert read is not None
    assert read.end == len(raw)
    plain = plain_reader("job")(raw)
    assert plain is None or plain == read.fields


@given(st.binary(max_size=60), st.integers(0, 30))
@settings(max_examples=250)
def test_plain_never_reads_what_the_parser_refuses(noise: bytes, at: int) -> None:
    good = b'<job x="1"><a>one</a><b><![CDATA[<p>]]></b><j/></job>'
    raw = good[:at] + noise + good[at + len(noise) % 3 :]
    if plain_reader("job")(raw) is not None:
        reader = ItemReader()
        reader.begin()
        read = reader.feed(raw)
        assert read is not None
        assert read.end == len(raw)


def test_most_items_are_plain() -> None:
    plain = plain_reader("job")
    assert plain(b"<job>\n <a> x </a>\n <b><![CDATA[<p>]x]]]></b >\n<c/></job>") == {
        "a": "x",
        "b": "<p>]x]",
        "c": "",
    }
    assert plain(b'<job id="7" x=""><a>1</a></job>') == {"@id": "7", "@x": "", "a": "1"}
    for raw in (
        b"<job><a>1</b></job>",
        b"<job><a>1</a>",
        b"<job><a>&x;</a></job>",
        b"<job>t</job>",
        b"<job><a>\x01</a></job>",
        b"<job><a>\xff</a></job>",
        b"<job><a>]]></a></job>",
        b"<job><a>1</a><a>2</a></job>",
        b'<job x="1" x="2"></job>',
        b"<jobs></jobs>",
        "<job><a>\ufffe</a></job>".encode(),
        b"<job><a>1</a></job><job/>",
    ):
        assert plain(raw) is None, raw


def test_paths_of_an_item() -> None:
    raw = (
        b"<job id='7'><place x='1'><city> Austin </city><city>Dallas</city></place>"
        b"<a>Hi <b>you</b> &amp; me</a><g:t>far</g:t><t></t><t>near</t><e>\n</e></job> and more"
    )
    reader = ItemReader({"a"})
    reader.begin()
    read = reader.feed(raw)
    assert read is not None
    assert read.fields == {
        "@id": "7",
        "place/@x": "1",
        "place/city": f"Austin{ALSO}Dallas",
        "place": f"Austin {ALSO}Dallas",
        "a/b": "you",
        "a": "Hi <b>you</b> &amp; me",
        "g:t": "far",
        "t": "near",
        "e": "",
    }
    assert raw[read.end :] == b" and more"


def test_a_broken_item_says_what_it_can_where_it_surely_is_one() -> None:
    good, broken = (
        b"<job><a>1</a></job>\n",
        b"<job x='<'><a>2</a>\n<b>3<i></b><c><![CDATA[4]]></c></job>",
    )
    feed = b"<jobs>" + good + broken + good + b"</jobs>"
    found = items_of(feed, passes_broken=True)
    assert [(item.fields or {}, item.line, bool(item.broken)) for item in found] == [
        ({"a": "1"}, 1, False),
        ({"a": "2", "c": "4"}, 2, True),
        ({"a": "1"}, 3, False),
    ]
    for refused in (feed, feed.replace(b"</i>", b"<job>").replace(b"3<i>", b"<job>3")):
        with pytest.raises(Malformed):
            items_of(refused, passes_broken=refused is not feed)


@pytest.mark.parametrize("name", ["Job", "x:job"])
def test_a_feed_without_such_items_but_with_some_alike_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match=f"<{name}>: map that one"):
        items_of(f"<jobs><{name}><a/></{name}></jobs>".encode())


def test_lines_of_faults() -> None:
    items = items_of(b"<jobs>\n\n<job><a>1</a></job>\n<job>\n<a>2</a>\n</job><job/></jobs>")
    assert [item.line for item in items] == [3, 4, 6]
    for raw, line in (
        (b"<jobs>\n<job>\n<x>\n</y></job></jobs>", 4),
        (b"<jobs>\n<job></job>\n<x>\n</y></jobs>", 4),
        (b"<jobs>\n<job></job>\n", 3),
        (b"<jobs>\n<job>\n\n", 2),
        (b"<jobs>\n<!-- \n\n", 2),
        (b"\n<!DOCTYPE jobs><jobs/>", 2),
        (b"\n<!ENTITY x 'y'>", 2),
        (b"<x/>", 1),
    ):
        for size in (1, 5, 1000):
            with pytest.raises(Malformed) as bad:
                items_of(raw, [size])
            assert bad.value.line == line, raw


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_what_holds_nothing_is_passed_at_once(size: int) -> None:
    """Many of them one behind the other, also where one looks like another, and however cut."""
    run = b"<!-- <![CDATA[ - -> ?> -->\n<?a <!-- ? > ?> <!---->" * 3
    within = run + b"<![CDATA[ ] ]> <job/> --> ]]>\n" + run
    raw = run + b"<jobs>" + within + b"<job><t>a</t></job>" + within + b"</jobs>" + run
    (item,) = items_of(raw, [size])
    assert (item.fields, item.line) == ({"t": "a"}, 1 + raw.partition(b"<job>")[0].count(b"\n"))
    section, kind = b"<!----><![CDATA[]]>", b"<!----><!DOCTYPE jobs>"
    for bad in (
        section + raw,
        kind + raw,
        raw + section,
        raw + b"<!----><?a",
        raw + b"<!----><!--",
    ):
        with pytest.raises(Malformed):
            items_of(bad, [size])


def test_empty_items_are_plain() -> None:
    plain = plain_reader("job")
    assert plain(b"<job/>") == plain(b"<job></job>") == {}
    assert plain(b'<job a="1" b="2" />') == {"@a": "1", "@b": "2"}
    assert [item.fields for item in items_of(b'<jobs><job/><job x="1"/><job></job></jobs>')] == [
        {},
        {"@x": "1"},
        {},
    ]


@given(feed(), st.sampled_from(("utf-16", "utf-8-sig", "utf-16-le", "utf-32")), st.integers(1, 9))
@settings(max_examples=60)
def test_encodings_with_a_mark(raw: bytes, encoding: str, size: int) -> None:
    text = raw.decode()
    if encoding == "utf-16-le":
        text = "\ufeff" + text
    written = text.encode(encoding)
    assert b"".join(as_utf8(chunked(written, [size]))) == raw


@pytest.mark.parametrize(
    "opening",
    [
        "<archive>",
        "<archive note='a/>b'>",
        "a!<archive\n>",
        "<x:Closed-Jobs>",
        '<archive note="' + "x" * 400 + '">',
        "<a/>" * 5_000 + "<archive>",
        "<archive/><archive>",
    ],
)
def test_a_job_is_over_however_the_tag_around_it_is_written_and_cut(opening: str) -> None:
    name = "x:Closed-Jobs" if "Closed" in opening else "archive"
    archive = f"{opening}<job>2</job></{name} ><job>3</job>{opening}<job>4</job></{name}>"
    feed = f'<jobs xmlns:x="x">{" " * (256 * 1024 - 300)}<job>1</job>{archive}</jobs>'.encode()
    for size in (len(feed), 256 * 1024 - 99, 256 * 1024 + 200):
        assert [item.is_over for item in items_of(feed, [size])] == [False, True, False, True]
