"""Nodes that repeat, and descriptions that are written as nodes."""

import pytest

from handbill.core.feed_text import ALSO
from handbill.dialects.inbound.items import ItemReader
from handbill.dialects.inbound.known import discover, look
from handbill.dialects.inbound.markup import html_of


def test_of_nodes_that_repeat_one_counts_whole() -> None:
    raw = (
        b"<job><tag>b</tag><tag/><tag>c</tag><places><place/><place><city>Bonn</city><zip/></place>"
        b"<place><city>Ulm</city><zip>89073</zip></place></places><link rel='self' href='s'/>"
        b"<link rel='alternate' href='a'/><when><day>1</day></when></job>"
    )
    reader = ItemReader()
    reader.begin()
    read = reader.feed(raw)
    assert read is not None
    assert {name: value.split(ALSO) for name, value in read.fields.items() if name != "places"} == {
        "tag": ["b", "c"],
        "places/place/city": ["Bonn", "Ulm"],
        "places/place/zip": ["", "89073"],
        "places/place": ["Bonn", "Ulm 89073"],
        "link/@rel": ["alternate", "self"],
        "link/@href": ["a", "s"],
        "link": [""],
        "when/day": ["1"],
        "when": ["1"],
    }


def test_of_nodes_that_repeat_within_one_that_repeats_one_counts_whole() -> None:
    raw = (
        b"<job><place><at><city>Bonn</city><zip/></at><at><city>Ulm</city><zip>89073</zip></at>"
        b"</place><place><at><city>Austin</city><zip>78701</zip><state>TX</state></at></place>"
        b"<place><at><city>K</city></at><at primary='1'><city>L</city></at></place></job>"
    )
    reader = ItemReader()
    reader.begin()
    read = reader.feed(raw)
    assert read is not None
    assert {
        name: text.split(ALSO) for name, text in read.fields.items() if name.count("/") == 2
    } == {
        "place/at/city": ["Bonn", "Ulm", "Austin", "K", "L"],
        "place/at/zip": ["", "89073", "78701"],
        "place/at/state": ["", "TX"],
        "place/at/@primary": ["", "1"],
    }


@pytest.mark.parametrize(
    ("written", "city", "state"),
    [
        (b"<city>Bonn</city><state/><city>Austin</city><state>TX</state>", "Bonn", ""),
        (b"<city/><state/><city>Austin</city><state>TX</state>", "Austin", "TX"),
        (b"<city>Dallas</city><city>Austin</city><state>TX</state>", "Dallas", "TX"),
    ],
)
def test_columns_that_repeat_are_rows(written: bytes, city: str, state: str) -> None:
    reader = ItemReader(rows={"city", "state"})
    reader.begin()
    read = reader.feed(b"<job>" + written + b"<title/><title>Nurse</title></job>")
    assert read is not None
    first = {name: text.split(ALSO)[0] for name, text in read.fields.items()}
    assert first == {"city": city, "state": state, "title": "Nurse"}


_ULM = b"<city>Ulm</city><country>DE</country><zip>89073</zip>"
_AUSTIN = b"<city>Austin</city><state>TX</state><country>US</country><zip>78701</zip>"


@pytest.mark.parametrize(
    ("order", "rows", "zips"),
    [
        ("zip city country", "z.z", ["0", "2"]),
        ("zip city country", "zz.", ["0", "1"]),
        ("city country zip", ".zz", ["", "1", "2"]),
        ("city country zip", ".z.", ["", "1"]),
        ("city country zip", "z.z", ["0", "2"]),
        ("city country zip", "..z", ["2"]),
    ],
)
def test_a_node_beside_the_columns_of_a_row_belongs_to_it(
    order: str, rows: str, zips: list[str]
) -> None:
    names = [[name for name in order.split() if name != "zip" or mark == "z"] for mark in rows]
    written = "".join(f"<{name}>{n}</{name}>" for n, row in enumerate(names) for name in row)
    reader = ItemReader(rows={"city", "country", "zip"})
    reader.begin()
    read = reader.feed(f"<job>{written}</job>".encode())
    assert read is not None
    assert read.fields["zip"].split(ALSO) == zips


@pytest.mark.parametrize(
    ("written", "first", "states"),
    [
        (_ULM + _AUSTIN, "Ulm DE 89073", ["", "TX"]),
        (_AUSTIN + _ULM, "Austin US 78701", ["TX"]),
        (_AUSTIN + _ULM + _AUSTIN, "Austin US 78701", ["TX", "TX"]),
        (b"<state>BW</state>" + _ULM + _ULM, "Ulm DE 89073", ["BW"]),
        (_ULM + _ULM + b"<state>BW</state>", "Ulm DE 89073", ["BW"]),
    ],
)
def test_what_one_of_several_rows_has_stays_with_it(
    written: bytes, first: str, states: list[str]
) -> None:
    reader = ItemReader(rows={"city", "state", "country", "zip"})
    reader.begin()
    read = reader.feed(b"<job>" + written + b"</job>")
    assert read is not None
    fields = {name: text.split(ALSO) for name, text in read.fields.items()}
    assert " ".join(fields[name][0] for name in ("city", "country", "zip")) == first
    assert fields["state"] == states


