"""Clients: what is kept, what is refused, who may see them."""

from typing import Any

import pytest
import sqlalchemy as sa

from contract.office import BUDGET, Office
from handbill.store.records.tables import tasks


def _tasks(office: Office) -> set[tuple[str, str]]:
    with office.desk.records.read() as tx:
        return set(tx.all(sa.select(tasks.c.kind, tasks.c.key)))


def _forget_tasks(office: Office) -> None:
    with office.desk.records.write() as tx:
        tx.run(sa.delete(tasks))


def test_all_faults_of_a_new_client_are_named(office: Office) -> None:
    body = {
        "companyName": " ",
        "applyConvWindow": 91,
        "timeZone": "UTC+25:00",
        "endDate": "31/31/2020",
        "clientType": "Shop",
        "markdown": -1,
        "excludedPublishers": ["A", "A"],
        "frequency": "1",
        "caps": {"budget": {"cap": "Hourly", "value": -1}, "clicks": {"value": 1.5}},
    }
    assert set(office.faults("POST", "/clients", body)) == {
        "/companyName",
        "/applyConvWindow",
        "/timeZone",
        "/endDate",
        "/clientType",
        "/markdown",
        "/excludedPublishers/1",
        "/frequency",
        "/caps/budget/cap",
        "/caps/budget/value",
        "/caps/clicks/value",
    }
    assert office.faults("POST", "/clients", {}) == {
        "/companyName": "is required",
        "/caps": "is required",
    }
    bare = {"companyName": "a", "caps": {}}
    assert office.faults("POST", "/clients", bare) == {"/caps/budget": "is required"}


def test_dates_default_to_a_week_from_today_in_the_zone(office: Office) -> None:
    body = {"companyName": "a", "caps": BUDGET, "timeZone": "UTC+13:00"}
    found = office.get("/clients/" + office.new("/clients", body))
    assert (found["startDate"], found["endDate"]) == ("11/19/2026", "11/26/2026")
    assert found["exportedName"] == "a"


@pytest.mark.parametrize(
    ("start", "end", "sound"),
    [
        ("03/20/2020", "20/04/2020", True),
        ("2020-03-20", "03/20/2020", True),
        ("03/21/2020", "03/20/2020", False),
        (None, "03/20/2020", False),
        ("12/31/9999", None, True),
    ],
)
def test_the_end_is_not_before_the_start(
    sqlite_office: Office, start: str | None, end: str | None, sound: bool
) -> None:
    body = {"companyName": "a", "caps": BUDGET, "startDate": start, "endDate": end}
    asked = sqlite_office.ask("POST", "/clients", body)
    assert asked.status == (200 if sound else 400)
    if not sound:
        assert [fault["field"] for fault in asked.json["errors"]] == ["/endDate"]


def test_a_client_is_founded_with_its_defaults(office: Office) -> None:
    client = office.client(startDefaultCampaign=True)
    id_ = client.removeprefix("/clients/")
    campaign, group = f"{id_}$campaign$default", f"{id_}$jobgroup$default"
    assert office.get(client)["children"] == {
        campaign: {
            "id": campaign,
            "name": "Default Campaign",
            "activeStatus": "A",
            "isDefault": True,
        }
    }
    found = office.get(f"{client}/campaigns/{campaign}/jobgroups/{group}")
    assert (found["name"], found["activeStatus"], found["isDefault"]) == (
        "Default JobGroup",
        "P",
        True,
    )
    assert (found["caps"], found["placements"], found["Compound Filters"]) == ({}, [], {})
    assert ("control.follow", id_) in _tasks(office)
    default = f"{client}/campaigns/{campaign}"
    assert office.faults("DELETE", default)
    for verb, url in (("PUT", ""), ("PUT", "/enable"), ("DELETE", "")):
        assert office.faults(verb, f"{default}/jobgroups/{group}{url}", {"name": "x"})


