"""What a feed says outside of its items of its next page."""

import pytest

from handbill.dialects.inbound.frame import PageNotes
from handbill.dialects.inbound.items import ItemReader
from handbill.dialects.inbound.scanner import scan

_LONG = "https://x.example/feed?" + "&".join(f"name{n}={n}" for n in range(40))


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("written", "address"),
    [
        (_LONG.replace("&", "&amp;"), _LONG),
        (f"<![CDATA[ {_LONG} ]]>", _LONG),
        (f"\n<![CDATA[{_LONG}]]>\n", _LONG),
        ("<![CDATA[/feed?page=2&n=<job>]]>", ""),
        (" " * 5_000 + "/2" + "&amp;" * 5, "/2&&&&&"),
        ("/" + "&amp;" * 2_000, ""),
        ("/" + "&amp;" * 1_999, "/" + "&" * 1_999),
        (f"<![CDATA[/{'a' * 2_001}]]>", ""),
        ("<!-- the next one --><![CDATA[/2]]>", "/2"),
        ("<?page 2?> <![CDATA[/2]]>", "/2"),
        ("<![CDATA[]]><!-- --><![CDATA[/2]]>", "/2"),
        ("2", ""),
    ],
)
def test_an_address_is_taken_whole_or_not_at_all(written: str, address: str, size: int) -> None:
    feed = f"<jobs><job/><nextPage>{written}</nextPage></jobs>".encode()
    chunks = (feed[at : at + size] for at in range(0, len(feed), size))
    notes = PageNotes()
    list(scan(chunks, "job", ItemReader(), collection="jobs", notes=notes))
    assert notes.next == address


@pytest.mark.parametrize(
    ("head", "lacks"),
    [
        ("<totalResults>500</totalResults>", "500 jobs, and contains 1"),
        ("<o:totalResults xmlns:o='urn:o'>1,500</o:totalResults>", ""),
        ("<meta total='2'/>", "2 jobs, and contains 1"),
        ("<job_count>1</job_count>", ""),
        ("<page>1</page><totalPages>5</totalPages>", "5 pages, and names no next one"),
        ("<hasMore>TRUE</hasMore>", "there is more, and names no next page"),
        ("<hasMore>false</hasMore><pages>1</pages><total>many</total>", ""),
    ],
)
def test_what_a_feed_says_that_it_has_and_does_not_contain_is_told(head: str, lacks: str) -> None:
    notes = PageNotes()
    feed = f"<jobs>{head}<job><total>9</total></job></jobs>".encode()
    jobs = list(scan([feed], "job", ItemReader(), collection="jobs", notes=notes))
    assert lacks in notes.lacks(len(jobs), 1)
    assert bool(notes.lacks(len(jobs), 1)) == bool(lacks)


@pytest.mark.parametrize("root", ["next='/2'", "nextPage='/2'", "xmlns:a='urn:a' a:next-url='/2'"])
def test_a_next_page_may_be_named_by_an_attribute(root: str) -> None:
    notes = PageNotes()
    list(
        scan(
            [f"<jobs {root}><job/></jobs>".encode()],
            "job",
            ItemReader(),
            collection="jobs",
            notes=notes,
        )
    )
    assert notes.next == "/2"
