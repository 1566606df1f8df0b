"""People sign in by their agency's own provider, with the role of its claim."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract.office import Body, Office
from contract.signed_in import PASSWORD, asked, person, second_factor, session
from contract.signing_in import (
    BY_CLAIM,
    MAIL,
    begun,
    finished,
    idp,
    is_refused,
    listening,
    me,
    office,
    office_anywhere,
    provide,
)
from handbill.kit.instants import HOUR
from handbill.people import invitations
from identity_provider import (
    CLIENT,
    SECRET,
    Claims,
    IdentityProvider,
)

__all__ = ["idp", "listening", "office", "office_anywhere"]
PATH = "/agencies/acme/sign-in-provider"


@pytest.mark.parametrize("kid", ["one", "ec-one"])
def test_somebody_new_is_added_with_the_role_of_its_claim(
    office_anywhere: Office, idp: IdentityProvider, kid: str
) -> None:
    office = office_anywhere
    provide(office, idp, **BY_CLAIM)
    idp.kid, idp.shown = kid, ["two", kid]
    idp.claims = {"groups": ["all", "ads"]}
    found = me(office, finished(office, idp))
    assert (found["mail"], found["name"], found["role"]) == (MAIL, "Ada", "TRADER")
    assert found["session"]["endsOn"] == found["session"]["expiresOn"]
    newest = office.get("/changes?limit=5")["data"]
    made = [one for one in newest if one["entity"]["kind"] == "PERSON"]
    assert [one["actor"] for one in made] == [{"kind": "PERSON", "id": found["id"]}] * 2
    [shown] = office.get("/people?page=0&limit=9")["data"]
    assert (shown["maySignIn"], shown["id"]) == (True, found["id"])


def test_of_two_at_once_one_person_is_made_and_a_sign_in_is_finished_once(
    office_anywhere: Office, idp: IdentityProvider
) -> None:
    office = office_anywhere
    provide(office, idp, **BY_CLAIM)
    idp.claims, idp.reuses_codes = {"groups": "ads"}, True
    flows = []
    for _ in range(2):
        made = begun(office)
        flows.append({"flow": made["flow"]} | idp.authorize(made["result"]))

    def finish(body: Body) -> Any:
        return asked(office, {}, "POST", "/sign-ins/finish", body)

    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(finish, [flows[0], flows[0], flows[1]]))
    assert sorted(one.status for one in said[:2]) == [200, 401]
    assert said[2].status == 200
    assert len(office.get("/people?page=0&limit=9")["data"]) == 1


def test_the_role_is_that_of_the_present_claim(office: Office, idp: IdentityProvider) -> None:
    """Sessions that are under way have it too; without a grant nobody is let in."""
    provide(office, idp, **BY_CLAIM)
    person(office, "OWNER", mail="boss@acme.example", password=PASSWORD)
    idp.claims = {"groups": "owners"}
    first = finished(office, idp)
    assert me(office, first)["role"] == "OWNER"
    idp.claims = {"groups": ["ads", "owners"], "email": "other@acme.example"}
    assert me(office, finished(office, idp))["role"] == "OWNER", "the first grant counts"
    idp.claims = {"groups": ["ads"], "email_verified": False}
    again = me(office, finished(office, idp))
    assert (again["role"], again["mail"]) == ("TRADER", MAIL), "the subject is who it is"
    assert me(office, first)["role"] == "TRADER"
    for groups in (None, [], ["none"], {"ads": True}, 5, "OWNER", [["owners"]]):
        idp.claims = {"groups": groups}
        assert finished(office, idp).status == 401, groups
    assert me(office, first)["role"] == "TRADER"


def test_an_employer_sees_its_clients_and_a_publisher_its_family(
    office: Office, idp: IdentityProvider
) -> None:
    mine, gone = (office.client().rsplit("/", 1)[1] for _ in range(2))
    family = office.new("/publisher-families", {"publishers": ["TestExp1"]})
    grants = [
        {"value": "mills", "role": "EMPLOYER", "clients": [mine, gone]},
        {"value": "site", "role": "PUBLISHER", "publisherFamilyId": family},
    ]
    provide(office, idp, roleClaim="realm.roles", grants=grants, createsPeople=True)
    assert office.ask("DELETE", f"/clients/{gone}").status == 200
    idp.claims = {"realm": {"roles": ["mills"]}}
    assert me(office, finished(office, idp))["clients"] == [mine]
    idp.claims = {"realm": {"roles": ["site"]}}
    assert finished(office, idp).status == 401, "a person's place stays"
    idp.claims |= {"sub": "subject-2", "email": "site@acme.example"}
    found = me(office, finished(office, idp))
    assert (found["role"], found["publisherFamilyId"]) == ("PUBLISHER", family)
    assert office.ask("DELETE", f"/clients/{mine}").status == 200
    idp.claims = {"realm": {"roles": ["mills"]}}
    assert finished(office, idp).status == 401, "an employer without clients would see all"


def test_without_a_claim_only_invited_people_are_let_in(
    office: Office, idp: IdentityProvider
) -> None:
    provide(office, idp)
    assert finished(office, idp).status == 401
    invited = office.ask("POST", "/people", {"mail": MAIL.upper(), "role": "ANALYST"}).json
    found = me(office, finished(office, idp))
    assert (found["id"], found["role"]) == (invited["result"], "ANALYST")
    link = invited["link"].rpartition("/")[2]
    used = asked(office, {}, "POST", "/invitations/accept", {"link": link, "password": PASSWORD})
    assert used.status == 404, "the link is of no use any more"


def test_a_mail_address_that_was_given_on_lets_nobody_else_in(
    office: Office, idp: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provide(office, idp, **BY_CLAIM)
    idp.claims = {"groups": "ads"}
    assert finished(office, idp).status == 200
    idp.claims |= {"sub": "subject-2"}
    is_refused(finished(office, idp), caplog, "another subject")
    [one] = office.get("/people?page=0&limit=9")["data"]
    assert office.ask("DELETE", f"/people/{one['id']}").status == 200
    assert me(office, finished(office, idp))["id"] != one["id"]


def test_the_last_owner_stays_one(
    office: Office, idp: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provide(office, idp, **BY_CLAIM)
    idp.claims = {"groups": "owners"}
    assert finished(office, idp).status == 200
    idp.claims = {"groups": "ads"}
    is_refused(finished(office, idp), caplog, "last owner")
    idp.claims = {"groups": "owners", "sub": "subject-2", "email": "bob@acme.example"}
    assert finished(office, idp).status == 200
    idp.claims = {"groups": "ads"}
    assert me(office, finished(office, idp))["role"] == "TRADER"


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": None},
        {"email": "no address"},
        {"email": "ada@other.example"},
        {"email": "ada@acme.example.other.example"},
        {"email": ["ada@acme.example"]},
    ],
    ids=str,
)
def test_the_first_time_a_verified_address_of_the_domains_is_needed(
    office: Office, idp: IdentityProvider, claims: Claims, caplog: pytest.LogCaptureFixture
) -> None:
    provide(office, idp, **BY_CLAIM, mailDomains=["acme.example"])
    person(office, "TRADER", mail=MAIL)
    idp.claims = {"groups": "ads"} | claims
    is_refused(finished(office, idp), caplog, "verified")


def test_no_agency_signs_in_as_anothers_person(office: Office, idp: IdentityProvider) -> None:
    """Not by its own provider with the same address, and not with a flow of its own."""
    provide(office, idp, **BY_CLAIM)
    idp.claims = {"groups": "owners"}
    ours = me(office, finished(office, idp))
    person(office, "OPERATOR", mail="ops@x.example", password=PASSWORD)
    other = office.another()
    provide(other, idp, **BY_CLAIM)
    theirs = me(other, finished(other, idp))
    assert (theirs["agencyId"], ours["agencyId"]) == ("other", "acme")
    assert theirs["id"] != ours["id"]
    idp.claims = {"groups": "owners", "sub": "ops", "email": "ops@x.example"}
    found = me(other, finished(other, idp))
    assert (found["role"], found["agencyId"]) == ("OWNER", "other"), "never the operator"
    flow, answer = begun(other)["flow"], idp.authorize(begun(office)["result"])
    assert asked(office, {}, "POST", "/sign-ins/finish", answer | {"flow": flow}).status == 401
    renamed = flow.replace("other", "acme", 1)
    assert asked(office, {}, "POST", "/sign-ins/finish", answer | {"flow": renamed}).status == 401
    for agency_id in ("nobody", "third"):
        if agency_id == "third":
            office.another("third")
        reply = asked(office, {}, "POST", "/sign-ins", {"agencyId": agency_id})
        assert (reply.status, reply.json["message"]) == (404, "Not found")


def test_only_by_the_provider_means_no_password(office: Office, idp: IdentityProvider) -> None:
    """Of this agency's people; operators go on, and sessions under way."""
    owner = person(office, "OWNER", mail=MAIL, password=PASSWORD)
    person(office, "OPERATOR", mail="ops@x.example", password=PASSWORD)
    headers = session(office, owner)
    other = office.another()
    person(other, "OWNER", mail=MAIL, password=PASSWORD + "!")

    def status(mail: str, password: str = PASSWORD) -> int:
        body = {"mail": mail, "password": password}
        found: int = asked(office, {}, "POST", "/sessions", body).status
        return found

    _sign_in_once(office, idp)
    with office.desk.records.write() as tx:
        link = invitations.invite(tx, office.desk.ids, office.desk.clock.now(), owner)
    provide(office, idp, onlyByProvider=True)
    assert [status(MAIL), status("ops@x.example"), status(MAIL, PASSWORD + "!")] == [401, 200, 200]
    accept = {"link": link, "password": PASSWORD + "?"}
    assert asked(office, {}, "POST", "/invitations/accept", accept).status == 400
    assert asked(office, headers, "GET", "/people/me").status == 200
    assert me(office, finished(office, idp))["id"] == owner.id
    assert office.ask("DELETE", PATH).status == 200
    assert status(MAIL) == 200


