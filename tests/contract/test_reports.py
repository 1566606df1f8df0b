"""Operations 51, 54 to 56, 59, 60: the samples, and a matrix for publisher partners."""

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import ValidationError

from contract.asgi import Reply, call
from contract.golden import Golden, differences
from contract.golden_reports import CALLBACK, DAYS, GOLDEN, OF_PARTNERS
from contract.office import Body, Office
from contract.world import build, fingerprint
from handbill.api import operations
from handbill.contract.funnel.models import FunnelDetails
from handbill.contract.stats.models import StatsFilters
from handbill.http.app import Application
from handbill.http.operations import Operation
from handbill.kit.jsons import encode
from handbill.publishers.service import create_family


@dataclass
class Partner:
    """A publisher family with credentials that work. ``client``: one that it serves."""

    office: Office
    family: str
    client: str
    headers: dict[str, str]

    def ask(self, verb: str, url: str, body: Any = None, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return call(self.office.app, verb, url, body, headers=self.headers | named)

    def url(self, operation: Operation, **instead: str) -> str:
        return operation.path.format(**{"publisherFamilyId": self.family} | instead)

    def wish(self, **more: Any) -> Body:
        return {"period": "THIS_MONTH", "clientId": self.client} | more

    def report(self, **more: Any) -> str:
        path = f"/publisher-families/{self.family}/reports"
        reply = self.ask("POST", path, self.wish(**more))
        assert reply.status == 200, reply.raw
        made: str = reply.json["reportId"]
        return made


def partner_of(office: Office, publisher: str = "TestExp1") -> Partner:
    """A family of an agency's publisher, placed by a new client of it."""
    client = office.client()
    office.group(office.campaign(client), placements=[{"value": publisher}])
    with office.desk.records.write() as tx:
        family, key, api_client = create_family(
            tx, office.desk.ids, office.desk.clock.now(), [publisher], office.agency_id
        )
    headers = {"x-api-key": key}
    token = call(office.app, "POST", "/token", {"client_id": api_client}, headers=headers)
    headers["x-authorization-key"] = token.json["access_token"]
    return Partner(office, family, client.rpartition("/")[2], headers)


@pytest.fixture
def whole(office: Office) -> Office:
    office.app = Application(operations(), office.desk)
    return office


def played(rows: list[Golden], ask: Any, made: dict[str, str]) -> list[str]:
    found: list[str] = []
    for row in rows:
        body = row.body and {
            key: value.format(**made) if isinstance(value, str) else value
            for key, value in row.body.items()
        }
        reply = ask(row.verb, row.path.format(**made), body)
        if reply.status != row.status:
            found.append(f"{row.number} {reply.status} {reply.raw.decode()}")
            continue
        found += [f"{row.number} {line}" for line in differences(reply.json, row.answer)]
        if row.keeps:
            made[row.keeps] = reply.json["reportId"]
    return found


def test_the_reference_samples(whole: Office) -> None:
    client_id = whole.client().rpartition("/")[2]

    def ask(verb: str, url: str, body: Any) -> Reply:
        return whole.ask(verb, url, body, {"x-client-id": client_id})

    assert played(GOLDEN, ask, {}) == []


def test_the_reference_samples_of_partners(whole: Office) -> None:
    partner = partner_of(whole)
    made = {"family": partner.family, "client": partner.client}
    assert played(OF_PARTNERS, partner.ask, made) == []


def test_a_repeated_report_says_so_and_a_new_key_asks_for_a_new_one(whole: Office) -> None:
    client_id = whole.client().rpartition("/")[2]
    partner = partner_of(whole)

    def ask(path: str, body: Body, **headers: str) -> Reply:
        if path.startswith("/publisher-families"):
            return partner.ask("POST", path, body, **headers)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return whole.ask("POST", path, body, {"x-client-id": client_id} | named)

    for path, body in (
        ("/stats", {"filters": DAYS, "aggregationLevel": {"primaryLevel": "CLIENT"}}),
        ("/reports/stats", {"filterBy": DAYS}),
        ("/reports/ip", {"filterBy": DAYS}),
        (f"/publisher-families/{partner.family}/reports", partner.wish()),
    ):
        replies = [ask(path, body), ask(path, body)]
        replies += [ask(path, body, idempotency_key=key) for key in ("k1", "k2", "k1")]
        made = [reply.json.get("taskId") or reply.json["reportId"] for reply in replies]
        assert made == [made[0], made[0], made[2], made[3], made[2]], path
        assert len(set(made)) == 3, path
        told = [reply.headers.get("report-repeated") for reply in replies]
        assert told == [None, "true", None, None, None]
        assert replies[0].raw == replies[1].raw, "the contract's bytes are the same"


def test_every_fault_of_a_report_is_told(whole: Office) -> None:
    headers = {"x-client-id": whole.client().rpartition("/")[2]}
    body = {"groupBy": "AGENCY", "groupByPublisher": "x", "callBackUrl": "ftp://x.org/a"}
    reply = whole.ask("POST", "/reports/stats", body, headers)
    assert [fault["field"] for fault in reply.json["errors"]] == [
        "/groupBy",
        "/groupByPublisher",
        "/callBackUrl",
        "/filterBy",
    ]
    for bad in (
        "x",
        "https://me:secret@x.org/",
        "http://010.1.2.3/",
        7,
        "https://x.org/" + "x" * 2_000,
    ):
        reply = whole.ask("POST", "/reports/ip", {"callBackUrl": bad, "filterBy": DAYS}, headers)
        assert [fault["field"] for fault in reply.json["errors"]] == ["/callBackUrl"], bad
    foreign = {"filterBy": DAYS | {"campaignIds": ["x"]}}
    assert whole.ask("POST", "/reports/stats", foreign, headers).status == 404


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_of_all_days_may_be_asked_for(whole: Office, day: str) -> None:
    headers = {"x-client-id": whole.client().rpartition("/")[2]}
    days = {"startDate": day, "endDate": day}
    question = {"filters": days, "aggregationLevel": {"primaryLevel": "JOB"}}
    assert whole.ask("POST", "/stats", question, headers).status == 202
    for kind in ("stats", "ip"):
        reply = whole.ask(
            "POST", f"/reports/{kind}", {"filterBy": days, "groupBy": "CLIENT"}, headers
        )
        assert reply.status == 200, reply.raw


def test_filters_take_what_is_deleted_and_refuse_what_is_foreign(whole: Office) -> None:
    own, sister = build(whole), build(whole)
    foreign = build(whole.another())
    for path in ("/clients/{client_id}/campaigns/{campaign_id}", "/publishers/{publisher_id}"):
        assert whole.ask("DELETE", path.format(**own.ids)).status == 200
    headers = {"x-client-id": own.ids["client_id"]}
    names = {
        "campaignIds": "campaign_id",
        "jobGroupIds": "jobgroup_id",
        "publisherIds": "publisher_id",
    }
    levels = {"aggregationLevel": {"primaryLevel": "CLIENT"}}

    def said(**more: list[Any]) -> set[tuple[int, str | None]]:
        filters = DAYS | more
        asked = [
            whole.ask("POST", "/stats", {"filters": filters} | levels, headers),
            whole.ask("POST", "/reports/stats", {"filterBy": filters}, headers),
            whole.ask("POST", "/reports/ip", {"filterBy": filters}, headers),
        ]
        return {(reply.status, reply.json.get("message")) for reply in asked}

    for name, slot in names.items():
        assert said(**{name: [own.ids[slot]]}) <= {(200, None), (202, None)}, name
        strangers = [foreign.ids[slot], "nobody"]
        if slot != "publisher_id":
            strangers.append(sister.ids[slot])
        for stranger in strangers:
            assert said(**{name: [own.ids[slot], stranger]}) == {(404, "Not found")}
    assert said(refNumbers=[foreign.ids["job_reference"]]) <= {(200, None), (202, None)}
    assert said(refNumbers=[17]) <= {(200, None), (202, None)}


def test_references_may_be_integers() -> None:
    days = {"startDate": "2026-11-01", "endDate": "2026-11-02"}
    assert StatsFilters.model_validate(days | {"refNumbers": [17, "a"]}).refs == ["17", "a"]
    details = FunnelDetails.model_validate({"candidateId": "c", "jobReference": 17})
    assert details.job_reference == "17"
    for wrong in (17.5, True, None, " "):
        with pytest.raises(ValidationError):
            StatsFilters.model_validate(days | {"refNumbers": [wrong]})


def test_a_report_is_asked_for_where_it_was_made(whole: Office) -> None:
    """No kind of report is another's; no client's is another client's."""
    headers = {"x-client-id": whole.client().rpartition("/")[2]}
    body = {"filterBy": DAYS}
    report = whole.ask("POST", "/reports/stats", body, headers).json["reportId"]
    assert whole.ask("POST", "/reports/stats", body, headers).json["reportId"] == report
    again = body | {"callBackUrl": CALLBACK}
    assert whole.ask("POST", "/reports/stats", again, headers).json["reportId"] != report
    assert whole.ask("POST", "/reports/ip", body, headers).json["reportId"] != report
    assert whole.ask("GET", f"/stats/{report}", headers=headers).status == 404
    other = {"x-client-id": whole.client().rpartition("/")[2]}
    assert whole.ask("GET", f"/reports/{report}", headers=other).status == 404
    partner = partner_of(whole)
    theirs = partner.report()
    named = {"x-client-id": partner.client}
    assert whole.ask("GET", f"/reports/{theirs}", headers=named).status == 404


def test_the_secret_of_callbacks_is_the_agencys_own(whole: Office) -> None:
    first = whole.get("/callbacks/secret")
    assert whole.get("/callbacks/secret") == first
    assert whole.another().get("/callbacks/secret") != first


# ── partners ────────────────────────────────────────────────────────────────────────────────────
PARTNERS = [row for row in operations() if row.role == "partner"]
OURS = [row for row in operations() if row.role == "agency"]


def test_partners_may_call_these_three_and_nothing_else(whole: Office) -> None:
    assert {row.number or row.name for row in PARTNERS} == {59, 60, "get_family_figures"}
    world, partner = build(whole), partner_of(whole)
    before = fingerprint(whole.desk.records)
    for operation in OURS:
        body = operation.sample if operation.body is not None else None
        reply = partner.ask(operation.verb, world.url(operation), body, **world.headers(operation))
        assert (reply.status, reply.json["message"]) == (403, "Forbidden"), operation.name
    for operation in PARTNERS:
        url = partner.url(operation, reportId="x")
        body = partner.wish() if operation.body is not None else None
        reply = whole.ask(operation.verb, url, body)
        assert (reply.status, reply.json["message"]) == (403, "Forbidden"), operation.name
    assert fingerprint(whole.desk.records) == before


def test_a_partner_sees_only_what_is_its_own(whole: Office) -> None:
    other_office = whole.another()
    own, sister, foreign = partner_of(whole), partner_of(whole), partner_of(other_office)
    report, theirs = own.report(), foreign.report()
    unserved = whole.client().rpartition("/")[2]
    deleted = partner_of(whole).client
    whole.ask("DELETE", f"/clients/{deleted}")
    at = "/publisher-families/{}/reports"
    for family in (sister.family, foreign.family, "0" * 24):
        assert own.ask("POST", at.format(family), own.wish()).status == 404
        assert own.ask("GET", f"{at.format(family)}/{report}").status == 404
        figures = f"/publisher-families/{family}/figures?page=0&limit=1"
        assert own.ask("GET", figures).status == 404
    for report_id in (theirs, sister.report(), "x"):
        assert own.ask("GET", f"{at.format(own.family)}/{report_id}").status == 404
    before = fingerprint(whole.desk.records)
    for client in (foreign.client, unserved, deleted, "x"):
        reply = own.ask("POST", at.format(own.family), own.wish(clientId=client))
        assert (reply.status, reply.json["message"]) == (404, "Not found")
    mixed = own.headers | {"x-authorization-key": sister.headers["x-authorization-key"]}
    reply = call(whole.app, "POST", at.format(own.family), own.wish(), headers=mixed)
    assert reply.status == 403
    assert fingerprint(whole.desk.records) == before


def test_gates_of_partners_stand_in_order(whole: Office) -> None:
    partner = partner_of(whole)
    spoilt = [({"x-api-key": "bad"}, 401), ({"x-authorization-key": "bad"}, 403), ({}, 400)]
    wrong = {"x-api-key": "bad", "x-authorization-key": "bad"}
    url = "/publisher-families/nobody/reports"
    for changed, status in spoilt:
        headers = partner.headers | {k: wrong[k] for k in wrong if k in changed}
        assert call(whole.app, "POST", url, headers=headers, raw=b"{").status == status
    assert partner.ask("POST", url, partner.wish()).status == 404


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"publisherFamilyId": "6576baba5c2baf7cdd5b552a"}, "/publisherFamilyId"),
        ({"curLocale": "EUR"}, "/curLocale"),
        ({"curLocale": "eur"}, "/curLocale"),
        ({"period": "LAST_YEAR"}, "/period"),
        ({"clientId": None}, "/clientId"),
        ({"reportName": 7}, "/reportName"),
    ],
)
def test_bad_wishes_of_partners(whole: Office, more: Body, field: str) -> None:
    partner = partner_of(whole)
    reply = partner.ask(
        "POST", f"/publisher-families/{partner.family}/reports", partner.wish(**more)
    )
    assert reply.status == 400
    assert [fault["field"] for fault in reply.json["errors"]] == [field]


def test_malformed_wishes_of_partners(whole: Office) -> None:
    partner = partner_of(whole)
    url = f"/publisher-families/{partner.family}/reports"
    odds: tuple[Any, ...] = (0, -1, "x" * 5_000, [], {}, True, "\x00")
    raws = [b"", b"null", b"[]", b"NaN", b'{"a":1,"a":2}', b"\xff", b"[" * 100]
    raws += [
        encode(partner.wish(**{key: odd}))
        for key in ("period", "clientId", "publisherFamilyId", "curLocale")
        for odd in odds
    ]
    for raw in raws:
        reply = call(whole.app, "POST", url, headers=partner.headers, raw=raw)
        assert reply.status == 400, raw
