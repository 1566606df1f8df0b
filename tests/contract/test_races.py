"""Two who change one thing at the same time: what either was told stands.

The second begins while the first one's transaction is open, and has read by then what the first is
about to change. SQLite has one writer: there the second reads afterwards.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from contract.asgi import Reply
from contract.meanwhile import let_wait, meanwhile
from contract.office import Body, Office
from contract.signed_in import person
from contract.test_rules import RULE
from contract.world import PROVIDER
from handbill.access import families
from handbill.access import service as access
from handbill.clients import service as clients
from handbill.contract.definitions.models import DefinitionChange
from handbill.core.nouns import Cap, Client
from handbill.core.oidc import ProviderBody
from handbill.definitions import service as definitions
from handbill.people import invitations, providers, service
from handbill.publishers import service as publishers
from handbill.publishers.service import publisher_to_change
from handbill.rules import service as rule_service
from handbill.store.records import Tx
from handbill.undoing import service as undoing

DEFINITION = "/publishers/TestExp1/click-definition"
APPLIES: Body = {"applies": {"cap": "Monthly", "value": 7}}


def _client(tx: Tx, at: str) -> Client:
    return clients.client_of(tx, 1, at.rpartition("/")[2])


def _lowered(office: Office, at: str) -> Callable[[Tx], object]:
    budget = {"caps": {"budget": Cap("Monthly", 5_000_000)}}
    return lambda tx: clients.update(tx, office.desk.clock.now(), _client(tx, at), budget)


def _deleted(office: Office, at: str) -> Callable[[Tx], object]:
    return lambda tx: clients.delete(tx, office.desk.clock.now(), _client(tx, at))


def _defined(office: Office, given: Body) -> Callable[[Tx], object]:
    read = DefinitionChange.model_validate(given).given()

    def change(tx: Tx) -> None:
        publisher = publisher_to_change(tx, 1, "TestExp1")
        now = office.desk.clock.now()
        definitions.put(tx, now, publisher, None, read, can_locate=False)

    return change


def test_a_cap_that_was_lowered_meanwhile_stays_low(office: Office) -> None:
    at = office.client()
    reply = meanwhile(office, _lowered(office, at), lambda: office.ask("PUT", at, APPLIES))
    assert reply.status == 200
    caps = office.get(at)["caps"]
    assert (caps["budget"]["value"], caps["applies"]["value"]) == (5, 7)


def test_if_match_is_held_against_what_the_first_has_left(office: Office) -> None:
    at = office.client()
    known = {"if-match": office.ask("GET", at).headers["etag"]}
    reply = meanwhile(office, _lowered(office, at), lambda: office.ask("PUT", at, APPLIES, known))
    assert reply.status == 400
    assert office.get(at)["caps"]["budget"]["value"] == 5


def test_who_was_deleted_meanwhile_is_not_there(office: Office) -> None:
    at = office.client()
    reply = meanwhile(office, _deleted(office, at), lambda: office.ask("PUT", at, APPLIES))
    assert reply.status == 404


def test_who_was_deleted_meanwhile_may_not_be_named_in_a_header(office: Office) -> None:
    at = office.client()
    named = {"x-client-id": at.rpartition("/")[2]}
    items = {"candidateStatus": "HIRED", "timestamp": "2026-11-01", "jobApplicationId": "a-1"}
    reply = meanwhile(
        office, _deleted(office, at), lambda: office.ask("POST", "/funnel", items, named)
    )
    assert reply.status == 403


def test_of_two_that_go_by_the_same_version_of_a_publisher_the_second_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = "/publishers/TestExp1"
    known = {"if-match": office.ask("GET", at).headers["etag"]}
    update = publishers.update
    others: list[Future[Reply]] = []
    with ThreadPoolExecutor(1) as pool:

        def slow(*args: Any) -> bool:
            """The first has passed its check: the second one comes, and gets as far as it can."""
            monkeypatch.undo()
            others.append(pool.submit(office.ask, "PUT", at, {"url": "https://b.example"}, known))
            let_wait(office.desk.records)
            return update(*args)

        monkeypatch.setattr(publishers, "update", slow)
        first = office.ask("PUT", at, {"name": "A"}, known)
        assert (first.status, others[0].result(60).status) == (200, 400)


def test_two_first_click_definitions_become_one(office: Office) -> None:
    first = _defined(office, {"duplicate": 60})
    reply = meanwhile(office, first, lambda: office.ask("PUT", DEFINITION, {"latent": 60}))
    assert reply.status == 200
    found = office.get(DEFINITION)
    assert (found["duplicate"], found["latent"]) == (60, 60)


def test_two_changes_of_a_click_definition_both_hold(office: Office) -> None:
    office.put(DEFINITION, {"bot": False})
    first = _defined(office, {"duplicate": 60})
    reply = meanwhile(office, first, lambda: office.ask("PUT", DEFINITION, {"latent": 60}))
    assert reply.status == 200
    found = office.get(DEFINITION)
    assert (found["bot"], found["duplicate"], found["latent"]) == (False, 60, 60)


def test_a_family_keeps_the_name_that_it_was_given_meanwhile(office: Office) -> None:
    family = office.new("/publisher-families", {"name": "Old", "publishers": ["TestExp1"]})
    at = f"/publisher-families/{family}"

    def rename(tx: Tx) -> None:
        families.change_family(tx, 0, families.family_of(tx, 1, family), "New", None)

    members = {"publishers": ["TestExp1"]}
    assert meanwhile(office, rename, lambda: office.ask("PUT", at, members)).status == 200
    assert office.get(at)["name"] == "New"


def test_of_two_that_use_an_invitation_at_once_one_gets_in(office: Office) -> None:
    desk, now = office.desk, office.desk.clock.now()
    somebody = person(office, "TRADER")
    with desk.records.write() as tx:
        link = invitations.invite(tx, desk.ids, now, somebody)
    body = {"link": link, "password": "das zweite wort im bunde"}
    reply = meanwhile(
        office,
        lambda tx: service.set_password(tx, now, somebody, "the hash of the first"),
        lambda: office.ask("POST", "/invitations/accept", body),
    )
    assert reply.status == 404


def _last_change(office: Office) -> int:
    no: int = office.get("/changes?limit=1")["data"][0]["id"]
    return no


def _undone(office: Office, no: int) -> Callable[[Tx], object]:
    return lambda tx: undoing.undo(tx, office.clock.now(), no, 1, can_locate=False)


def test_of_two_that_undo_a_change_the_second_is_refused(office: Office) -> None:
    at = office.client()
    office.put(at, APPLIES)
    no = _last_change(office)
    url = f"/changes/{no}/undo"
    reply = meanwhile(office, _undone(office, no), lambda: office.ask("POST", url))
    assert reply.status == 400
    assert "applies" not in office.get(at)["caps"]
    assert [one["undoes"] for one in office.get("/changes?limit=2")["data"]] == [no, None]


def test_an_undo_spares_what_is_edited_meanwhile(office: Office) -> None:
    at = office.client()
    office.put(at, {"caps": {"budget": {"cap": "Monthly", "value": 9}}})
    no = _last_change(office)
    url = f"/changes/{no}/undo"
    reply = meanwhile(office, _lowered(office, at), lambda: office.ask("POST", url))
    assert reply.status == 400
    assert [one["field"] for one in reply.json["errors"]] == ["/caps/budget/value"]
    assert office.get(at)["caps"]["budget"]["value"] == 5


def test_an_edit_finds_what_an_undo_has_left(office: Office) -> None:
    at = office.client()
    office.put(at, {"caps": {"budget": {"cap": "Monthly", "value": 9}}})
    undo = _undone(office, _last_change(office))
    assert meanwhile(office, undo, lambda: office.ask("PUT", at, APPLIES)).status == 200
    caps = office.get(at)["caps"]
    assert (caps["budget"]["value"], caps["applies"]["value"]) == (1000, 7)
    (first,) = office.get("/changes?limit=1")["data"][0]["fields"]
    assert first["field"] == "/caps/applies"


def test_rules_that_are_ordered_beside_a_deletion(office: Office) -> None:
    """Either order: the first counts, and the second is answered by what that has left."""
    at = office.client()
    named = {"x-client-id": at.rpartition("/")[2]}
    rules = [
        office.ask("POST", "/rules", RULE | {"name": name}, named).json["data"]["id"]
        for name in "abc"
    ]

    def listed() -> list[str]:
        found = office.ask("GET", "/rules?page=0&limit=9", headers=named).json["data"]
        assert [one["order"] for one in found] == sorted({one["order"] for one in found})
        return [one["id"] for one in found]

    def change(deed: Callable[..., None], *given: Any) -> Callable[[Tx], object]:
        def first(tx: Tx) -> None:
            of = _client(tx, at)
            client = clients.hold(tx, of.agency_no, of.id)
            deed(tx, office.clock.now(), client, *given)

        return first

    turned = {"ids": rules[::-1]}
    delete = change(rule_service.delete, rules[1])
    reply = meanwhile(office, delete, lambda: office.ask("PUT", "/rules/order", turned, named))
    assert (reply.status, listed()) == (404, [rules[0], rules[2]])
    order = change(rule_service.order, [rules[2], rules[0]])
    url = f"/rules/{rules[0]}"
    reply = meanwhile(office, order, lambda: office.ask("DELETE", url, headers=named))
    assert (reply.status, listed()) == (200, [rules[2]])


def test_of_two_that_set_the_first_provider_the_second_replaces_it(office: Office) -> None:
    def first(tx: Tx) -> None:
        agency = access.agency_of(tx, "acme")
        body = ProviderBody(issuer="https://first.example", client_id="a")
        providers.put(tx, office.clock.now(), office.desk.settings, agency, body, "secret")

    at = "/agencies/acme/sign-in-provider"
    reply = meanwhile(office, first, lambda: office.ask("PUT", at, PROVIDER))
    assert (reply.status, office.get(at)["issuer"]) == (200, PROVIDER["issuer"])
