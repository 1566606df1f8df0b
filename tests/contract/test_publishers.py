"""Publishers, their feeds' addresses, and publisher families."""

from typing import Any

import pytest
import sqlalchemy as sa

from contract.office import Office
from handbill.access.service import family_publishers
from handbill.kit.faults import Refused
from handbill.publishers.service import create_family
from handbill.store.records.tables import feed_files, publisher_families, tasks

FULL: dict[str, Any] = {
    "name": "Indeed Bid.com",
    "bidType": {"name": "FLAT_CPC"},
    "minBid": 0.1,
    "flatBidValue": 0.35,
    "currency": "USD",
    "url": "https://indeed.example",
    "country": "US",
    "industry": ["it"],
    "placementType": "JobBoard",
    "perClientPlacements": True,
    "isCompressedFeed": True,
    "schema": {
        "headerSchema": {"jobCount": "count"},
        "jobSchema": {"date": "posted", "cpa": ""},
        "additionalFieldsV2": {"salary": "salary"},
        "fieldsWrappedInCdata": ["title"],
        "includeCurrencyInBidTag": True,
    },
}


def test_a_publisher_keeps_what_it_was_given(office: Office) -> None:
    asked = office.ask("POST", "/publishers", FULL)
    assert asked.json == {"result": "Indeed_Bid_com", "message": "Publisher created"}
    found = office.get("/publishers/Indeed_Bid_com")
    assert found["bidType"] == {"name": "FLAT_CPC"}
    assert (str(found["minBid"]), str(found["flatBidValue"])) == ("0.1", "0.35")
    assert found["schema"]["jobSchema"] == {"postedDate": "posted", "cpa": ""}
    assert found["feedUrl"].endswith(".xml.gz")
    office.put("/publishers/Indeed_Bid_com", {"bidType": "CPC", "flatBidValue": None})
    changed = office.get("/publishers/Indeed_Bid_com")
    assert (changed["bidType"], changed["flatBidValue"]) == ({"name": "CPC"}, None)
    assert changed["feedUrl"] == found["feedUrl"]
    office.put("/publishers/Indeed_Bid_com", found | {"flatBidValue": 0.35, "minBid": 0.1})


def test_all_faults_of_a_publisher_are_named(office: Office) -> None:
    body = {
        "id": "a b",
        "bidType": "CPM",
        "minBid": -1,
        "currency": "us$",
        "placementType": "x",
        "schema": {"jobSchema": {"title": "1x"}, "additionalFieldsV2": {"xmlns": "a"}},
    }
    assert set(office.faults("POST", "/publishers", body)) == {
        "/id",
        "/bidType",
        "/minBid",
        "/currency",
        "/placementType",
        "/schema/jobSchema/title",
        "/schema/additionalFieldsV2/xmlns",
    }
    assert office.faults("POST", "/publishers", {}) == {"/name": "is required"}
    assert set(office.faults("POST", "/publishers", {"name": "a/b"})) == {"/name"}
    assert office.faults("POST", "/publishers", {"id": "TestExp1"}) == {"/id": "already exists"}
    assert set(office.faults("PUT", "/publishers/TestExp1", {"name": None})) == {"/name"}


def test_a_new_publisher_has_a_file_at_a_random_address(office: Office) -> None:
    office.new("/publishers", {"id": "P"})
    url = office.get("/publishers/P")["feedUrl"]
    client = office.client()
    own = office.get(f"/publishers/P/feeds?client_id={client[9:]}")["feedUrl"]
    assert url != own == office.get(f"/publishers/P/feeds?client_id={client[9:]}")["feedUrl"]
    assert len(url.rsplit("/", 1)[1]) == 30
    with office.desk.records.read() as tx:
        kinds = {kind for (kind,) in tx.all(sa.select(tasks.c.kind))}
        assert len(tx.all(sa.select(feed_files.c.no))) == 3
    assert "listings.assemble" in kinds
    assert office.faults("GET", "/publishers/P/feeds") == {"/client_id": "is required"}
    foreign = office.another().client()
    assert office.ask("GET", f"/publishers/P/feeds?client_id={foreign[9:]}").status == 404