def _sign_in_once(office: Office, idp: IdentityProvider, **more: Any) -> Body:
    """So that the provider knows the owner."""
    provide(office, idp, **more)
    return me(office, finished(office, idp))


def _faults(office: Office, idp: IdentityProvider, **more: Any) -> dict[str, str]:
    """What is wrong with setting the provider so."""
    body = {"issuer": idp.issuer, "clientId": CLIENT, "clientSecret": SECRET} | more
    reply = office.ask("PUT", PATH, body)
    assert reply.status == 400, reply.raw
    return {one["field"]: one["message"] for one in reply.json["errors"]}


def test_no_provider_shuts_out_the_last_owner(office: Office, idp: IdentityProvider) -> None:
    """Neither by the words "by the provider only", nor by another issuer, nor by its claim."""
    person(office, "OWNER", mail=MAIL, password=PASSWORD)
    refused = _faults(office, idp, onlyByProvider=True)
    assert set(refused) == {"/onlyByProvider"}
    assert "no owner of the agency could sign in any more" in refused["/onlyByProvider"]
    assert office.ask("GET", PATH).status == 404, "nothing was changed"
    _sign_in_once(office, idp)
    provide(office, idp, onlyByProvider=True)
    elsewhere = _faults(office, idp, issuer="https://else.example", onlyByProvider=True)
    assert set(elsewhere) == {"/onlyByProvider"}
    ads = [{"value": "ads", "role": "TRADER"}]
    claimed = _faults(office, idp, roleClaim="groups", grants=ads, onlyByProvider=True)
    assert set(claimed) == {"/onlyByProvider"}
    provide(office, idp, **BY_CLAIM, onlyByProvider=True)
    assert office.ask("DELETE", PATH).status == 200, "the owner has a password"


