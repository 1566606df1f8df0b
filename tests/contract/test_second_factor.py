"""A second factor by choice: begun, confirmed, asked for at each sign-in, used once, ended."""

import base64
from typing import Any

import pytest

from contract.office import Office
from contract.signed_in import PASSWORD, Factor, asked, code_of, person, second_factor, session
from handbill.core.persons import Person
from handbill.host.ids import SeededIds
from handbill.kit.instants import HOUR, MINUTE, SECOND
from handbill.kit.sealing import NotSealed
from handbill.people import codes, invitations
from handbill.store import sealed
from handbill.store.records.tables import person_recoveries, person_secrets

MAIL = "owner@acme.example"
STEP = 30 * SECOND
FACTOR = "/people/me/second-factor"


def _sign_in(office: Office, code: str | None, password: str = PASSWORD) -> int:
    more = {} if code is None else {"code": code}
    status: int = asked(
        office, {}, "POST", "/sessions", {"mail": MAIL, "password": password} | more
    ).status
    return status


@pytest.fixture
def office(sqlite_office: Office) -> Office:
    return sqlite_office


@pytest.fixture
def owner(office: Office) -> Person:
    return person(office, "OWNER", password=PASSWORD)


@pytest.fixture
def factor(office: Office, owner: Person) -> Factor:
    return second_factor(office, owner)


