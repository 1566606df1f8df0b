"""Items to jobs: map, default, override, strip, check."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.feed_mappings import KEYS, MANDATORY, publishers_node, unmapped
from handbill.core.feed_text import ALSO
from handbill.core.feeds import FeedBody
from handbill.core.mapping import MappedItem, compile_mapping
from handbill.core.nouns import JobBody, JobSettings
from handbill.dialects.inbound.dates import read_instant
from handbill.dialects.inbound.known import BOARDS, discover, look
from handbill.kit.instants import DAY
from handbill.kit.zones import zone_of

_DAY = 20_780 * DAY
_MAPPINGS: dict[str, Any] = dict(KEYS) | {
    "schemaMappingAdditional": {"shift": "shift", "pay/amount": "pay"},
    "schemaMappingPublisher": {"boards": "publishers"},
}
_ITEM = {
    "title": "Nurse",
    "description": "<p>Care</p>",
    "url": "https://a.example/1",
    "referencenumber": "R1",
}


def mapped(fields: dict[str, str], zone: str = "UTC", **settings: Any) -> MappedItem:
    feed = FeedBody(url="u", mappings=_MAPPINGS, **settings)
    return compile_mapping(feed, zone_of(zone), "USD", read_instant)(fields)


def body_of(fields: dict[str, str], **settings: Any) -> JobBody:
    found = mapped(fields, **settings)
    assert found.body is not None
    return found.body


def reasons(found: MappedItem) -> dict[str, str]:
    return {fault.field: fault.reason for fault in found.faults}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("KÃ¶ln", "Köln"),
        ("KÃƒÂ¶ln", "Köln"),
        ("Childrenâ€™s", "Children\u2019s"),
        ("Ð”Ð¾Ð¼", "Дом"),
        ("æ±‚äºº", "求人"),
        ("Å‚Ã³dÅº", "łódź"),
        # These only look alike.
        ("SÃO PAULO", "SÃO PAULO"),
        ("CAFÉ\u2019s", "CAFÉ\u2019s"),
        ("«CAFÉ»", "«CAFÉ»"),
        *[
            (text, text)
            for text in (
                "MANHÃ–TARDE",
                "MANHÃ—TARDE",
                "DA MANHÃ…",
                "TURNO MANHÃ”",
                "MANHÃ\xa0TARDE",
            )
        ],
        ("Ã–sterreich", "Österreich"),
        ("KÃ–LN KÃ¶ln", "KÖLN Köln"),
        ("MANHÃƒâ€“TARDE", "MANHÃ–TARDE"),
        ("Köln KÃ¶ln", "Köln KÃ¶ln"),
    ],
)
def test_text_that_was_encoded_twice_is_read_once_more(written: str, read: str) -> None:
    assert body_of(_ITEM | {"title": written, "description": written, "shift": written}) == (
        body_of(_ITEM | {"title": read, "description": read, "shift": read})
    )


def test_another_text_of_the_job_tells_that_it_was_encoded_twice() -> None:
    found = body_of(_ITEM | {"title": "KÃ–LN", "city": "KÃ¶ln", "referencenumber": "KÃ¶ln"})
    assert (found.title, found.city, found.ref) == ("KÖLN", "Köln", "KÃ¶ln")
    assert body_of(_ITEM | {"title": "KÃ–LN", "city": "Köln"}).title == "KÃ–LN"


def test_a_list_in_json_is_read_as_repeated_nodes() -> None:
    both = '["Night","R&amp;D"]'
    found = mapped(_ITEM | {"category": both, "shift": both, "city": both, "title": "[RN]"})
    assert found.body is not None
    assert (found.body.category, found.body.city) == ("Night, R&D", "Night")
    assert (found.body.additional, found.body.title) == ({"shift": "Night, R&D"}, "[RN]")
    assert reasons(found) == {"city": "dropped"}


def test_every_field() -> None:
    item = _ITEM | {
        "company": "Mills",
        "city": "Austin",
        "state": "TX",
        "country": "US",
        "zip": "78701",
        "category": "Care",
        "type": "FULL_TIME",
        "date": "2026-11-23",
        "pubDate": "11/22/2026",
        "lastmodifieddate": "2026-11-23T00:00:01Z",
        "cpc": "USD 1.50",
        "shift": "night",
        "pay/amount": "30",
        "boards": "Indeed;Talent",
    }
    found = mapped(item)
    assert found == MappedItem(
        JobBody(
            ref="R1",
            title="Nurse",
            company="Mills",
            description="<p>Care</p>",
            category="Care",
            url="https://a.example/1",
            city="Austin",
            state="TX",
            country="US",
            zip="78701",
            type="FULL_TIME",
            posted_at=_DAY,
            published_at=_DAY - DAY,
            modified_at=_DAY + 1_000_000,
            cpc_micros=1_500_000,
            additional={"shift": "night", "pay": "30"},
            settings=JobSettings(publishers=("Indeed", "Talent")),
        ),
        "2026-11-23",
        "https://a.example/1",
        [],
    )
    assert mapped(_ITEM | {"pubDate": "11/22/2026"}).posted_on == "2026-11-22"


def test_days_are_the_clients() -> None:
    """A moment lies in another day in another zone; a day alone is that day everywhere."""
    item = _ITEM | {"date": "2026-11-23T02:00:00Z"}
    assert mapped(item, "UTC-5:00").posted_on == "2026-11-22"
    assert mapped(_ITEM | {"date": "2026-11-23"}, "UTC-5:00").posted_on == "2026-11-23"
    assert mapped(_ITEM | {"date": "2026-11-23"}, "UTC+13:00").posted_on == "2026-11-23"


def test_defaults_and_overrides() -> None:
    settings: dict[str, Any] = {
        "value_defaults": {"city": "Nowhere", "country": "US", "date": "2026-11-23", "own": "d"},
        "value_overrides": {"country": "GB", "company": "Mills", "cpc": "2", "shift": "day"},
    }
    body = body_of(_ITEM | {"city": " ", "country": "FR", "cpc": "1", "shift": "night"}, **settings)
    assert (body.city, body.country, body.company) == ("Nowhere", "GB", "Mills")
    assert (body.posted_at, body.cpc_micros) == (_DAY, 2_000_000)
    assert body.additional == {"shift": "day", "own": "d"}
    assert body_of(_ITEM | {"city": "Austin"}, **settings).city == "Austin"


def test_url_parameters_are_stripped_and_the_rest_is_kept() -> None:
    item = _ITEM | {"url": "http://A.example/x y?utm_source=1&q=a%20b&utm_source=2#f"}
    found = mapped(item, url_params_to_strip=["utm_source"])
    assert found.body is not None
    assert found.body.url == "http://A.example/x y?q=a%20b#f"
    assert found.target == "http://a.example/x%20y?q=a%20b#f"


@pytest.mark.parametrize(
    "url", ["javascript:a(1)", "a.de", "https://", "http://a b.c/", "http://a.c\nhttp://a.d"]
)
def test_a_url_that_is_none_makes_the_job_invalid(url: str) -> None:
    found = mapped(_ITEM | {"url": url}, mandatory_fields=["title"])
    assert found.body is not None
    assert (found.body.url, found.body.missing, found.target) == ("", ("url",), "")
    assert reasons(found) == {"url": "not_a_url"}


def test_missing_mandatory_fields() -> None:
    assert body_of({"referencenumber": "1"}).missing == ("title", "description", "url")
    found = mapped(_ITEM | {"cpc": "0"}, mandatory_fields=["city", "cpc", "date", "title"])
    assert found.body is not None
    assert found.body.missing == ("city", "date")
    assert reasons(found) == {"city": "missing", "date": "missing"}
    found = mapped(_ITEM | {"date": "soon"}, mandatory_fields=["date"])
    assert found.body is not None
    assert found.body.missing == ("date",)
    assert reasons(found) == {"date": "not_a_date"}


def test_no_reference_no_job() -> None:
    for item in ({}, _ITEM | {"referencenumber": "\n "}, _ITEM | {"referencenumber": "r" * 501}):
        found = mapped(item)
        assert found.body is None
        assert set(reasons(found)) == {"referencenumber"}


def test_text_is_cleaned_and_cut() -> None:
    body = body_of(_ITEM | {"title": " A\n\t B\x7f\x84\u200b ", "description": "\n<p>\n</p>\x80 "})
    assert body.title == "A B„"
    assert body.description == "<p>\n</p>€"
    found = mapped(_ITEM | {"title": "x" * 1_001, "shift": "y" * 4_001})
    assert found.body is not None
    assert (len(found.body.title), len(found.body.additional["shift"])) == (1_000, 4_000)
    assert reasons(found) == {"title": "too_long", "shift": "too_long"}


@given(st.dictionaries(st.sampled_from([*KEYS.values(), "shift", "boards"]), st.text(max_size=60)))
def test_never_raises(fields: dict[str, str]) -> None:
    found = mapped(fields, url_params_to_strip=["a"], value_defaults={"city": "x"})
    if found.body is not None:
        assert bool(found.target) == bool(found.body.url)
        assert ("url" in found.body.missing) == (not found.target)


def test_unmapped() -> None:
    assert unmapped(FeedBody(url="u")) == list(MANDATORY)
    mappings = {key: "n" for key, name in KEYS.items() if name in MANDATORY}
    assert unmapped(FeedBody(url="u", mappings=mappings)) == []
    assert unmapped(FeedBody(url="u", mappings=mappings, mandatory_fields=["city"])) == ["city"]
    known = FeedBody(
        url="u", mappings=mappings, mandatory_fields=["city"], value_defaults={"city": "Austin"}
    )
    assert unmapped(known) == []


def test_publishers_node() -> None:
    said: object
    for said in ("boards", {"publishers": "boards"}, {"boards": "publishers"}):
        assert publishers_node({"schemaMappingPublisher": said}) == "boards"
    for said in (None, {}, {"a": "b"}, 7):
        assert publishers_node({"schemaMappingPublisher": said}) == ""


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_boards_are_recognised(board: Any) -> None:
    found = discover([*board.nodes.values(), *board.extra])
    for canonical, node in board.nodes.items():
        key = next(key for key, name in KEYS.items() if name == canonical)
        assert found[key] == node
    assert set(board.extra) == set(found["schemaMappingAdditional"])


def test_discovery_ignores_case_and_gives_each_node_once() -> None:
    found = discover(["Title", "Body", "Link", "ReferenceNumber", "id", "location/City", "@id"])
    assert found == {
        "schemaMappingsTitle": "Title",
        "schemaMappingsDescription": "Body",
        "schemaMappingsURL": "Link",
        "schemaMappingsRefNumber": "ReferenceNumber",
        "schemaMappingsCity": "location/City",
        "schemaMappingAdditional": {},
    }
    assert discover(["title", "body", "url"]) == {}


def test_discovery_knows_names_in_use_with_any_marks_and_within_places() -> None:
    needed = ["titel", "beschreibung", "detail_url", "job-code"]
    found = discover([*needed, "plz", "ort", "joblocation/country_code", "zip-code", "@state"])
    assert {key.removeprefix("schemaMappings"): node for key, node in found.items() if node} == {
        "Title": "titel",
        "Description": "beschreibung",
        "URL": "detail_url",
        "RefNumber": "job-code",
        "City": "ort",
        "Country": "joblocation/country_code",
        "Zip": "zip-code",
    }
    address = ("jobLocation/address/addressLocality", "jobLocation/address/postalCode")
    of_schema_org = discover([*needed, "hiringOrganization", "hiringOrganization/name", *address])
    keys = ("schemaMappingsCity", "schemaMappingsZip", "schemaMappingsCompany")
    assert [of_schema_org[key] for key in keys] == [*address, "hiringOrganization/name"]
    of_attributes = discover(["@title", "@description", "@url", "@id", "@city"])
    assert of_attributes["schemaMappingsCity"] == "@city"
    company = "<company><id>1</id><name>A</name><description>d</description><url>u</url></company>"
    item = f"<job><id>1</id>{company}<title>T</title><description/><url/></job>"
    seen = look(f"<jobs>{item}</jobs>".encode())
    assert seen is not None
    assert (seen.collection, seen.item) == ("jobs", "job")


def test_where_the_jobs_stand() -> None:
    raw = (
        b"<rss><channel><title>t</title><link>l</link><item id='7'><title/><link/>"
        b"<description><b>x</b></description></item><item>"
    )
    seen = look(raw)
    assert seen is not None
    assert (seen.collection, seen.item) == ("channel", "item")
    assert {"@id", "title", "link", "description"} <= set(seen.nodes)
    assert look(b"<!DOCTYPE rss>" + raw) is None
    assert look(b"<a><b>1</b></a>") is None
    assert look(b"no xml") is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("R&amp;D", "R&D"),
        ("Sales &amp;amp; More", "Sales & More"),
        ("K&ouml;ln", "Köln"),
        ("A&#39;s &#x41;", "A's A"),
        ("AT&T; R&D", "AT&T; R&D"),
        ("&copy 1; &nosuch;", "&copy 1; &nosuch;"),
        ("Children\x92s \x96 \x80", "Children’s – €"),
        ("&#146;", "’"),
        ("&#0;&#55296;", "&#0;&#55296;"),
        ("<![CDATA[R&amp;D]]>", "R&D"),
        ("&lt;![CDATA[Nurse]]&gt;", "Nurse"),
        ("<![CDATA[Nurse]]>", "Nurse"),
        ("Nurse <br/> Nights", "Nurse Nights"),
        ("<b>Nurse</b>&nbsp;(m/f)", "Nurse (m/f)"),
        ("Nurse<br/>Nights", "Nurse Nights"),
        ("Driver <C> or <b> 3 < 4", "Driver <C> or <b> 3 < 4"),
        ("<p>IT<p class=x>Web", "IT Web"),
        ("<li>Nurse<LI>RN", "Nurse RN"),
        ("<PT> or <line>", "<PT> or <line>"),
        ("\ufeffNur\u00adse\u200b", "Nurse"),
    ],
)
def test_a_line_reads_as_a_reader_reads_it(written: str, read: str) -> None:
    assert body_of(_ITEM | {"title": written}).title == read


def test_a_url_escaped_again_is_meant_but_nothing_else_of_it_is_an_entity() -> None:
    url = "https://x.example/?a=1&amp;utm_source=q&amp;amp;b=2&copy;=3"
    assert body_of(_ITEM | {"url": url}).url == "https://x.example/?a=1&utm_source=q&b=2&copy;=3"
    assert body_of(_ITEM | {"url": "https://x.example/\n  1?b c"}).url == "https://x.example/1?b c"


@pytest.mark.parametrize("smile", ["&#55357;&#56832;", "&#xD83D;&#xde00;", "\U0001f600"])
def test_a_character_that_was_escaped_in_halves_is_one(smile: str) -> None:
    body = body_of(_ITEM | {"title": f"Nurse {smile}", "description": f"<p>{smile} R&amp;D</p>"})
    assert body.title == "Nurse \U0001f600"
    assert body.description == "<p>\U0001f600 R&amp;D</p>"
    lone = "&#55357; &#56832;&#55357;"
    assert body_of(_ITEM | {"title": lone}).title == lone


def test_a_section_that_was_escaped_is_what_it_holds() -> None:
    said = {"url": "<![CDATA[https://x.example/1]]>", "description": "<![CDATA[<p>a</p>]]>"}
    body = body_of(_ITEM | said)
    assert (body.url, body.description) == ("https://x.example/1", "<p>a</p>")


def test_a_description_that_was_escaped_as_a_whole_is_html() -> None:
    assert body_of(_ITEM | {"description": "&lt;p&gt;A &amp;amp; B&lt;/p&gt;"}).description == (
        "<p>A &amp; B</p>"
    )
    kept = "<p>write &lt;b&gt; for bold</p>"
    assert body_of(_ITEM | {"description": kept}).description == kept


def test_of_values_that_repeat_many_are_joined_or_the_rest_is_told() -> None:
    item = _ITEM | {
        "title": f"Nurse{ALSO}Carer{ALSO}Aide",
        "category": f"Care{ALSO}Health{ALSO}Care",
        "description": f"<p>a</p>{ALSO}<p>b</p>",
    }
    found = mapped(item)
    assert found.body is not None
    assert found.body.title == "Nurse"
    assert found.body.category == "Care, Health"
    assert found.body.description == "<p>a</p>\n<p>b</p>"
    assert [(fault.field, fault.reason) for fault in found.faults] == [("title", "dropped")]
    assert "Carer, Aide" in found.faults[0].message


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"cpc/@Currency": "EUR"}, "EUR"),
        ({"cpc/@curr": "EUR"}, "EUR"),
        ({"cpc-currency": "EUR"}, "EUR"),
        ({"Cpc_Currency_Code": "EUR"}, "EUR"),
        ({"bid_currency": "EUR"}, "EUR"),
        ({"Currency": "EUR"}, "EUR"),
        ({"cpc/@currency": f"EUR{ALSO}USD"}, "EUR"),
        ({"cpc/@unit": "EUR"}, "EUR"),
        ({"currency": "kr"}, "currency"),
        ({"currency": "points"}, "currency"),
        ({"cpc/@unit": "cents"}, "not_money"),
        ({"cpc_unit": "Cent", "cpc/@cur": "USD"}, "not_money"),
        ({"cpc/@unit": "click"}, ""),
        ({"cpc/@currency": f"usd{ALSO}EUR"}, ""),
        ({"Currency": "EUR", "BaseSalary": "9"}, ""),
        ({"currency/x": "EUR"}, ""),
    ],
)
def test_what_a_bid_is_in_may_be_said_beside_it(said: dict[str, str], reason: str) -> None:
    found = mapped(_ITEM | {"cpc": "1.5"} | said)
    assert found.body is not None
    currency = reason if reason.isupper() else ""
    assert found.body.cpc_micros == (1_500_000 if currency or not reason else None)
    assert found.body.cpc_currency == currency
    wrong = [reason] if reason and not currency else []
    assert [fault.reason for fault in found.faults] == wrong