def test_an_update_changes_what_is_given_and_nothing_else(office: Office) -> None:
    client = office.client(caps=BUDGET | {"clicks": {"value": 9}}, markdown=20)
    before = office.get(client)
    _forget_tasks(office)
    assert office.put(client, {}) == {"result": True, "message": "Client Updated"}
    assert office.get(client) == before
    assert _tasks(office) == set()
    office.clock.forward(1_000)
    office.ask("PATCH", client, {"applies": {"value": 7, "freq": "Weekly", "threshold": 60}})
    after = office.get(client)
    assert after["caps"]["applies"] == {
        "cap": "Weekly",
        "value": 7,
        "pacing": False,
        "thresholdP": 60,
        "locked": False,
    }
    kept = ("budget", "clicks")
    assert {key: after["caps"][key] for key in kept} == {key: before["caps"][key] for key in kept}
    assert _tasks(office) == {("control.follow", before["id"])}
    office.put(client, {"clicks": None, "markdown": None, "endDate": "01/31/2031"})
    last = office.get(client)
    assert "clicks" not in last["caps"]
    assert (last["markdown"], last["endDate"]) == (0, "01/31/2031")


def test_what_is_read_can_be_sent_back(office: Office) -> None:
    client = office.client(ats="Zoho", country="US", frequency="3 hours", industry="it")
    before = office.get(client)
    office.put(client, _plain(before))
    assert office.get(client) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"budget": None}, "/budget"),
        ({"caps": None}, "/caps/budget"),
        ({"companyName": "other"}, "/companyName"),
        ({"startDate": "01/01/2020"}, "/startDate"),
        ({"timeZone": "UTC+1:00"}, "/timeZone"),
        ({"exportedName": None}, "/exportedName"),
        ({"endDate": "01/01/2020"}, "/endDate"),
        ({"ats": "other"}, "/ats"),
    ],
)
def test_what_an_update_refuses(module_office: Office, body: dict[str, Any], field: str) -> None:
    office, client = module_office, module_office.client()
    before = office.get(client)
    assert set(office.faults("PUT", client, body)) == {field}
    assert office.get(client) == before


def test_pause_and_enable(office: Office) -> None:
    client = office.client()
    for verb, status in (("pause", "P"), ("pause", "P"), ("enable", "A"), ("enable", "A")):
        message = {"pause": "Client paused", "enable": "Client enabled"}[verb]
        assert office.put(f"{client}/{verb}") == {"result": True, "message": message}
        assert office.get(f"{client}/status")["result"] == status
    _forget_tasks(office)
    office.put(f"{client}/enable")
    assert _tasks(office) == set()


def test_a_deleted_a_foreign_and_an_unknown_client_are_one_answer(office: Office) -> None:
    gone, foreign = office.client(), office.another().client()
    _forget_tasks(office)
    assert office.ask("DELETE", gone).json == {"result": True, "message": "Client Deleted"}
    assert _tasks(office) == {("control.follow", gone[9:])}
    asks: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "", None),
        ("PUT", "", {}),
        ("DELETE", "", None),
        ("GET", "/status", None),
        ("GET", "/idx-mappings", None),
        ("PUT", "/pause", None),
        ("PUT", "/enable", None),
        ("GET", "/campaigns?page=0&limit=1", None),
        ("GET", "/jobgroups?page=0&limit=1", None),
        ("GET", "/jobs?page=1&limit=1", None),
    ]
    for verb, rest, body in asks:
        for client in (gone, foreign, "/clients/unknown"):
            reply = office.ask(verb, client + rest, body)
            assert (reply.status, reply.json["message"]) == (404, "Not found")
    for client in (gone, foreign, "/clients/unknown"):
        assert office.ask("GET", "/meta", headers={"x-client-id": client[9:]}).status == 403
        without = office.ask("GET", "/meta")
        assert (without.status, "the header x-client-id" in without.json["message"]) == (403, True)


def test_clients_come_in_pages_from_0(office: Office) -> None:
    paths = [office.client(companyName=f"c{n}") for n in range(3)]
    office.another().client()
    first = office.ask("GET", "/clients?page=0&limit=2")
    assert [row["companyName"] for row in first.json["data"]] == ["c0", "c1"]
    assert 'page=1&limit=2>; rel="next"' in first.headers["link"]
    rest = office.get("/clients?page=1&limit=2")["data"]
    assert [f"/clients/{row['id']}" for row in rest] == paths[2:]
    assert [list(child) for child in rest[0]["children"].values()] == [["id", "name"]]
    for page in (9, 2**40):
        assert office.get(f"/clients?page={page}&limit=1000") == {"data": []}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