def test_publishers_are_switched_deleted_and_taken_up_again(office: Office) -> None:
    before = office.get("/publishers/TestExp1")
    for verb, status, message in (
        ("pause", "P", "Publisher paused"),
        ("enable", "A", "Publisher enabled"),
    ):
        assert office.put(f"/publishers/TestExp1/{verb}")["message"] == message
        assert office.get("/publishers/TestExp1")["activeStatus"] == status
    assert office.ask("DELETE", "/publishers/TestExp1").json == {
        "result": True,
        "message": "Publisher deleted",
    }
    assert office.get("/publishers?page=0&limit=10") == {"data": []}
    for verb, rest in (
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("PUT", "/pause"),
        ("PUT", "/enable"),
    ):
        assert office.ask(verb, f"/publishers/TestExp1{rest}", {}).status == 404
    office.new("/publishers", {"id": "TestExp1", "name": "again"})
    again = office.get("/publishers/TestExp1")
    assert (again["name"], again["feedUrl"]) == ("again", before["feedUrl"])


def test_agencies_do_not_see_each_others_publishers(office: Office) -> None:
    other = office.another()
    other.new("/publishers", {"id": "Theirs"})
    for verb, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("PUT", "/pause")):
        assert office.ask(verb, f"/publishers/Theirs{rest}", {}).status == 404
    assert [row["id"] for row in office.get("/publishers?page=0&limit=9")["data"]] == ["TestExp1"]
    assert (
        other.get("/publishers/TestExp1")["feedUrl"]
        != office.get("/publishers/TestExp1")["feedUrl"]
    )


def test_a_family_is_one_vendor(office: Office) -> None:
    office.another()
    office.new("/publishers", {"id": "P"})
    with office.desk.records.write() as tx:
        now, ids = office.clock.now(), office.desk.ids
        wide, _, _ = create_family(tx, ids, now, ["TestExp1", "P", "P"])
        narrow, _, _ = create_family(tx, ids, now, ["TestExp1"], "acme")
        families: dict[str, int] = dict(
            tx.all(sa.select(publisher_families.c.id, publisher_families.c.no))
        )
        assert len(wide) == 24
        assert len(family_publishers(tx, families[wide])) == 3
        assert len(family_publishers(tx, families[narrow])) == 1
        for bad in ([], ["Nobody"]):
            with pytest.raises(Refused) as refused:
                create_family(tx, ids, now, bad)
            assert refused.value.status == 400


def test_nothing_is_taken_that_could_not_be_meant(office: Office) -> None:
    """Another currency, a flat bid that is none, publishers that are not there, caps that no rule
    can hold: each is refused at its field, and nothing of it is kept.
    """
    told = office.faults("POST", "/publishers", {"id": "E", "currency": "XYZ"})
    assert told == {"/currency": "must be an ISO 4217 code such as USD"}
    body: dict[str, Any]
    for flat in ({}, {"flatBidValue": 0}, {"flatBidValue": None}):
        body = {"id": "F", "bidType": "FLAT_CPC"} | flat
        assert set(office.faults("POST", "/publishers", body)) == {"/flatBidValue"}
    for change, at in (
        ({"currency": "JPY"}, "/currency"),
        ({"bidType": "FLAT_CPC"}, "/flatBidValue"),
    ):
        assert set(office.faults("PUT", "/publishers/TestExp1", change)) == {at}
    client = office.client(excludedPublishers=["TestExp1"])
    for name in ("excludedPublishers", "globallyExcludedPublishers"):
        excluded = {name: ["TestExp1", "Nobody"]}
        assert set(office.faults("PUT", client, excluded)) == {f"/{name}/1"}
        body = {"companyName": "M", "caps": {"budget": {"value": 1}}} | excluded
        assert set(office.faults("POST", "/clients", body)) == {f"/{name}/1"}
    job = {"refNumber": "r", "title": "t", "description": "d", "url": "https://x.example/1"}
    body = job | {"publisherFields": {"publishers": ["TestExp1", "No"], "a/b": {"x": "y"}}}
    assert set(office.faults("POST", f"{client}/jobs", body)) == {
        "/publisherFields/publishers/1",
        "/publisherFields/a~1b",
    }
    cap = {"cap": "Weekly", "value": 1}
    for name in ("clicks", "applies"):
        body = job | {"placementSettings": [{"value": "TestExp1", "caps": {name: cap}}]}
        told = office.faults("POST", f"{client}/jobs", body)
        assert set(told) == {f"/placementSettings/0/caps/{name}"}
        told = office.faults(
            "POST",
            f"{office.client()}/campaigns",
            {"name": "k", "placementCaps": {"TestExp1": {name: cap}}},
        )
        assert set(told) == {f"/placementCaps/TestExp1/{name}"}