def _now(office: Office, factor: Factor, by: int = 0) -> str:
    return code_of(factor.secret, office.clock.now() + by)


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    """RFC 6238, appendix B: the last six of its eight digits."""
    secret = b"12345678901234567890"
    assert codes.step_of(secret, code, at * SECOND, -1) == at // 30
    assert codes.step_of(secret, f" {code[:3]} {code[3:]}", at * SECOND, -1) == at // 30
    assert codes.step_of(secret, code, (at + 30) * SECOND, -1) == at // 30
    assert codes.step_of(secret, code, (at + 60) * SECOND, -1) is None
    assert codes.step_of(secret, code, at * SECOND, at // 30) is None


def test_a_person_begins_confirms_and_ends_it(office: Office, owner: Person) -> None:
    headers, other = session(office, owner), session(office, owner)
    reply = asked(office, headers, "POST", FACTOR, {"password": "not this one"})
    assert (reply.status, reply.json["errors"][0]["field"]) == (400, "/password")
    assert asked(office, headers, "PUT", FACTOR, {"code": "123456"}).status == 400
    offer = asked(office, headers, "POST", FACTOR, {"password": PASSWORD}).json
    assert offer["uri"].startswith("otpauth://totp/Handbill:owner%40acme.example?")
    assert f"secret={offer['result']}" in offer["uri"]
    assert _sign_in(office, None) == 200  # nothing is in force yet
    secret = base64.b32decode(offer["result"])
    assert asked(office, headers, "PUT", FACTOR, {"code": "000"}).status == 400
    code = {"code": code_of(secret, office.clock.now())}
    made = asked(office, headers, "PUT", FACTOR, code).json["recoveryCodes"]
    assert len(set(made)) == 10
    me = asked(office, headers, "GET", "/people/me").json
    assert (me["secondFactor"], me["recoveryCodesLeft"]) == (True, 10)
    # What began without a code has ended, and the confirming code is used.
    assert asked(office, other, "GET", "/people/me").status == 401
    assert [_sign_in(office, one) for one in (None, code["code"])] == [401, 401]
    assert asked(office, headers, "POST", FACTOR, {"password": PASSWORD}).status == 400
    end = {"password": PASSWORD, "code": "000000"}
    assert asked(office, headers, "POST", f"{FACTOR}/end", end).status == 400
    assert asked(office, headers, "POST", f"{FACTOR}/end", end | {"code": made[0]}).status == 200
    assert _sign_in(office, None) == 200
    told = [
        one["fields"]
        for one in office.get("/changes")["data"]
        if one["fields"] and one["fields"][0]["field"] == "/secondFactor"
    ]
    assert [(one[0]["before"], one[0]["after"]) for one in told] == [(True, False), (False, True)]
    with office.desk.records.read() as tx:
        assert tx.all(person_secrets.select()) == tx.all(person_recoveries.select()) == []


def test_nothing_tells_that_the_password_was_right(office: Office, factor: Factor) -> None:
    def said(password: str, **more: str) -> tuple[int, Any]:
        body = {"mail": MAIL, "password": password, **more}
        reply = asked(office, {}, "POST", "/sessions", body)
        return reply.status, {**reply.json, "requestId": ""}

    office.clock.forward(STEP)
    wrong = said("wrong wrong wrong")
    assert wrong[0] == 401
    assert said(PASSWORD) == said(PASSWORD, code="000000") == wrong
    assert said("wrong wrong wrong", code=_now(office, factor)) == wrong
    assert said(PASSWORD, code=_now(office, factor))[0] == 200


def test_a_code_is_good_once_and_for_a_step_around(office: Office, factor: Factor) -> None:
    office.clock.forward(10 * STEP)
    early, late = _now(office, factor, -2 * STEP), _now(office, factor, 2 * STEP)
    assert [_sign_in(office, one) for one in (early, late)] == [401, 401]
    before, present, behind = (_now(office, factor, by * STEP) for by in (-1, 0, 1))
    assert [_sign_in(office, before), _sign_in(office, before)] == [200, 401]
    assert [_sign_in(office, behind), _sign_in(office, behind)] == [200, 401]
    assert _sign_in(office, present) == 401, "an older step than one that was used"


def test_a_recovery_code_is_good_once(office: Office, factor: Factor) -> None:
    first, second = factor.recoveries[:2]
    assert [_sign_in(office, first), _sign_in(office, first)] == [200, 401]
    assert _sign_in(office, f" {second.replace('-', '').upper()} ") == 200
    with office.desk.records.read() as tx:
        kept = repr(tx.all(person_recoveries.select()))
    assert not any(one.replace("-", "") in kept for one in factor.recoveries)


def test_wrong_codes_are_few(office: Office, owner: Person, factor: Factor) -> None:
    """Ten in an hour; then none is right for a while, and nobody is told so."""
    wrong = office.desk.sign_ins.codes
    assert _sign_in(office, "000000", "wrong wrong wrong") == 401
    assert not wrong.has_failed(owner.id, office.clock.now()), "a stranger uses none up"
    assert _sign_in(office, "000000") == 401
    for _ in range(9):
        wrong.fail(owner.id, office.clock.now())
    office.clock.forward(MINUTE)
    assert _sign_in(office, _now(office, factor)) == 401
    office.clock.forward(HOUR)
    assert _sign_in(office, _now(office, factor)) == 200


def test_a_link_replaces_the_password_only(office: Office, owner: Person, factor: Factor) -> None:
    desk = office.desk
    with desk.records.write() as tx:
        link = invitations.invite(tx, desk.ids, desk.clock.now(), owner)
    body = {"link": link, "password": PASSWORD + "2"}
    for more in ({}, {"code": "000000"}):
        reply = asked(office, {}, "POST", "/invitations/accept", body | more)
        assert (reply.status, reply.json["errors"][0]["field"]) == (400, "/code")
    office.clock.forward(STEP)
    more = {"code": _now(office, factor)}
    assert asked(office, {}, "POST", "/invitations/accept", body | more).status == 200


def test_an_owner_ends_anothers_and_not_its_own(office: Office, owner: Person) -> None:
    trader = person(office, "TRADER", password=PASSWORD)
    second_factor(office, trader)
    second_factor(office, owner)
    headers, theirs = session(office, owner), session(office, trader)
    shown = {one["id"]: one["secondFactor"] for one in office.get("/people?page=0&limit=9")["data"]}
    assert shown == {owner.id: True, trader.id: True}
    own = asked(office, headers, "DELETE", f"/people/{owner.id}/second-factor")
    assert own.status == 400
    assert asked(office, theirs, "DELETE", f"/people/{owner.id}/second-factor").status == 403
    path = f"/people/{trader.id}/second-factor"
    foreign = office.another()
    assert foreign.ask("DELETE", path).status == 404
    assert asked(office, headers, "DELETE", path).status == 200
    assert asked(office, theirs, "GET", "/people/me").status == 401
    assert office.get(f"/people/{trader.id}")["secondFactor"] is False
    body = {"mail": trader.mail, "password": PASSWORD}
    assert asked(office, {}, "POST", "/sessions", body).status == 200


def test_another_secret_takes_no_code_of_the_former(office: Office, owner: Person) -> None:
    former = second_factor(office, owner)
    office.clock.forward(STEP)
    present = second_factor(office, owner)
    office.clock.forward(STEP)
    assert _sign_in(office, former.recoveries[0]) == 401
    assert _sign_in(office, _now(office, former)) == 401
    assert _sign_in(office, _now(office, present)) == 200


def test_the_secret_is_sealed_and_bound_to_its_person(office: Office, owner: Person) -> None:
    factor = second_factor(office, owner)
    with office.desk.records.read() as tx:
        [(_, person_no, name, value)] = tx.all(person_secrets.select())
        assert factor.secret not in bytes(value)
        place: dict[str, object] = {"person_no": person_no, "name": name}
        assert sealed.opened(tx, person_secrets, place, value) == factor.secret
        with pytest.raises(NotSealed):
            sealed.opened(tx, person_secrets, place | {"person_no": 999}, value)


def test_who_is_removed_leaves_no_secret(office: Office, owner: Person) -> None:
    trader = person(office, "TRADER", password=PASSWORD)
    second_factor(office, trader)
    office.ask("DELETE", f"/people/{trader.id}")
    with office.desk.records.read() as tx:
        assert tx.all(person_secrets.select()) == tx.all(person_recoveries.select()) == []


def test_recovery_codes_are_long_and_differ() -> None:
    ids = SeededIds(1)
    made = {codes.new_recovery(ids) for _ in range(1_000)}
    assert len(made) == 1_000
    assert {len(one) for one in made} == {19}
