"""An agency sets its sign-in provider: what is kept, sealed, told and refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract.office import Office
from contract.signed_in import asked, person, session
from contract.test_commands import Run, run, said, status_of
from contract.world import PROVIDER
from handbill.kit.faults import Refused
from handbill.people import provider_rows
from handbill.store.records.tables import provider_secrets
from handbill.store.sealed import names_used

__all__ = ["run"]
PATH = "/agencies/acme/sign-in-provider"
GRANTS = [
    {"value": "owners", "role": "owner"},
    {"value": "mills", "role": "EMPLOYER", "clients": []},
]


@pytest.fixture
def office(sqlite_office: Office) -> Office:
    return sqlite_office


def _secret(office: Office) -> str | None:
    with office.desk.records.read() as tx:
        return provider_rows.secret(tx, 1)


def test_it_is_set_shown_without_its_secret_and_removed(office: Office) -> None:
    assert office.ask("GET", PATH).status == 404
    client_id = office.client().rsplit("/", 1)[1]
    family = office.new("/publisher-families", {"publishers": ["TestExp1"]})
    grants = [
        {"value": "owners", "role": "owner"},
        {"value": "mills", "role": "EMPLOYER", "clients": [client_id]},
        {"value": "site", "role": "PUBLISHER", "publisherFamilyId": family},
    ]
    more = {"roleClaim": "realm_access.roles", "grants": grants, "createsPeople": True}
    office.put(PATH, PROVIDER | more | {"mailDomains": ["acme.example"], "onlyByProvider": True})
    shown = office.get(PATH)
    assert "s" not in {str(value) for value in shown.values()}
    assert [one["role"] for one in shown["grants"]] == ["OWNER", "EMPLOYER", "PUBLISHER"]
    assert shown["grants"][1]["clients"] == [client_id]
    assert shown["scopes"] == "openid email profile"
    assert shown["returnAddress"].endswith("/app/signed-in/acme")
    assert _secret(office) == "s"
    with office.desk.records.read() as tx:
        [(kept,)] = tx.all(provider_secrets.select().with_only_columns(provider_secrets.c.value))
        assert bytes(kept) != b"s"
        assert sum(names_used(tx).values()) > 0
    office.put(PATH, {name: PROVIDER[name] for name in ("issuer", "clientId")})
    assert (_secret(office), office.get(PATH)["grants"]) == ("s", [])
    assert office.ask("DELETE", PATH).status == 200
    assert (_secret(office), office.ask("DELETE", PATH).status) == (None, 404)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"issuer": "http://login.acme.example"}, "/issuer"),
        ({"issuer": "https://login.acme.example?x=1"}, "/issuer"),
        ({"issuer": "https://user:word@login.acme.example"}, "/issuer"),
        ({"issuer": "ftp://login.acme.example"}, "/issuer"),
        ({"issuer": "https://[half"}, "/issuer"),
        ({"issuer": ""}, "/issuer"),
        ({"issuer": 5}, "/issuer"),
        ({"clientId": None}, "/clientId"),
        ({"scopes": "email"}, "/scopes"),
        ({"mailDomains": ["acme"]}, "/mailDomains"),
        ({"mailDomains": ["ACME.example"]}, "/mailDomains"),
        ({"createsPeople": True}, "/createsPeople"),
        ({"roleClaim": "groups"}, "/grants"),
        ({"grants": GRANTS[:1]}, "/grants"),
        ({"roleClaim": "g", "grants": GRANTS}, "/grants/1/clients"),
        ({"roleClaim": "g", "grants": [{"value": "x", "role": "OPERATOR"}]}, "/grants/0/role"),
        (
            {"roleClaim": "g", "grants": [{"value": "x", "role": "PUBLISHER"}]},
            "/grants/0/publisherFamilyId",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    office: Office, more: dict[str, Any], field: str
) -> None:
    assert field in office.faults("PUT", PATH, PROVIDER | more)
    assert office.ask("GET", PATH).status == 404


def test_a_secret_is_for_one_provider_only(office: Office) -> None:
    """Else an owner could have a secret that it does not know sent to a server of its own."""
    bare = {name: PROVIDER[name] for name in ("issuer", "clientId")}
    assert office.faults("PUT", PATH, bare) == {
        "/clientSecret": "is required for a new issuer or client id"
    }
    office.put(PATH, PROVIDER)
    moved = bare | {"issuer": "https://other.example"}
    assert "/clientSecret" in office.faults("PUT", PATH, moved)
    assert office.get(PATH)["issuer"] == PROVIDER["issuer"]


def test_foreign_clients_and_families_are_as_unknown_ones(office: Office) -> None:
    other = office.another()
    theirs = other.client().rsplit("/", 1)[1]
    family = other.new("/publisher-families", {"publishers": ["TestExp1"]})
    for grant in (
        {"value": "x", "role": "EMPLOYER", "clients": [theirs]},
        {"value": "x", "role": "EMPLOYER", "clients": ["nobody"]},
        {"value": "x", "role": "PUBLISHER", "publisherFamilyId": family},
        {"value": "x", "role": "PUBLISHER", "publisherFamilyId": "0" * 24},
    ):
        reply = office.ask("PUT", PATH, PROVIDER | {"roleClaim": "g", "grants": [grant]})
        assert (reply.status, reply.json["message"]) == (404, "Not found"), grant
    assert other.ask("PUT", PATH, PROVIDER).status == 404
    other.put(PATH.replace("acme", "other"), PROVIDER)
    assert office.ask("GET", PATH).status == 404
    assert office.ask("GET", PATH.replace("acme", "other")).status == 404


def test_only_owners_mind_it(office: Office) -> None:
    office.put(PATH, PROVIDER)
    for role in ("TRADER", "ANALYST"):
        headers = session(office, person(office, role))
        assert asked(office, headers, "GET", PATH).status == 403
        assert asked(office, headers, "PUT", PATH, PROVIDER).status == 403
        assert asked(office, headers, "DELETE", PATH).status == 403
    owner = session(office, person(office, "OWNER"))
    assert asked(office, owner, "GET", PATH).status == 200


def test_commands_set_show_and_remove_it(run: Run, office: Office, tmp_path: Path) -> None:
    file, of = tmp_path / "provider.json", ("--agency", "acme", "--json")
    file.write_text(json.dumps(PROVIDER | {"onlyByProvider": True}))
    made = said(run("oidc", "set", "--json-body", str(file), *of))
    assert made["returnAddress"].endswith("/app/signed-in/acme")
    shown = said(run("oidc", "show", *of))
    assert (shown["onlyByProvider"], shown["issuer"]) == (True, PROVIDER["issuer"])
    assert "clientSecret" not in shown
    assert office.get(PATH) == shown
    file.write_text(json.dumps(PROVIDER | {"issuer": "http://x.example"}))
    refused = run("oidc", "set", "--json-body", str(file), *of)
    assert status_of(refused) == 2
    assert isinstance(refused.exception, Refused)
    assert "must begin with https://" in str(refused.exception.faults)
    assert said(run("oidc", "remove", *of)) == {"removed": "acme"}
    assert status_of(run("oidc", "show", *of)) == 1
    assert status_of(run("oidc", "remove", *of)) == 1
