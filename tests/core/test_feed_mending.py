"""Items that are almost XML are read as they were meant, and told; what has two meanings is not."""

import pytest

from handbill.dialects.inbound.items import ItemReader
from handbill.dialects.inbound.known import fault_of, look
from handbill.dialects.inbound.mending import MOST_WRONG, mended
from handbill.dialects.inbound.scanner import FeedItem, Malformed, scan


def _scanned(feed: bytes) -> list[FeedItem]:
    return list(scan([feed], "job", ItemReader(), collection="jobs"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"R & D", "R & D"),
        (b"R &D; x", "R &D; x"),
        (b"a&b=c&amp;d", "a&b=c&d"),
        (b"Caf&eacute;&nbsp;&lt;b&gt;", "Café\xa0<b>"),
        (b"&LT;b&gt; & &NotEqualTilde;", "<b> & \u2242\u0338"),
        (b"a\x0bb\x00c\xef\xbf\xbf", "abc"),
        (b"a&#11;b&#xFFFF;c&#9999999;", "abc"),
        (b"&#xD83D;&#xDE00; &#55357;&#56832; &#x1F600;", "\U0001f600 \U0001f600 \U0001f600"),
        (b"&#xD83D; & &#38;&#60;", " & &<"),
        (b"<![CDATA[R & D &nbsp;\x0b]]> & <![CDATA[x]]>", "R & D &nbsp; & x"),
        ("überall & Küche".encode(), "überall & Küche"),
        (b"a < b, <5 & <= 7", "a < b, <5 & <= 7"),
        (b"a]]>b", "a]]>b"),
        (b"<![CDATA[a <![CDATA[ b ]]> c ]]>", "a <![CDATA[ b  c ]]>"),
        (b"<b>a", "<b>a"),
        (b"a <b & c", "a <b & c"),
        (b"<p>One<P>R & D<img src=x>", "<p>One<P>R & D<img src=x/>"),
        (b"<ul class=x><li>a<li>b</ul>", "<ul class=x><li>a<li>b</ul>"),
        (b"<p><![CDATA[<p>a]]><!-- <p> --></div>", "<p><p>a</div>"),
        (b"a<!-- b -- & c --->d", "ad"),
    ],
)
def test_what_can_mean_one_thing_is_read(written: bytes, meant: str) -> None:
    whole = b"<job><t>whole</t></job>"
    first, second, third = _scanned(
        b"<jobs>" + whole + b"\n<job><t>" + written + b"</t></job>\n" + whole + b"</jobs>"
    )
    assert second.fields == {"t": meant.strip()}
    assert second.is_mended
    assert second.line == 2
    assert first.digest == third.digest
    assert not first.is_mended


@pytest.mark.parametrize("written", [b"<x>a", b"</x>", b"<!-- a", b"<x a=1/>"])
def test_what_has_two_meanings_is_refused_at_its_line(written: bytes) -> None:
    feed = b"<jobs>\n<job><t>" + written + b" & c</t></job></jobs>"
    with pytest.raises(Malformed) as refused:
        _scanned(feed)
    assert refused.value.line == 2


def test_html_that_is_xml_once_mended_stays_nodes() -> None:
    raw = b"<jobs><job><t><p>R & D</p></t><p>own</p></job></jobs>"
    (item,) = _scanned(raw)
    assert item.fields is not None
    assert item.fields["p"] == "own"


def test_html_as_text_takes_no_other_node_in() -> None:
    raw = b"<jobs><job><t><p>One<li>Two</t><address>here</address><col1>3</col1></job></jobs>"
    (item,) = _scanned(raw)
    assert item.fields == {"t": "<p>One<li>Two", "address": "here", "col1": "3"}


def test_nodes_that_html_does_not_close_are_closed() -> None:
    raw = b"<jobs><job><t>a<br>b<BR >c<img src='x'><hr/>d &nbsp;</t></job></jobs>"
    (item,) = _scanned(raw)
    assert item.fields is not None
    assert item.fields["t"].replace(" ", "") == "abcd"


@pytest.mark.parametrize(("name", "attribute"), [("br", ""), ("HR", ""), ("img", " src='x'")])
def test_nodes_that_are_closed_are_not_closed_again(name: str, attribute: str) -> None:
    tag = f"<{name}{attribute}>b</{name}>"
    (item,) = _scanned(f"<jobs><job><t>a & c</t>{tag}</job></jobs>".encode())
    assert item.fields is not None
    assert item.fields[name] == "b"


def test_xml_is_left_as_it_is() -> None:
    sound = b"<job a='1'><t>R &amp; D &#233;&lt;\n</t><![CDATA[a & b]]></job>"
    assert mended(sound).decode() == sound.decode().replace("&#233;", "é")


def test_what_is_wrong_everywhere_is_no_slip() -> None:
    assert mended(b"&" * MOST_WRONG) == b"&amp;" * MOST_WRONG
    assert mended(b"&" * (MOST_WRONG + 1)) == b"&" * (MOST_WRONG + 1)


@pytest.mark.parametrize("last_words", [b"\0\0", b"\nDone in 3 s & more\n", b"\x1a", b" ]]>"])
def test_last_words_behind_the_root_are_not_read(last_words: bytes) -> None:
    assert len(_scanned(b"<jobs><job><t>a</t></job></jobs>" + last_words)) == 1


@pytest.mark.parametrize(
    "more", [b"\0<job><t>b</t></job>", b"<jobs><job><t>b</t></job></jobs>", b"x\n<x/>"]
)
def test_more_jobs_behind_the_root_are_not_lost_in_silence(more: bytes) -> None:
    with pytest.raises(Malformed):
        _scanned(b"<jobs><job><t>a</t></job></jobs>" + more)


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"\n ",
        b"<?xml version='1.0'?>",
        b"<!-- made by us --><?xml version='1.0'?>\n",
        b"<?XML version='1.0'?>",
        b"<?xml version='1.0' encoding=' utf-8 '?><!-- <job> -->",
    ],
)
def test_what_stands_before_the_root_is_the_same_to_both_readers(before: bytes) -> None:
    job = (
        b"<job><title>R & D</title><description>d</description><url>https://x.example/1</url>"
        b"<referencenumber>1</referencenumber></job>"
    )
    feed = before + b"<jobs>" + job + b"</jobs>"
    seen = look(feed)
    assert seen is not None
    assert (seen.collection, seen.item) == ("jobs", "job")
    assert fault_of(feed) is None
    assert len(_scanned(feed)) == 1


def test_html_in_the_beginning_of_a_feed_is_no_fault() -> None:
    job = (
        b"<job><referencenumber>A</referencenumber><title>T</title><description><ul><li>a<li>b</ul>"
        b"<img src=x></description><url>https://x.example/A</url><city>Austin</city></job>"
    )
    for end in (b"</source>", b"<job><title"):
        assert fault_of(b"<source>" + job + end) is None
        found = look(b"<source>" + job + end)
        assert found is not None
        assert {"description", "url", "city"} <= set(found.nodes)
        assert "li" not in found.nodes
    assert fault_of(b"<source>" + job + b"<a></b>") is None
    assert fault_of(b"<source>" + job + b"<x></y>") is not None
    assert fault_of(b"<!DOCTYPE source><source>" + job) is not None