@pytest.mark.parametrize(
    ("first", "link"),
    [
        ("rel='via'", "type='text/html; charset=utf-8'"),
        ("rel='self'", "rel='http://www.iana.org/assignments/relation/alternate'"),
        ("type='application/json; v=1'", "rel='alternate'"),
    ],
)
def test_of_links_the_page_for_people_counts(first: str, link: str) -> None:
    reader = ItemReader()
    reader.begin()
    read = reader.feed(f"<job><link {first} href='no'/><link {link} href='yes'/></job>".encode())
    assert read is not None
    assert read.fields["link/@href"].split(ALSO)[0] == "yes"


@pytest.mark.parametrize("empty", ["xml:lang='de'", "xsi:nil='true' xmlns:xsi='urn:x'"])
def test_a_node_with_nothing_but_attributes_hides_no_text(empty: str) -> None:
    reader = ItemReader()
    reader.begin()
    read = reader.feed(f"<job><title {empty}/><title xml:lang='en'>Nurse</title></job>".encode())
    assert read is not None
    assert read.fields["title"] == "Nurse"


@pytest.mark.parametrize(
    "bids",
    [
        "<bid type='cpa'><at>10</at></bid><bid type='CPC'><at>0.50</at></bid>",
        "<bid><model>CPA</model><at>10</at></bid><bid><model>CPC</model><at>0.50</at></bid>",
        "<bid type='cpa'><at>10</at></bid><bid type='Cost per click'><at>0.50</at></bid>",
        "<bid bid-type='per apply'><at>10</at></bid><bid bid-type='click'><at>0.50</at></bid>",
    ],
)
def test_of_several_bids_the_one_per_click_counts(bids: str) -> None:
    reader = ItemReader()
    reader.begin()
    read = reader.feed(f"<job>{bids}</job>".encode())
    assert read is not None
    assert read.fields["bid/at"].split(ALSO) == ["0.50", "10"]


@pytest.mark.parametrize(
    ("written", "values"),
    [
        (b"<at><v>Austin</v><v>Dallas</v></at>", ["Austin", "Dallas"]),
        (b"<at><city>Austin</city><state>TX</state></at>", ["Austin TX"]),
        (b"<at>Aus<b>t</b>i<b>n</b></at>", ["Austin"]),
        (b"<at><x><v>A</v></x><x><v>B</v></x></at>", ["A", "B"]),
    ],
)
def test_what_several_nodes_say_is_not_one_word(written: bytes, values: list[str]) -> None:
    reader = ItemReader()
    reader.begin()
    read = reader.feed(b"<job>" + written + b"</job>")
    assert read is not None
    assert [one.strip() for one in read.fields["at"].split(ALSO)] == values


@pytest.mark.parametrize(
    "mark",
    [
        "<at primary='true'>{}</at>",
        "<at is_default='1'>{}</at>",
        "<at type='primary'>{}</at>",
        "<at><isMain>Yes</isMain>{}</at>",
    ],
)
def test_of_repeated_nodes_the_one_marked_as_the_main_one_counts(mark: str) -> None:
    reader = ItemReader()
    reader.begin()
    main = mark.format("<city>Ulm</city>")
    read = reader.feed(f"<job><at><city>Bonn</city><zip>1</zip></at>{main}</job>".encode())
    assert read is not None
    assert read.fields["at/city"].split(ALSO) == ["Ulm", "Bonn"]
    assert read.fields["at/zip"].split(ALSO)[0] == ""


def test_of_alternate_links_the_page_counts() -> None:
    reader = ItemReader()
    reader.begin()
    read = reader.feed(
        b"<job><link rel='alternate' type='application/json' href='j'/>"
        b"<link rel='alternate' type='text/html' href='h'/></job>"
    )
    assert read is not None
    assert read.fields["link/@href"].split(ALSO)[0] == "h"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Hi <b>you</b> &amp; me", "Hi <b>you</b> &amp; me"),
        ("<h:p>a</h:p><h:br/>", "<p>a</p><br/>"),
        ("<![CDATA[<p>a &amp; b</p>]]>", "<p>a &amp; b</p>"),
        (
            "<s1><name>Tasks</name><value><![CDATA[<p>Build</p>]]></value></s1>",
            "<p>Tasks</p>\n<p>Build</p>",
        ),
        ("<part>R&amp;D</part><part>x &lt; y</part>", "R&D\nx < y"),
        (
            "<part>&lt;p&gt;one&lt;/p&gt;</part><!-- no --><part>R&amp;D</part>",
            "<p>one</p>\n<p>R&amp;D</p>",
        ),
        ("<part a='>'/>", ""),
    ],
)
def test_a_description_in_nodes_is_html(written: str, read: str) -> None:
    assert html_of(written) == read


def test_a_link_is_found_in_its_attribute_where_it_has_no_text() -> None:
    entry = (
        "<id>1</id><title>T</title><content>c</content><link rel='alternate' href='https://a/'/>"
    )
    atom = look(f"<feed><entry>{entry}</entry></feed>".encode())
    assert atom is not None
    assert discover(atom.nodes)["schemaMappingsURL"] == "link/@href"
    rss = look(f"<c><item>{entry}<link>https://b/</link></item></c>".encode())
    assert rss is not None
    assert discover(rss.nodes)["schemaMappingsURL"] == "link"
