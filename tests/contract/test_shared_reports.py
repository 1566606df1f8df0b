"""Saved questions, and links that show one answer to anybody until they end."""

from typing import Any

import pytest

from contract.asgi import Reply, call
from contract.office import Office
from contract.signed_in import asked, person, session
from contract.test_explain import sqlite_tools
from contract.test_overview import clicked
from contract.test_resolved_status import Market
from handbill.access import service as access
from handbill.api import operations
from handbill.core.persons import PersonRole
from handbill.http.app import Application
from handbill.kit.instants import DAY
from handbill.people import service as people
from handbill.work.tools import Tools

__all__ = ["sqlite_tools"]


@pytest.fixture
def whole(sqlite_office: Office) -> Office:
    sqlite_office.app = Application(operations(), sqlite_office.desk)
    return sqlite_office


def _saved(office: Office, client: str) -> str:
    path = f"{client}/report-questions"
    return f"{path}/{office.new(path, {'name': 'Weekly', 'days': 7, 'by': 'campaign'})}"


def _read(office: Office, secret: str) -> Reply:
    """As somebody who has the link, and nothing else."""
    return call(office.app, "GET", f"/shared-reports/{secret}")


def _is_over(office: Office, secret: str) -> bool:
    unknown = _read(office, f"hbr_{'a' * 12}_{'b' * 40}")
    assert (unknown.status, unknown.json["message"]) == (404, "Not found")
    found = _read(office, secret)
    return (found.status, found.json.get("message")) == (404, "Not found")


def test_a_link_shows_its_answer_as_an_employer_sees_it_until_its_end(
    whole: Office, sqlite_tools: Tools
) -> None:
    market = Market(whole, sqlite_tools).open()
    clicked(market, 0, 4, marked=500_000)
    client = market.client
    of = _saved(whole, client)
    assert whole.ask("POST", f"{of}/link", {"days": 91}).status == 400
    made = whole.ask("POST", f"{of}/link").json
    assert made["url"].endswith(f"/app/shared/{made['secret']}")
    shown = _read(whole, made["secret"]).json
    assert (shown["name"], shown["days"]) == ("Weekly", 7)
    employer = session(whole, person(whole, "EMPLOYER", client.rpartition("/")[2]))
    metrics = "spent,clicks,applyStarts,applies,hires,cpa"
    path = f"{client}/timeseries?days=7&by=campaign&metrics={metrics}"
    assert shown["answer"] == asked(whole, employer, "GET", path).json
    assert [one["total"]["spent"] for one in shown["answer"]["series"]] == [2], "marked up"
    whole.clock.forward(7 * DAY - 1)
    assert not _is_over(whole, made["secret"])
    whole.clock.forward(1)
    assert _is_over(whole, made["secret"])


@pytest.mark.parametrize("how", ["ended", "made again", "question deleted", "client deleted"])
def test_a_link_ends_early(whole: Office, how: str) -> None:
    client = whole.client()
    of = _saved(whole, client)
    secret = whole.ask("POST", f"{of}/link").json["secret"]
    assert not _is_over(whole, secret)
    verb, path = {
        "ended": ("DELETE", f"{of}/link"),
        "made again": ("POST", f"{of}/link"),
        "question deleted": ("DELETE", of),
        "client deleted": ("DELETE", client),
    }[how]
    assert whole.ask(verb, path).status == 200
    assert _is_over(whole, secret)


@pytest.mark.parametrize("becomes", ["ANALYST", "EMPLOYER", None])
def test_a_link_ends_when_its_maker_loses_the_right(
    whole: Office, becomes: PersonRole | None
) -> None:
    client = whole.client()
    of = _saved(whole, client)
    trader = person(whole, "TRADER")
    secret = asked(whole, session(whole, trader), "POST", f"{of}/link").json["secret"]
    assert not _is_over(whole, secret)
    given: dict[str, Any] = {"role": becomes}
    if becomes == "EMPLOYER":
        given["client_nos"] = [1]
    with whole.desk.records.write() as tx:
        if becomes is None:
            people.remove(tx, whole.clock.now(), trader)
        else:
            people.change(tx, whole.clock.now(), trader, given)
    assert _is_over(whole, secret)
    if becomes is not None:
        back: dict[str, Any] = {"role": "TRADER", "client_nos": []}
        with whole.desk.records.write() as tx:
            people.change(tx, whole.clock.now(), trader, back)
        assert not _is_over(whole, secret), "it stands with its maker"


@pytest.mark.parametrize("how", ["key revoked", "key expired", "program revoked"])
def test_a_link_ends_with_what_a_program_made_it_by(whole: Office, how: str) -> None:
    of = _saved(whole, whole.client())
    secret = whole.ask("POST", f"{of}/link").json["secret"]
    assert not _is_over(whole, secret)
    now = whole.clock.now()
    with whole.desk.records.write() as tx:
        owner = access.Owner("agency", access.agency_of(tx, whole.agency_id).no)
        prefix = access.keys_of(tx, owner)[0].prefix
        if how == "key revoked":
            access.revoke_key(tx, now, owner, prefix)
        elif how == "key expired":
            access.rotate_key(tx, whole.desk.ids, now, owner, prefix, overlap=DAY)
        else:
            (program,) = access.api_clients_of(tx, owner)
            access.revoke_api_client(tx, now, owner, program.id)
    if how == "key expired":
        whole.clock.forward(DAY - 1)
        assert not _is_over(whole, secret)
        whole.clock.forward(1)
    assert _is_over(whole, secret)


def test_only_the_secret_of_a_link_opens_it(whole: Office) -> None:
    of = _saved(whole, whole.client())
    secret = whole.ask("POST", f"{of}/link").json["secret"]
    wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    kinds = [secret.replace("hbr_", kind) for kind in ("hb_", "hbs_", "hbl_")]
    for text in (wrong, secret.upper(), "x", f"{secret}a", f"x{secret}", f"{wrong}.", *kinds):
        assert _is_over(whole, text)
    for after in (".", ")", "&amp;utm_source=b", "%20", "%E2%80%9D", "_"):
        assert _read(whole, secret + after).status == 200, "programs take along what follows a link"
    assert secret not in whole.ask("GET", of.rpartition("/")[0] + "?page=0&limit=9").raw.decode()