def test_who_signs_in_by_password_is_no_owner_left_where_it_does_not_count(
    office: Office, idp: IdentityProvider
) -> None:
    """Of two owners, the one whom the provider knows is the last one who can sign in."""
    first = person(office, "OWNER", mail="first@acme.example", password=PASSWORD)
    person(office, "OWNER", mail=MAIL)
    second = _sign_in_once(office, idp)
    provide(office, idp, onlyByProvider=True)
    able = {one["id"]: one["maySignIn"] for one in office.get("/people?page=0&limit=9")["data"]}
    assert able == {first.id: False, second["id"]: True}
    for verb, body in (("DELETE", None), ("PUT", {"role": "TRADER"})):
        reply = office.ask(verb, f"/people/{second['id']}", body)
        assert reply.status == 400
        assert "the last owner" in reply.json["errors"][0]["message"]
    provide(office, idp)
    assert office.ask("DELETE", f"/people/{second['id']}").status == 200


def test_the_provider_of_owners_without_a_password_stays(
    office: Office, idp: IdentityProvider
) -> None:
    """But the operator can remove one that fails, and invite them anew."""
    person(office, "OWNER", mail=MAIL)
    _sign_in_once(office, idp)
    reply = office.ask("DELETE", PATH)
    assert (reply.status, reply.json["errors"][0]["field"]) == (400, "")
    assert set(_faults(office, idp, issuer="https://else.example")) == {"/issuer"}
    person(office, "OWNER", mail="b@acme.example", password=PASSWORD)
    assert office.ask("DELETE", PATH).status == 200


def test_a_second_factor_is_the_providers_business(office: Office, idp: IdentityProvider) -> None:
    provide(office, idp)
    second_factor(office, person(office, "TRADER", mail=MAIL, password=PASSWORD))
    assert me(office, finished(office, idp))["secondFactor"] is True


def test_signing_out_everywhere_ends_it_and_12_hours_do(
    office: Office, idp: IdentityProvider
) -> None:
    """So that whoever is gone at the provider is gone here by the next day."""
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    made = [finished(office, idp).json["result"] for _ in range(2)]
    first, second = ({"authorization": f"Bearer {one}"} for one in made)
    assert asked(office, first, "DELETE", "/sessions").status == 200
    assert asked(office, second, "GET", "/people/me").status == 401
    third = {"authorization": f"Bearer {finished(office, idp).json['result']}"}
    office.clock.forward(6 * HOUR)
    assert asked(office, third, "PUT", "/sessions/current").status == 200
    office.clock.forward(6 * HOUR)
    assert asked(office, third, "GET", "/people/me").status == 401
