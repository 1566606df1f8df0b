"""Keys, tokens and API clients."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from contract.office import Office
from handbill.access import tokens
from handbill.access.families import family_at_hand
from handbill.access.keys import ensure_secrets, secret
from handbill.access.rows import ApiClient, Owner
from handbill.access.service import (
    MOST_KEYS,
    NEEDS,
    add_api_client,
    add_key,
    agency_of,
    create_key,
    keys_of,
)
from handbill.host.ids import SeededIds
from handbill.kit.faults import Refused
from handbill.kit.instants import DAY, HOUR, SECOND
from handbill.publishers.service import create_family

PAGE = "/clients?page=0&limit=1"


def _status(office: Office, **headers: str) -> int:
    return office.ask("GET", PAGE, headers=headers).status


def _token(office: Office, api_key: str) -> str:
    headers = {"x-api-key": api_key}
    asked = office.ask("POST", "/token", {"client_id": office.api_client_id}, headers)
    assert asked.status == 200, asked.raw
    token: str = asked.json["access_token"]
    return token


def test_a_token_has_the_claims_of_the_contract(office: Office) -> None:
    token = _token(office, office.headers["x-api-key"])
    jwks = office.ask("GET", "/.well-known/jwks.json").json
    assert [key["alg"] for key in jwks["keys"]] == ["RS256"]
    assert not {"d", "p", "q"} & set(jwks["keys"][0])
    read = jwt.decode(token, KeySet.import_key_set(jwks), ["RS256"])
    assert read.header["kid"] == jwks["keys"][0]["kid"]
    claims = dict(read.claims)
    assert claims["sub"] == claims["client_id"] == office.api_client_id
    assert claims["exp"] - claims["iat"] == 86_400
    assert (claims["token_use"], claims["version"]) == ("access", 2)
    named = "iss sub client_id token_use scope auth_time iat exp jti version"
    assert " ".join(claims) == named


def test_token_requests_that_are_refused(office: Office) -> None:
    other = office.another()
    assert office.ask("POST", "/token", {"client_id": "x"}, {"x-api-key": "bad"}).status == 401
    assert office.faults("POST", "/token", {}) == {"/client_id": "is required"}
    assert office.faults("POST", "/token", {"client_id": 7}) == {"/client_id": "must be a string"}
    for foreign in ("unknown", "", other.api_client_id):
        assert office.ask("POST", "/token", {"client_id": foreign}).status == 403


def test_a_token_counts_only_beside_a_key_of_its_owner(office: Office) -> None:
    other = office.another()
    theirs = other.headers["x-authorization-key"]
    assert _status(office, **{"x-authorization-key": theirs}) == 403
    mine = office.headers["x-authorization-key"]
    assert _status(office, **{"x-authorization-key": f"Bearer {mine}"}) == 200
    assert _status(office, **{"x-authorization-key": mine[:-2]}) == 403
    assert _status(office, **{"x-authorization-key": "a.b.c"}) == 403


@pytest.mark.parametrize(
    ("header", "status", "message"),
    [("x-api-key", 401, "Unauthorized"), ("x-authorization-key", 403, "Forbidden")],
)
def test_which_header_is_missing_is_told_by_the_status(
    office: Office, header: str, status: int, message: str
) -> None:
    """So the documents say which header each status is about."""
    del office.headers[header]
    reply = office.ask("GET", "/clients?page=0&limit=1")
    assert (reply.status, reply.json["message"]) == (status, message)
    root = Path(__file__).parents[2]
    document = json.loads((root / "docs/api/openapi.json").read_text("utf-8"))
    told = document["paths"]["/clients"]["get"]["responses"][f"{status}"]
    told = document["components"]["responses"][told["$ref"].rpartition("/")[2]]
    assert header in told["description"]
    readme = (root / "README.md").read_text("utf-8")
    assert f"`{header}` {'the answer is ' if status == 401 else ''}{status} (`{message}`)" in readme


def test_a_token_ends_after_a_day(office: Office) -> None:
    office.clock.forward(DAY - SECOND)
    assert _status(office) == 200
    office.clock.forward(SECOND)
    assert _status(office) == 403


def test_a_partner_has_no_agency(office: Office) -> None:
    with office.desk.records.write() as tx:
        now = office.desk.clock.now()
        _, api_key, api_client = create_family(tx, office.desk.ids, now, ["TestExp1"])
    headers = {"x-api-key": api_key}
    token = office.ask("POST", "/token", {"client_id": api_client}, headers).json["access_token"]
    assert _status(office, **headers, **{"x-authorization-key": token}) == 403
    assert _status(office, **{"x-authorization-key": token}) == 403


def test_a_partner_does_what_its_scope_says(office: Office) -> None:
    with office.desk.records.write() as tx:
        now, ids = office.desk.clock.now(), office.desk.ids
        family, api_key, _ = create_family(tx, ids, now, ["TestExp1"])
        owner = Owner("partner", family_at_hand(tx, family).no)
        readers = [add_api_client(tx, ids, now, owner, [need]) for need in NEEDS]
    url = f"/publisher-families/{family}/reports/unknown"
    said = []
    for api_client in readers:
        headers = {"x-api-key": api_key}
        asked = office.ask("POST", "/token", {"client_id": api_client}, headers)
        headers["x-authorization-key"] = asked.json["access_token"]
        said.append(office.ask("GET", url, headers=headers).status)
    assert said == [404, 403]


def test_the_scope_of_an_api_client(office: Office) -> None:
    both = "handbill/read handbill/write"
    asked = [
        (None, both),
        ({}, both),
        ({"scope": None}, both),
        ({"scope": "handbill/read"},) * 2,
        ({"scope": "handbill/write handbill/read"}, both),
        ({"scope": "handbill/write"}, "handbill/write"),
    ]
    for body, _ in asked:
        assert office.ask("POST", "/api-clients", body).status == 200
    listed = office.get("/api-clients?page=0&limit=20")["data"][1:]
    assert [row["scope"] for row in listed][:3] == [both] * 3
    assert [row["scope"] for row in listed][3:] == ["handbill/read", both, "handbill/write"]
    bad: object
    for bad in ("", "read", "publisher-reports/read", "handbill/read,handbill/write", 1, [], True):
        assert set(office.faults("POST", "/api-clients", {"scope": bad})) == {"/scope"}


def test_an_agency_reads_and_names_itself(office: Office) -> None:
    other = office.another()
    found = office.get("/agencies/acme")
    assert found == {
        "id": "acme",
        "name": "Acme",
        "currency": "USD",
        "createdOn": "2026-11-18T12:00:00.000Z",
    }
    office.put("/agencies/acme", found | {"name": " Acme Ads "})
    office.put("/agencies/acme", {})
    assert office.get("/agencies/acme") == found | {"name": "Acme Ads"}
    cleared = office.faults("PUT", "/agencies/acme", {"name": None})
    assert cleared == {"/name": "cannot be cleared"}
    assert set(office.faults("PUT", "/agencies/acme", {"currency": "EUR"})) == {"/currency"}
    assert set(office.faults("PUT", "/agencies/acme", {"name": " ", "currency": 1})) == {
        "/name",
        "/currency",
    }
    assert other.get("/agencies/other")["name"] == "Acme"
    for verb, body in (("GET", None), ("PUT", {"name": "x"})):
        for unknown in ("other", "nobody", "ACME"):
            assert office.ask(verb, f"/agencies/{unknown}", body).status == 404


def test_keys_are_rotated_with_an_overlap_and_revoked_at_once(office: Office) -> None:
    former = office.headers["x-api-key"]
    prefix = former.split("_")[1]
    asked = office.ask("POST", f"/api-keys/{prefix}/rotate", {"overlapHours": 2})
    new = asked.json["result"]
    assert _status(office) == _status(office, **{"x-api-key": new}) == 200
    office.clock.forward(2 * HOUR)
    assert _status(office) == 401
    office.headers["x-api-key"] = new
    listed = office.get("/api-keys?page=0&limit=10")["data"]
    assert [key["prefix"] for key in listed] == [prefix, new.split("_")[1]]
    assert new.split("_")[2] not in str(listed)
    third = office.new("/api-keys", {})
    assert office.ask("DELETE", f"/api-keys/{third.split('_')[1]}").status == 200
    assert _status(office, **{"x-api-key": third}) == 401
    assert office.ask("DELETE", f"/api-keys/{third.split('_')[1]}").status == 404


def test_a_new_key_is_kept_for_no_retry(office: Office) -> None:
    prefix = office.headers["x-api-key"].split("_")[1]
    body: dict[str, Any] = {}
    for n, path in enumerate(("/api-keys", f"/api-keys/{prefix}/rotate")):
        keyed = {"idempotency-key": f"k{n}"}
        made = office.ask("POST", path, body, headers=keyed)
        assert made.status == 200
        again = office.ask("POST", path, body, headers=keyed)
        assert (again.status, again.json["errors"][0]["field"]) == (400, "/Idempotency-Key")
        assert "shown once" in again.json["errors"][0]["message"]
        with office.desk.records.read() as tx:
            kept = tx.run_text("SELECT answer FROM idempotency", {})[0]
        secret_part = made.json["result"].split("_")[2].encode()
        assert len(kept) == n + 1
        assert not any(secret_part in bytes(answer) for (answer,) in kept)
    listed = office.get("/api-keys?page=0&limit=10")["data"]
    assert len(listed) == 3, "a retry makes no further key"


def test_a_foreign_key_cannot_be_touched(office: Office) -> None:
    prefix = office.another().headers["x-api-key"].split("_")[1]
    assert office.ask("DELETE", f"/api-keys/{prefix}").status == 404
    assert office.ask("POST", f"/api-keys/{prefix}/rotate", {}).status == 404


def test_a_revoked_api_client_loses_its_tokens_at_once(office: Office) -> None:
    second = office.new("/api-clients", {})
    token = office.ask("POST", "/token", {"client_id": second}).json["access_token"]
    assert _status(office, **{"x-authorization-key": token}) == 200
    assert office.ask("DELETE", f"/api-clients/{second}").status == 200
    assert _status(office, **{"x-authorization-key": token}) == 403
    assert office.ask("DELETE", f"/api-clients/{second}").status == 404
    assert office.ask("POST", "/token", {"client_id": second}).status == 403
    assert len(office.get("/api-clients?page=0&limit=10")["data"]) == 2


def test_no_key_is_stored_as_text(office: Office) -> None:
    with office.desk.records.write() as tx:
        api_key = create_key(tx, office.desk.ids, office.desk.clock.now(), Owner("agency", 1))
        stored = tx.run_text("SELECT prefix, digest FROM api_keys ORDER BY no", {})[0]
    _, prefix, secret_part = api_key.split("_")
    assert stored[-1][0] == prefix
    assert secret_part.encode() not in bytes(stored[-1][1])


@pytest.mark.parametrize("bad", ["", "hb_", "hb_aaaaaaaaaaaa_", "hb_é_x", "x" * 5_000])
def test_bad_keys(office: Office, bad: str) -> None:
    assert _status(office, **{"x-api-key": bad}) == 401


def test_a_token_of_another_issuer_or_algorithm_is_refused(office: Office) -> None:
    with office.desk.records.write() as tx:
        ensure_secrets(tx, office.desk.ids, 0)
        pem = secret(tx, "jwt")[1]
    api_client = ApiClient(1, office.api_client_id, "agency", 1, "s", 0, None)
    now = office.desk.clock.now()
    foreign = tokens.issue(pem, SeededIds(2), now, api_client, "https://else.example", 60)
    assert _status(office, **{"x-authorization-key": foreign}) == 403
    claims: dict[str, Any] = {
        "iss": office.desk.settings.public_api,
        "client_id": office.api_client_id,
    }
    claims |= {"exp": now // SECOND + 60, "token_use": "access"}
    kid = office.ask("GET", "/.well-known/jwks.json").json["keys"][0]["kid"]
    header = {"alg": "HS256", "kid": kid}
    forged = jwt.encode(header, claims, OctKey.import_key(b"k" * 32), ["HS256"])
    assert _status(office, **{"x-authorization-key": forged}) == 403


def test_verified_tokens_are_bounded() -> None:
    kept = tokens.Verified(most=2)
    for n in range(3):
        kept.keep(bytes([n]), tokens.Proof(str(n), 100))
    assert kept.find(b"\0", 0) is None
    assert kept.find(b"\2", 0) == tokens.Proof("2", 100)
    assert kept.find(b"\2", 100) is None


def test_the_bound_of_keys_holds_when_many_ask_at_once(office: Office) -> None:
    records, ids, now = office.desk.records, office.desk.ids, office.clock.now()
    with records.read() as tx:
        owner = Owner("agency", agency_of(tx, office.agency_id).no)

    def add(_: int) -> bool:
        try:
            with records.write() as tx:
                add_key(tx, ids, now, owner)
        except Refused:
            return False
        return True

    for _ in range(MOST_KEYS - 3):
        assert add(0)
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(add, range(8))) == 2  # one was there from the beginning
    with records.read() as tx:
        assert len(keys_of(tx, owner)) == MOST_KEYS
