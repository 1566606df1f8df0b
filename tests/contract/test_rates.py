"""/rates and ``handbill rates``: who sets them, what is no rate, and what each door takes."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contract.office import BUDGET, US, Office
from contract.test_markup_commands import Shop, shop  # noqa: F401 - a fixture
from handbill.changes import service as changes
from handbill.changes.service import ChangeFilter
from handbill.cli import rates as command
from handbill.cli.speaking import Mistaken
from handbill.kit.faults import Refused
from handbill.kit.jsons import decode

DAY_OF = "11/18/2026"
EURO: dict[str, Any] = {"date": DAY_OF, "from": "EUR", "to": "USD", "rate": 1.0825}
ID = "2026-11-18-EUR-USD"


def seen(office: Office) -> dict[str, tuple[Any, bool]]:
    page = office.get("/rates?page=0&limit=100")["data"]
    return {one["id"]: (one["rate"], one["own"]) for one in page}


def test_rates_are_an_agencys_own(office: Office) -> None:
    other = office.another()
    assert office.ask("POST", "/rates", EURO).json == {"result": True, "message": "Rates set"}
    for again in (EURO, [EURO | {"rate": 1.1}]):
        assert office.ask("POST", "/rates", again).status == 200
    assert seen(office) == {ID: (Decimal("1.1"), True)}
    assert seen(other) == {}
    assert other.ask("DELETE", f"/rates/{ID}").status == 404
    for no_id in ("2026-11-18-EUR", "x", "2026-11-18-EUR-USD-", "20261118-EUR-USD"):
        assert office.ask("DELETE", f"/rates/{no_id}").status == 404
    assert office.ask("DELETE", f"/rates/{ID}").status == 200
    assert office.ask("DELETE", f"/rates/{ID}").status == 404
    with office.desk.records.read() as tx:
        found = changes.page(tx, ChangeFilter(entity_id=ID), 10)
    assert [(one.kind, one.act, one.actor) for one in found[::-1]] == [
        ("RATE", act, "API_CLIENT") for act in ("CREATE", "CHANGE", "DELETE")
    ]
    assert [(one.before, one.after) for one in found[1].fields] == [("1.0825", "1.1")]


def test_a_repeated_request_is_answered_as_before(office: Office) -> None:
    key = {"Idempotency-Key": "k"}
    first = office.ask("POST", "/rates", EURO, key)
    again = office.ask("POST", "/rates", EURO, key)
    assert (first.json, again.headers["idempotency-replayed"]) == (again.json, "true")
    assert office.ask("POST", "/rates", EURO | {"rate": 2}, key).status == 400


@pytest.mark.parametrize(
    "raw",
    [
        b"0",
        b"-1",
        b"NaN",
        b"1e30",
        b"1e-13",
        b'"1.1"',
        b"true",
        b"null",
        b"1" * 200,
        b"1." + b"1" * 200,
        b"1e999999999",
        b"[1]",
    ],
)
def test_hostile_rates(sqlite_office: Office, raw: bytes) -> None:
    body = b'{"date": "11/18/2026", "from": "EUR", "to": "USD", "rate": ' + raw + b"}"
    assert sqlite_office.ask("POST", "/rates", raw=body).status == 400
    assert sqlite_office.ask("POST", "/rates", raw=b"[" + body + b"]").status == 400
    assert seen(sqlite_office) == {}


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"from": "EUX"}, "/from"),
        ({"from": "eux"}, "/from"),
        ({"to": "EUR"}, "/to"),
        ({"date": "11/20/2026"}, "/date"),
        ({"date": ""}, "/date"),
        ({"date": "x"}, "/date"),
        ({"date": None}, "/date"),
        ({"to": 7}, "/to"),
    ],
)
def test_what_is_no_rate(sqlite_office: Office, said: dict[str, Any], at: str) -> None:
    office, other = sqlite_office, EURO | {"from": "GBP"}
    assert set(office.faults("POST", "/rates", EURO | said)) == {at}
    assert set(office.faults("POST", "/rates", [other, EURO | said])) == {f"/1{at}"}
    assert seen(office) == {}, "all of them, or none"


def test_a_day_once_and_today_wherever_it_has_begun(office: Office) -> None:
    assert set(office.faults("POST", "/rates", [EURO, EURO | {"rate": 2}])) == {"/1/date"}
    assert office.ask("POST", "/rates", EURO | {"date": "11/19/2026"}).status == 200
    assert set(office.faults("POST", "/rates", EURO | {"date": "11/20/2026"})) == {"/date"}


@pytest.mark.parametrize("spelled", ["eur", " Eur "])
def test_a_currency_is_read_in_any_case(sqlite_office: Office, spelled: str) -> None:
    """At each door that takes one, as the pages and the set-up read it."""
    office = sqlite_office
    assert office.ask("POST", "/rates", EURO | {"from": spelled, "to": "usd"}).status == 200
    assert set(seen(office)) == {ID}
    office.new("/publishers", {"id": "Euro", "currency": spelled})
    assert office.get("/publishers/Euro")["currency"] == "EUR"
    client = office.client(caps={"budget": {"cap": "Monthly", "value": 9, "currency": "usd"}})
    placement = {"value": "Euro", "bid": 0.5, "currency": spelled}
    group = office.group(office.campaign(client), placements=[placement])
    assert office.get(group)["placements"][0]["currency"] == "EUR"
    own = [{"value": "Euro", "cpcBid": 1, "currency": spelled}]
    job = {"refNumber": "1", "title": "t", "url": "https://x.org/1", "placementSettings": own}
    office.new(f"{client}/jobs", job)
    assert office.get(f"{client}/jobs/1")["placementSettings"][0]["currency"] == "EUR"
    assert office.ask("PUT", f"/agencies/{office.agency_id}", {"currency": "usd"}).status == 200


# ── the doors ───────────────────────────────────────────────────────────────────────────────────
def test_a_publisher_in_another_currency(office: Office) -> None:
    euro = {"id": "Euro", "currency": "EUR", "minBid": 1}
    assert set(office.faults("POST", "/publishers", euro)) == {"/currency"}, "nothing converts"
    assert office.ask("POST", "/rates", EURO | {"date": "01/02/2020"}).status == 200
    office.new("/publishers", euro)
    assert office.get("/publishers/Euro")["currency"] == "EUR"
    assert set(office.faults("PUT", "/publishers/Euro", {"currency": "USD"})) == {"/currency"}
    assert office.ask("PUT", "/publishers/Euro", {"currency": "EUR", "minBid": 0.5}).status == 200
    assert office.ask("DELETE", "/publishers/Euro").status == 200
    again = {"id": "Euro", "currency": "USD"}
    assert set(office.faults("POST", "/publishers", again)) == {"/currency"}
    office.new("/publishers", again | {"currency": "EUR", "minBid": 1})
    client = office.client()
    campaign = office.campaign(client)

    def faults(bid: float, **said: Any) -> dict[str, str]:
        body = {"name": "g", "cpcBid": 0.5, "filters": US, "caps": BUDGET}
        body |= {"placements": [{"value": "Euro", "bid": bid} | said]}
        reply = office.ask("POST", f"{campaign}/jobgroups", body)
        return {one["field"]: one["message"] for one in reply.json.get("errors", ())}

    assert faults(0.01) == {}, "without a rate there is no telling; it is not listed"
    office.ask("POST", "/rates", EURO)
    assert faults(1.0825) == {}
    assert faults(1.08) == {
        "/placements/0/bid": "must be at least EUR 1, the least bid of the publisher"
    }
    assert set(faults(0.99, currency="EUR")) == {"/placements/0/bid"}
    assert faults(1, currency="EUR") == {}
    assert faults(1.0825, currency="USD") == {}
    assert faults(1, currency="GBP") == {
        "/placements/0/currency": "must be EUR, the publisher's currency, or USD, the agency's"
    }


# ── the commands ────────────────────────────────────────────────────────────────────────────────
def test_the_operators_rates_are_everybodys(shop: Shop, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "rates.csv"
    file.write_text("date,from,to,rate\n2026-11-18,EUR,USD,1.0825\n2026-11-18,GBP,USD,1.25\n")

    def said(of: Any, *ids: str, **flags: Any) -> Any:
        of(*ids, data=shop.data, json=True, **flags)
        return decode(shop._capsys.readouterr().out.encode())

    assert said(command.import_rates, str(file)) == {"rates": 2, "changed": 2}
    assert said(command.import_rates, str(file)) == {"rates": 2, "changed": 0}
    own = {"day": "2026-11-18", "source": "EUR", "target": "USD", "rate": "1.5"}
    assert said(command.set_rate, agency_id="acme", **own)["changed"] == 1
    listed = {
        name: [(one["id"], one["own"]) for one in said(command.list_rates, agency_id=name)["data"]]
        for name in ("acme", "other")
    }
    house = [(ID, False), ("2026-11-18-GBP-USD", False)]
    assert listed == {"acme": [(ID, True), *house], "other": house}
    with pytest.raises(Mistaken):
        said(command.delete_rate, ID, agency_id="other")
    assert said(command.delete_rate, ID, agency_id="acme")["deleted"] is True
    assert said(command.delete_rate, ID)["deleted"] is True
    file.write_text("date,from,to,rate\n2026-11-18,EUR,USD,2\n2026-11-18,EUR,JPY,x\n")
    with pytest.raises(Refused) as refused:
        said(command.import_rates, str(file))
    assert [one.field for one in refused.value.faults] == ["/1/rate"]
    file.write_text("nothing")
    with pytest.raises(Mistaken, match="begin with the names"):
        said(command.import_rates, str(file))
