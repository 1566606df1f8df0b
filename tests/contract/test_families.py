"""What an agency minds of its publisher families: their keys, and that nobody minds another's."""

from contract.office import Office
from contract.world import fingerprint
from handbill.publishers import service

# ── families ────────────────────────────────────────────────────────────────────────────────────


def test_an_agency_minds_its_families(office: Office) -> None:
    office.new("/publishers", {"id": "P"})
    body = {"name": "Vendor", "publishers": ["TestExp1", "P", "P"]}
    made = office.ask("POST", "/publisher-families", body).json
    family = f"/publisher-families/{made['result']}"
    found = office.get(family)
    assert (found["name"], found["publishers"]) == ("Vendor", ["TestExp1", "P"])
    office.put(family, {"publishers": ["P"]})
    assert office.get(family)["publishers"] == ["P"]
    assert office.get(family)["name"] == "Vendor"
    office.put(family, {"name": None})
    assert office.get(family)["name"] == ""
    assert office.get("/publisher-families?page=0&limit=9")["data"] == [office.get(family)]
    assert office.ask("DELETE", "/publishers/P").status == 200
    assert office.get(family)["publishers"] == []
    for verb, url in (("POST", "/publisher-families"), ("PUT", family)):
        faults = office.faults(verb, url, {"publishers": ["Nobody", "TestExp1", "P"]})
        assert set(faults) == {"/publishers/0", "/publishers/2"}
        assert set(office.faults(verb, url, {"publishers": []})) == {"/publishers"}
    assert set(office.faults("PUT", family, {"publishers": None})) == {"/publishers"}
    assert set(office.faults("POST", "/publisher-families", {})) == {"/publishers"}


def test_a_deleted_family_lets_nobody_in(office: Office) -> None:
    made = office.ask("POST", "/publisher-families", {"publishers": ["TestExp1"]}).json
    partner = {"x-api-key": made["apiKey"]}
    token = office.ask("POST", "/token", {"client_id": made["apiClientId"]}, partner).json
    partner["x-authorization-key"] = token["access_token"]
    reports = f"/publisher-families/{made['result']}/reports"
    assert office.ask("GET", f"{reports}/none", headers=partner).status == 404
    assert office.ask("DELETE", f"/publisher-families/{made['result']}").status == 200
    assert office.ask("GET", f"{reports}/none", headers=partner).status == 401
    asked = office.ask("POST", "/token", {"client_id": made["apiClientId"]}, partner)
    assert asked.status == 401


def test_no_agency_minds_anothers_family_nor_the_operators(office: Office) -> None:
    other = office.another()
    theirs = other.new("/publisher-families", {"publishers": ["TestExp1"]})
    with office.desk.records.write() as tx:
        wide, *_ = service.create_family(tx, office.desk.ids, office.clock.now(), ["TestExp1"])
    for family in (theirs, wide, "0" * 24):
        for verb in ("GET", "PUT", "DELETE"):
            reply = office.ask(verb, f"/publisher-families/{family}", {"name": "mine"})
            assert (reply.status, reply.json["message"]) == (404, "Not found")
    assert office.get("/publisher-families?page=0&limit=9") == {"data": []}


def test_a_familys_key_is_shown_once(office: Office) -> None:
    once = {"Idempotency-Key": "k"}
    body = {"publishers": ["TestExp1"]}
    first = office.ask("POST", "/publisher-families", body, once)
    assert first.status == 200
    second = office.ask("POST", "/publisher-families", body, once)
    assert second.status == 400
    assert first.json["apiKey"] not in str(fingerprint(office.desk.records))
