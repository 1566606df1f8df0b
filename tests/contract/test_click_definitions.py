"""Click definitions by API: made, changed, switched off, for all clients and for one."""

from typing import Any

import msgspec

from contract.office import Office
from handbill.core.click_definitions import PRESETS
from handbill.kit.instants import iso_of
from handbill.ledger.rejudgings import MOST_WAITING

ONE = "/publishers/TestExp1/click-definition"
FULL: dict[str, Any] = {
    "enable": True,
    "bot": False,
    "duplicate": 60,
    "latent": 3600,
    "newBot": {"joveoBotlogic": False, "cmBotLogic": True, "clicksPerAddressAndDay": 30},
    "botIpsFileUrl": "https://lists.example.com/ips.csv",
}


def test_a_definition_is_made_changed_and_taken_away(office: Office) -> None:
    assert office.ask("GET", ONE).status == 404
    assert office.put(ONE, FULL) == {"result": True, "message": "Click definition updated"}
    found = office.get(ONE)
    assert {key: found[key] for key in FULL} == FULL
    assert (found["publisherId"], found["clientId"], found["status"]) == (
        "TestExp1",
        None,
        "Approved",
    )
    assert found["botIps"] == {"count": 0, "readOn": None, "failure": None}
    assert office.put(ONE, {"duplicate": None, "bot": None, "newBot": None, "enable": None})
    found = office.get(ONE)
    assert (found["duplicate"], found["bot"], found["enable"]) == (None, True, True)
    assert found["newBot"] == {
        "joveoBotlogic": True,
        "cmBotLogic": True,
        "clicksPerAddressAndDay": None,
    }
    assert found["latent"] == 3600
    assert office.ask("DELETE", ONE).json == {"result": True, "message": "Click definition deleted"}
    assert office.ask("DELETE", ONE).status == 404


def test_what_get_answers_may_be_sent_back(office: Office) -> None:
    office.put(ONE, FULL)
    before = office.get(ONE)
    office.clock.forward(1_000_000)
    office.put(ONE, before)
    assert office.get(ONE) == before


def test_presets_are_where_a_definition_begins(office: Office) -> None:
    office.put(ONE, {"preset": "2", "duplicate": 5})
    found = office.get(ONE)
    assert (found["duplicate"], found["latent"], found["bot"]) == (5, 86_400, False)
    office.put(ONE, {"preset": "default"})
    assert (office.get(ONE)["duplicate"], office.get(ONE)["latent"]) == (None, 172_800)


def test_foreign_needs_to_know_where_addresses_are(office: Office) -> None:
    assert set(office.faults("PUT", ONE, {"foreign": "COUNTRY"})) == {"/foreign"}
    assert "HANDBILL_GEO_FILE" in office.faults("PUT", ONE, {"preset": "1"})["/preset"]
    assert office.ask("GET", ONE).status == 404
    settings = msgspec.structs.replace(office.desk.settings, geo_file="/a/file.mmdb")
    object.__setattr__(office.desk, "settings", settings)
    for preset, rules in PRESETS.items():
        office.put(ONE, {"preset": preset})
        assert office.get(ONE)["foreign"] == rules.foreign
    office.put(ONE, {"foreign": "city"})
    assert office.get(ONE)["foreign"] == "CITY"


def test_all_faults_are_named(office: Office) -> None:
    body = {
        "preset": "9",
        "enable": 1,
        "duplicate": 604_801,
        "latent": -1,
        "foreign": "PLANET",
        "newBot": {"clicksPerAddressAndDay": 0},
        "botIpsFileUrl": "ftp://x/y",
    }
    assert set(office.faults("PUT", ONE, body)) == {
        "/preset",
        "/enable",
        "/duplicate",
        "/latent",
        "/foreign",
        "/newBot/clicksPerAddressAndDay",
        "/botIpsFileUrl",
    }


def test_a_client_has_a_definition_of_its_own(office: Office) -> None:
    client = office.client()
    own = f"{client}/publishers/TestExp1/click-definition"
    office.put(ONE, {"duplicate": 10})
    assert office.ask("GET", own).status == 404
    office.put(own, {"duplicate": 20})
    assert office.get(own)["clientId"] == client[9:]
    assert [office.get(at)["duplicate"] for at in (ONE, own)] == [10, 20]
    every = office.get(f"{ONE}s?page=0&limit=10")["data"]
    assert [one["clientId"] for one in every] == [None, client[9:]]
    assert office.get(f"{ONE}s?page=1&limit=1")["data"] == every[1:]
    office.ask("DELETE", client)
    assert [one["clientId"] for one in office.get(f"{ONE}s?page=0&limit=10")["data"]] == [None]
    assert office.ask("GET", own).status == 404


def test_a_publisher_that_is_set_up_anew_begins_without(office: Office) -> None:
    office.put(ONE, {"duplicate": 10})
    office.clock.forward(1)
    office.ask("DELETE", "/publishers/TestExp1")
    assert office.ask("GET", ONE).status == 404
    office.new("/publishers", {"id": "TestExp1"})
    assert office.ask("GET", ONE).status == 404
    office.put(ONE, {"duplicate": 20})
    assert office.get(ONE)["createdAt"] == office.get("/publishers/TestExp1")["createdOn"]


def test_only_a_month_that_is_open_is_judged_again(office: Office) -> None:
    path = f"{office.client()}/rejudgings"
    assert iso_of(office.clock.now())[:7] == "2026-11"
    closed, ahead = "is closed: nothing in it changes any more", "is still to come"
    for month, why in (
        ("2026-13", "must be a month such as 2026-11"),
        ("2026-1", "must be a month such as 2026-11"),
        ("1999-01", "must be a month such as 2026-11"),
        ("2026-09", closed),
        ("2026-12", ahead),
    ):
        assert office.faults("POST", path, {"month": month}) == {"/month": why}
    assert office.get(f"{path}?page=0&limit=1")["data"] == []


def test_only_so_many_months_wait_to_be_judged_again(office: Office) -> None:
    path, body = f"{office.client()}/rejudgings", {"month": "2026-11", "validateOnly": True}
    for _ in range(MOST_WAITING):
        office.new(path, body)
    refused = office.ask("POST", path, body)
    assert refused.status == 429
    assert refused.headers["retry-after"] == "60"
    assert office.ask("POST", f"{office.client()}/rejudgings", body).status == 200
