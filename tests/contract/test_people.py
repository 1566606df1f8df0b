"""People sign in, and a session is a credential of the API itself."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from starlette.types import Receive, Scope, Send

from contract.asgi import call
from contract.office import OPERATIONS, Office
from contract.signed_in import PASSWORD, asked, code_of, person, second_factor, session
from handbill.api import fronted
from handbill.core.persons import IDLE_FOR, LASTS
from handbill.http.app import Application
from handbill.http.buckets import SignIns
from handbill.http.operations import Call
from handbill.kit.instants import HOUR, MINUTE
from handbill.people import invitations, service
from handbill.store.records import Records, Tx

MAIL = "owner@acme.example"


def _sign_in(
    office: Office, mail: str = MAIL, password: str = PASSWORD, **more: str
) -> dict[str, str]:
    body = {"mail": mail, "password": password, **more}
    reply = asked(office, {}, "POST", "/sessions", body)
    assert reply.status == 200, reply.raw
    return {"authorization": f"Bearer {reply.json['result']}"}


def _status(office: Office, headers: dict[str, str], url: str = "/people/me") -> int:
    status: int = asked(office, headers, "GET", url).status
    return status


@pytest.fixture
def owner(office: Office) -> dict[str, str]:
    return session(office, person(office, "OWNER", password=PASSWORD))


def test_a_person_signs_in_and_is_the_agency(office: Office) -> None:
    person(office, "OWNER", password=PASSWORD)
    owner = _sign_in(office)
    me = asked(office, owner, "GET", "/people/me").json
    assert (me["mail"], me["role"], me["agencyId"]) == (MAIL, "OWNER", "acme")
    assert me["clients"] is None
    assert me["mayWrite"] is True
    made = asked(office, owner, "POST", "/publishers", {"id": "Mine", "bidType": "CPC"})
    assert made.status == 200
    assert office.get("/publishers/Mine")["id"] == "Mine"
    newest = office.get("/changes")["data"][0]
    assert newest["actor"] == {"kind": "PERSON", "id": me["id"]}


def test_whatever_is_wrong_gets_one_answer(office: Office, owner: dict[str, str]) -> None:
    person(office, "TRADER")  # was invited, and has no password yet
    wrong = [
        {"mail": "nobody@acme.example", "password": PASSWORD},
        {"mail": MAIL, "password": PASSWORD + "x"},
        {"mail": "trader@acme.example", "password": PASSWORD},
        {"mail": MAIL, "password": PASSWORD, "agencyId": "nosuchagency"},
    ]
    replies = [asked(office, {}, "POST", "/sessions", one) for one in wrong]
    assert {reply.status for reply in replies} == {401}
    assert {reply.json["message"] for reply in replies} == {"Unauthorized"}
    bad = asked(office, {"authorization": "Bearer hbs_x"}, "GET", "/people/me")
    assert bad.json["message"] == "Unauthorized"


def test_an_address_fails_ten_times_a_minute(sqlite_office: Office) -> None:
    office = sqlite_office
    person(office, "OWNER", password=PASSWORD)
    body = {"mail": MAIL, "password": "wrong wrong wrong"}
    told = [asked(office, {}, "POST", "/sessions", body).status for _ in range(12)]
    assert told == [401] * 10 + [429] * 2
    assert asked(office, {}, "POST", "/sessions", body | {"mail": "x@y.example"}).status == 401
    office.clock.forward(MINUTE)
    _sign_in(office)


def test_a_stranger_does_not_keep_a_person_out(sqlite_office: Office) -> None:
    """Failures from one network count for that one alone, as proxies of ours name it."""
    office = sqlite_office
    person(office, "OWNER", password=PASSWORD)
    settings = msgspec.structs.replace(office.desk.settings, trusted_proxies=("10.0.0.0/8",))
    fronting = fronted(replace(office.desk, settings=settings), office.app)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        await fronting({**scope, "client": ("10.0.0.1", 9)}, receive, send)

    def status(network: str, password: str) -> int:
        headers = {"x-forwarded-for": f"198.51.100.1, {network}"}
        body = {"mail": MAIL, "password": password}
        status: int = call(front, "POST", "/sessions", body, headers=headers).status
        return status

    assert [status("203.0.113.1", "wrong") for _ in range(11)] == [401] * 10 + [429]
    assert status("203.0.113.1", PASSWORD) == 429
    assert status("203.0.113.2", PASSWORD) == 200


def test_from_everywhere_an_address_fails_a_hundred_times_a_minute() -> None:
    some = SignIns()
    for number in range(100):
        assert some.wait("a", f"n{number}", 0) == 0
        some.fail("a", f"n{number}", 0)
    assert some.wait("a", "n100", 0) > 0
    assert some.wait("b", "n100", 0) == 0
    assert some.wait("a", "n100", MINUTE) == 0


class Counted:
    """Records that know how many readers are open."""

    def __init__(self, records: Records) -> None:
        self._records, self.readers = records, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        self.readers += 1
        with self._records.read() as tx:
            yield tx
        self.readers -= 1


def test_no_reader_is_held_while_a_password_is_hashed(
    office: Office, owner: dict[str, str]
) -> None:
    records: Any = Counted(office.desk.records)
    [row] = [one for one in OPERATIONS if one.name == "create_session"]
    seen = []

    def ahead(call: Call) -> Callable[[], Any]:
        assert row.ahead is not None
        prove = row.ahead(call)
        seen.append(records.readers)

        def proving() -> Any:
            seen.append(records.readers)
            return prove()

        return proving

    app = Application([replace(row, ahead=ahead)], replace(office.desk, records=records))
    reply = call(app, "POST", "/sessions", {"mail": MAIL, "password": PASSWORD})
    app.close()
    assert (reply.status, seen) == (200, [1, 0])


def test_a_session_stands_alone(office: Office, owner: dict[str, str]) -> None:
    both = office.headers | owner
    for headers in (
        both,
        owner | {"x-api-key": office.headers["x-api-key"]},
        owner | {"x-authorization-key": office.headers["x-authorization-key"]},
        {"authorization": owner["authorization"] + "x"},
        {"authorization": owner["authorization"][:-1] + "-"},
        {"authorization": "Bearer " + office.headers["x-authorization-key"]},
        {},
    ):
        reply = call(office.app, "GET", "/publishers?page=0&limit=1", headers=headers)
        assert (reply.status, reply.json["message"]) == (401, "Unauthorized"), headers
    twice = [("authorization", owner["authorization"])] * 2
    assert call(office.app, "GET", "/people/me", headers=twice).status == 401
    assert call(office.app, "GET", "/people/me", headers=office.headers).status == 401
    proxied = office.headers | {"authorization": "Basic dTpw"}  # of a proxy in front of us
    assert call(office.app, "GET", "/publishers?page=0&limit=1", headers=proxied).status == 200
    assert asked(office, owner, "POST", "/token", {"client_id": "x"}).status == 403


def test_a_session_ends_when_nobody_renews_it(office: Office, owner: dict[str, str]) -> None:
    office.clock.forward(IDLE_FOR - HOUR)
    assert asked(office, owner, "PUT", "/sessions/current").status == 200
    office.clock.forward(IDLE_FOR - HOUR)
    assert _status(office, owner) == 200
    office.clock.forward(HOUR)
    assert _status(office, owner) == 401


def test_a_session_ends_after_thirty_days(office: Office, owner: dict[str, str]) -> None:
    for _ in range(LASTS // (10 * HOUR) - 1):
        office.clock.forward(10 * HOUR)
        assert asked(office, owner, "PUT", "/sessions/current").status == 200
    assert _status(office, owner) == 200
    office.clock.forward(10 * HOUR)
    assert _status(office, owner) == 401


def test_signing_out_ends_this_session_alone(office: Office, owner: dict[str, str]) -> None:
    other = _sign_in(office)
    assert asked(office, other, "DELETE", "/sessions/current").status == 200
    assert (_status(office, other), _status(office, owner)) == (401, 200)


def test_who_is_removed_is_out_at_once(office: Office, owner: dict[str, str]) -> None:
    trader = person(office, "TRADER")
    headers = session(office, trader)
    assert _status(office, headers) == 200
    with office.desk.records.write() as tx:
        service.remove(tx, office.clock.now(), trader)
    assert _status(office, headers) == 401


def test_an_address_of_two_agencies_is_two_people(office: Office) -> None:
    other = office.another()
    person(office, "OWNER", mail="ada@both.example", password=PASSWORD)
    person(other, "OWNER", mail="ada@both.example", password=PASSWORD + "2")
    here = _sign_in(office, "Ada@Both.example")
    there = _sign_in(office, "ada@both.example", PASSWORD + "2", agencyId="other")
    found = [asked(office, one, "GET", "/people/me").json["agencyId"] for one in (here, there)]
    assert found == ["acme", "other"]


def test_another_agency_does_not_keep_a_person_out(office: Office) -> None:
    """What an older one made of the address, with a password of its own, is another person."""
    other = office.another()
    person(other, "OWNER", mail="ada@both.example", password=PASSWORD + "2")
    person(office, "OWNER", mail="ada@both.example", password=PASSWORD)
    found = asked(office, _sign_in(office, "ada@both.example"), "GET", "/people/me").json
    assert found["agencyId"] == "acme"


def test_an_operator_chooses_the_agency(office: Office) -> None:
    other = office.another()
    person(office, "OPERATOR", mail="op@house.example", password=PASSWORD)
    headers = _sign_in(office, "op@house.example")
    assert asked(office, headers, "GET", "/people/me").json["agencyId"] == "acme"
    assert asked(office, headers, "PUT", "/sessions/current", {"agencyId": "other"}).status == 200
    assert asked(office, headers, "GET", "/people/me").json["agencyId"] == "other"
    client = other.client()
    assert asked(office, headers, "GET", client).status == 200
    assert asked(office, headers, "PUT", "/sessions/current", {"agencyId": "none"}).status == 404


def test_only_an_operator_chooses(office: Office, owner: dict[str, str]) -> None:
    office.another()
    for agency_id in ("other", "none"):
        reply = asked(office, owner, "PUT", "/sessions/current", {"agencyId": agency_id})
        assert reply.status == 404
    assert asked(office, owner, "PUT", "/sessions/current", {"agencyId": "acme"}).status == 200


def _invited(office: Office, **body: object) -> str:
    """The secret of a new invitation."""
    reply = office.ask("POST", "/people", {"mail": "bob@acme.example", "role": "TRADER", **body})
    assert reply.status == 200, reply.raw
    link: str = reply.json["link"]
    return link.rpartition("/")[2]


def _accept(office: Office, link: str, password: str = PASSWORD) -> int:
    body = {"link": link, "password": password}
    status: int = asked(office, {}, "POST", "/invitations/accept", body).status
    return status


def test_an_invitation_is_good_once(office: Office) -> None:
    link = _invited(office)
    body = {"mail": "bob@acme.example", "password": PASSWORD}
    assert asked(office, {}, "POST", "/sessions", body).status == 401
    assert _accept(office, link, "too short") == 400
    assert _accept(office, link, "bob@acme.example!") == 400
    assert _accept(office, link[:-1] + "-") == 404
    assert _accept(office, link) == 200
    assert _accept(office, link) == 404
    headers = _sign_in(office, "bob@acme.example")
    assert asked(office, headers, "GET", "/people/me").json["role"] == "TRADER"
    newest = office.get("/changes?limit=1")["data"][0]
    assert newest["actor"]["kind"] == "PERSON"
    assert newest["fields"] == [{"field": "/password", "secret": True}]


def test_an_invitation_ends_after_two_days(office: Office) -> None:
    link = _invited(office)
    office.clock.forward(48 * HOUR)
    assert _accept(office, link) == 404


def test_a_second_link_ends_the_first_and_lets_sessions_end(office: Office) -> None:
    first = _invited(office)
    assert _accept(office, first) == 200
    headers = _sign_in(office, "bob@acme.example")
    bob = office.get("/people?page=0&limit=9")["data"][0]
    assert bob["maySignIn"] is True
    again = [office.ask("POST", f"/people/{bob['id']}/invitation").json["link"] for _ in range(2)]
    assert _accept(office, again[0].rpartition("/")[2]) == 404
    assert _status(office, headers) == 200
    assert _accept(office, again[1].rpartition("/")[2], PASSWORD + "2") == 200
    assert _status(office, headers) == 401


def test_a_new_password_ends_the_other_sessions(office: Office, owner: dict[str, str]) -> None:
    other = _sign_in(office)
    wanted = {"password": "ein anderes langes wort", "formerPassword": "not this one"}
    reply = asked(office, owner, "PUT", "/people/me", wanted)
    assert (reply.status, reply.json["errors"][0]["field"]) == (400, "/formerPassword")
    wanted["formerPassword"] = PASSWORD
    assert asked(office, owner, "PUT", "/people/me", wanted | {"name": "Ada"}).status == 200
    assert (_status(office, owner), _status(office, other)) == (200, 401)
    assert asked(office, owner, "GET", "/people/me").json["name"] == "Ada"
    _sign_in(office, password=wanted["password"])


def test_signing_out_everywhere(office: Office, owner: dict[str, str]) -> None:
    other = _sign_in(office)
    assert asked(office, other, "DELETE", "/sessions").status == 200
    assert (_status(office, owner), _status(office, other)) == (401, 401)


def test_a_role_changes_at_once_and_the_last_owner_stays(
    office: Office, owner: dict[str, str]
) -> None:
    me = asked(office, owner, "GET", "/people/me").json["id"]
    for verb, body in (("PUT", {"role": "TRADER"}), ("DELETE", None)):
        assert asked(office, owner, verb, f"/people/{me}", body).status == 400
    second = person(office, "OWNER", mail="second@acme.example")
    for verb, body in (("PUT", {"role": "TRADER"}), ("DELETE", None)):  # it has no password yet
        assert asked(office, owner, verb, f"/people/{me}", body).status == 400
    with office.desk.records.write() as tx:
        service.set_password(tx, office.clock.now(), second, "a hash")
    headers = session(office, second)
    assert asked(office, headers, "PUT", f"/people/{me}", {"role": "ANALYST"}).status == 200
    assert asked(office, owner, "POST", "/publishers", {"id": "No"}).status == 403
    assert asked(office, owner, "GET", "/people?page=0&limit=9").status == 403
    client = office.client().rpartition("/")[2]
    employer = {"role": "EMPLOYER", "clients": [client]}
    assert office.ask("PUT", f"/people/{me}", {"role": "EMPLOYER"}).status == 400
    assert office.ask("PUT", f"/people/{me}", employer | {"clients": ["none"]}).status == 404
    office.put(f"/people/{me}", employer)
    assert asked(office, owner, "GET", "/people/me").json["clients"] == [client]


def test_a_mail_address_is_one_persons(office: Office) -> None:
    _invited(office)
    again = {"mail": "BOB@acme.example", "role": "ANALYST"}
    assert office.faults("POST", "/people", again) == {"/mail": "is a person's already"}
    assert set(office.faults("POST", "/people", {"mail": "no", "role": "ANALYST"})) == {"/mail"}
    office.another().new("/people", again)


def test_the_first_person_sets_the_installation_up(office: Office) -> None:
    desk = office.desk

    def link() -> str:
        with desk.records.write() as tx:
            made = invitations.set_up_link(tx, desk.ids, desk.clock.now(), "http://api")
        return "" if made is None else made.rpartition("/")[2]

    former, body = link(), {"password": PASSWORD, "mail": MAIL, "agencyId": "acme"}
    body["link"] = link()
    statuses = [
        asked(office, {}, "POST", "/set-up", one).status
        for one in (body | {"link": former}, body | {"agencyId": "nosuch"}, body, body)
    ]
    assert statuses == [404, 404, 200, 404]
    assert asked(office, _sign_in(office), "GET", "/people/me").json["role"] == "OWNER"
    assert link() == ""


def _signed_in(office: Office, code: str) -> int:
    body = {"mail": MAIL, "password": PASSWORD, "code": code}
    status: int = asked(office, {}, "POST", "/sessions", body).status
    return status


def test_of_two_at_once_with_one_code_one_is_let_in(office: Office) -> None:
    factor = second_factor(office, person(office, "OWNER", password=PASSWORD))
    for code in (factor.recoveries[0], None):
        office.clock.forward(MINUTE)
        given = code or code_of(factor.secret, office.clock.now())
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(_signed_in, [office] * 3, [given] * 3))
        assert sorted(said)[0] == 200, said
        assert said.count(200) == 1, said
