"""Outbound feeds: the default shape to the byte, schemas, and that what is written reads back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from handbill.core.nouns import JobBody, PublisherSchema
from handbill.dialects.outbound import (
    JOB_NODES,
    ClientSchema,
    date_text,
    foot_of,
    fragment_of,
    head_of,
    is_node_name,
    money_text,
    shape_of,
    splice_of,
)
from handbill.kit.instants import instant_of_iso

AT = instant_of_iso("2026-11-20T10:00:00.250+00:00")
URL = "https://go.example/c/abc_-1"
JOB = JobBody(
    ref="R-1",
    title="Nurse <ICU> & more",
    company="Acme",
    description="<p>Fine ]]> work</p>",
    category="Health",
    url="https://jobs.example/1",
    city="Austin",
    state="TX",
    country="US",
    zip=78701,
    type="FULL_TIME",
    posted_at=AT,
    additional={"salary": "50k"},
)


def shape(schema: PublisherSchema | None = None, **places: int) -> ClientSchema:
    return shape_of(schema or PublisherSchema(), "USD", "Acme Inc", places)


def written(
    form: ClientSchema, job: JobBody = JOB, bid_type: Any = "CPC", price: int = 1_500_000
) -> bytes:
    before, after = fragment_of(form, job, "Board", AT)
    start, end = splice_of(form, bid_type, price)
    return before + start + URL.encode() + end + after


def values(element: bytes) -> dict[str, str]:
    return {node.tag: node.text or "" for node in etree.fromstring(element)}


def test_a_schema_is_resolved_once_for_all_its_files() -> None:
    """Each publication of a client needs the schemas of all its publishers again."""
    schema = {"wage": "cif1", "kind": "type"}
    first = shape(PublisherSchema(additional=schema), cif1=1)
    assert shape(PublisherSchema(additional=dict(schema)), cif1=1) is first
    others = (
        shape(PublisherSchema(additional=schema), cif2=1),
        shape(PublisherSchema(additional=dict(reversed(schema.items()))), cif1=1),
        shape_of(PublisherSchema(additional=schema), "USD", "Other Inc", {"cif1": 1}),
    )
    assert first.digest not in {other.digest for other in others}
    assert len({other.digest for other in others}) == len(others)


def test_the_default_shape_to_the_byte() -> None:
    """Domain 6.4."""
    content = head_of(shape(), "Board", "https://board.example", 1, AT)
    content += written(shape()) + foot_of(shape())
    assert content.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<source>\n"
        "<publisher><![CDATA[Board]]></publisher>\n"
        "<publisherurl><![CDATA[https://board.example]]></publisherurl>\n"
        "<job>"
        "<advertiser><![CDATA[Acme Inc]]></advertiser>"
        "<country><![CDATA[US]]></country>"
        "<date><![CDATA[2026-11-20 10:00:00.250 UTC]]></date>"
        "<city><![CDATA[Austin]]></city>"
        "<referencenumber><![CDATA[R-1]]></referencenumber>"
        "<description><![CDATA[<p>Fine ]]]]><![CDATA[> work</p>]]></description>"
        "<title><![CDATA[Nurse <ICU> & more]]></title>"
        "<type><![CDATA[FULL_TIME]]></type>"
        "<url><![CDATA[https://go.example/c/abc_-1]]></url>"
        "<cpa><![CDATA[0.00]]></cpa>"
        "<cpc><![CDATA[1.50]]></cpc>"
        "<postalcode><![CDATA[78701]]></postalcode>"
        "<category><![CDATA[Health]]></category>"
        "<state><![CDATA[TX]]></state>"
        "<company><![CDATA[Acme]]></company>"
        "</job>\n"
        "</source>\n"
    )


@pytest.mark.parametrize(
    ("bid_type", "cpc", "cpa"),
    [
        ("CPC", "1.50", "0.00"),
        ("FLAT_CPC", "1.50", "0.00"),
        ("CPA", "0.00", "1.50"),
        ("Organic", "0.00", "0.00"),
    ],
)
def test_the_price_stands_where_its_kind_is_read(bid_type: str, cpc: str, cpa: str) -> None:
    found = values(written(shape(), bid_type=bid_type))
    assert (found["cpc"], found["cpa"]) == (cpc, cpa)


def test_a_schema_of_its_own() -> None:
    schema = PublisherSchema(
        head={"source": "jobs", "jobCount": "n", "generationTime": "at", "publisherUrl": ""},
        job={
            "job": "item",
            "url": "link",
            "title": "name",
            "state": "",
            "company": "0bad",
            "modifiedDate": "updated",
        },
        additional={
            "pay": "salary",
            "team": "cif2",
            "kind": "premium",
            "town": "city",
            "later": "cif9",
            "bonus": "bonus",
            "bad name": "x",
            "link": "city",
        },
        cdata=["description", "pay"],
        currency_in_bid=True,
    )
    form = shape(schema, salary=1, Team=2)
    content = head_of(form, "Board", "u", 1, AT) + written(form) + foot_of(form)
    root = etree.fromstring(content)
    assert root.tag == "jobs"
    assert [node.tag for node in root] == ["publisher", "n", "at", "item"]
    assert values(written(form)) == {
        "advertiser": "Acme Inc",
        "country": "US",
        "date": "2026-11-20 10:00:00.250 UTC",
        "city": "Austin",
        "referencenumber": "R-1",
        "description": "<p>Fine ]]> work</p>",
        "name": "Nurse <ICU> & more",
        "type": "FULL_TIME",
        "link": URL,
        "cpa": "USD 0.00",
        "cpc": "USD 1.50",
        "postalcode": "78701",
        "category": "Health",
        "updated": "",
        "pay": "50k",
        "team": "",
        "kind": "premium",
        "town": "Austin",
        "later": "",
        "bonus": "",
    }
    assert b"<pay><![CDATA[50k]]></pay>" in content
    assert b"<name>Nurse &lt;ICU&gt; &amp; more</name>" in content


def test_what_a_job_says_to_one_publisher_alone() -> None:
    nodes = {
        "title": "For you",
        "extra": "1 < 2",
        "url": "https://evil.example",
        "cpc": "9",
        "company": "",
        "no name": "x",
    }
    job = JobBody(
        ref="R-1",
        title="Nurse",
        company="Acme",
        publisher_nodes={"Board": nodes, "Other": {"y": "z"}},
    )
    found = values(written(shape(), job))
    assert (found["title"], found["extra"]) == ("For you", "1 < 2")
    assert (found["url"], found["cpc"]) == (URL, "1.50"), "the link and the bid are not the job's"
    assert found["company"] == "", "said to be nothing"
    assert "y" not in found


def test_the_link_cannot_be_left_out() -> None:
    assert values(written(shape(PublisherSchema(job={"url": "", "job": ""}))))["url"] == URL


def test_a_job_without_dates_has_that_of_its_birth() -> None:
    assert values(written(shape(), JobBody(ref="R")))["date"] == date_text(AT)
    published = JobBody(ref="R", published_at=AT + 1_000_000)
    assert values(written(shape(), published))["date"] == "2026-11-20 10:00:01.250 UTC"


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0.00"),
        (1, "0.000001"),
        (1_500_000, "1.50"),
        (800_100, "0.8001"),
        (10**12, "1000000.00"),
    ],
)
def test_money_is_exact(micros: int, text: str) -> None:
    assert money_text(micros) == text


def test_shapes_differ_where_bytes_do() -> None:
    one = shape().digest
    assert shape().digest == one
    assert shape_of(PublisherSchema(), "USD", "Other Inc", {}).digest != one
    assert shape(PublisherSchema(cdata=[])).digest != one
    assert shape(PublisherSchema(job={"title": "t"})).digest != one
    assert shape(PublisherSchema(additional={"x": "y"})).digest != one
    named = PublisherSchema(additional={"x": "pay"})
    assert shape(named).digest != shape(named, pay=1).digest


TEXT = st.text(max_size=30) | st.sampled_from(
    ["]]>", "]]]>", "<![CDATA[", "&amp;", "\x00\x0b\ufffe"]
)


def as_read(text: str) -> str:
    """What a reader of XML 1.0 can be given of a text: no forbidden character, one line end."""
    kept = "".join(
        c
        for c in text
        if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000"
    )
    return kept.replace("\r\n", "\n").replace("\r", "\n")


@given(
    title=TEXT,
    description=TEXT,
    custom=TEXT,
    literal=TEXT,
    own=TEXT,
    advertiser=TEXT,
    plain=st.booleans(),
)
def test_what_is_written_reads_back(
    title: str, description: str, custom: str, literal: str, own: str, advertiser: str, plain: bool
) -> None:
    job = JobBody(
        ref="R",
        title=title,
        description=description,
        additional={"c": custom},
        publisher_nodes={"Board": {"own": own}},
    )
    schema = PublisherSchema(
        additional={"custom": "c", "said": literal}, cdata=[] if plain else None
    )
    found = values(written(shape_of(schema, "USD", advertiser, {"c": 1}), job))
    assert found["title"] == as_read(title)
    assert found["description"] == as_read(description)
    assert found["custom"] == as_read(custom)
    assert found["own"] == as_read(own)
    assert found["advertiser"] == as_read(advertiser)
    if literal not in {*JOB_NODES, "c", "cif1"}:
        assert found["said"] == as_read(literal)


@given(name=st.text(max_size=8) | st.from_regex(r"[A-Za-z_:.0-9-]{1,8}", fullmatch=True))
def test_a_node_name_makes_a_node(name: str) -> None:
    if is_node_name(name):
        assert etree.fromstring(f"<{name}/>").tag == name


def test_cdata_names_custom_nodes_and_those_of_the_head_too() -> None:
    """Domain 6.3: fieldsWrappedInCdata, custom ones too."""
    schema = PublisherSchema(additional={"pay": "salary"}, cdata=["pay", "own", "publisherUrl"])
    form = shape(schema, salary=1)
    own = JobBody(
        ref="R-1",
        title="T",
        additional={"salary": "5k"},
        publisher_nodes={"Board": {"own": "a<b", "plain": "c<d"}},
    )
    element = written(form, own)
    assert b"<pay><![CDATA[5k]]></pay>" in element
    assert b"<own><![CDATA[a<b]]></own><plain>c&lt;d</plain>" in element
    assert b"<title>T</title>" in element
    head = head_of(form, "Board", "https://board.example", 1, AT)
    assert b"<publisherurl><![CDATA[https://board.example]]></publisherurl>" in head
    assert b"<publisher>Board</publisher>" in head
    other = shape(PublisherSchema(additional={"pay": "salary"}, cdata=["pay"]), salary=1)
    assert other.digest != form.digest
