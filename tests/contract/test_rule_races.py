"""Rules that run while somebody changes the same: no act is done twice, none is lost, and once a
rule is paused, deleted or switched off, it does nothing more.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from contract.asgi import Reply
from contract.meanwhile import Halted, let_wait, meanwhile
from contract.office import Body, Office
from handbill.clients import service as clients
from handbill.control import rule_ticks, ruling
from handbill.core.nouns import Client
from handbill.core.rules.windows import EVERY
from handbill.kit.instants import SECOND
from handbill.rules import undoing
from handbill.stats.answering import Answering
from handbill.store import marks
from handbill.store.records import Records, Tx

HOLDS: Body = {
    "parameter": "applies",
    "condition": "less than",
    "value": 1,
    "conditionDuration": "today",
}
RAISE: Body = {"action": "increase", "parameter": "cpc bid", "value": 10, "unit": "%"}
KINDS: dict[str, Body] = {
    "bidStrategy": {"actions": RAISE},
    "administration": {"adminActions": {"type": "pause"}},
}


class Shop:
    """A client with one job group, whose rules may act. ``kind``: what they do."""

    def __init__(self, office: Office, kind: str) -> None:
        self.office, self.kind = office, kind
        self.client = office.client()
        self.campaign = office.campaign(self.client)
        self.group = office.group(self.campaign)
        self.headers = {"x-client-id": self.client.rpartition("/")[2]}
        self.ask("PUT", "/rules/control", {"control": "ACT"})
        self.judged()

    def ask(self, verb: str, url: str, body: Any = None) -> Reply:
        return self.office.ask(verb, url, body, self.headers)

    def judged(self) -> None:
        """All that was received before now is judged: rules may look."""
        with self.office.desk.records.write() as tx:
            marks.make_fence(tx)
            marks.put(tx, marks.read(tx), self.office.clock.now(), {})

    def rule(self) -> str:
        body = {
            "name": "r",
            "filterLevel": "jobgroups",
            "actionType": self.kind,
            "conditions": [HOLDS],
            "guards": {"coolDownHours": 0, "maxActsPerDay": 24},
        }
        made: str = self.ask("POST", "/rules", body | KINDS[self.kind]).json["data"]["id"]
        return made

    def later(self) -> None:
        self.office.clock.forward(EVERY)
        self.judged()

    def noun(self) -> Client:
        with self.office.desk.records.read() as tx:
            found = clients.client_at_work(tx, self.headers["x-client-id"])
        assert found is not None
        return found[0]

    def tick(self, records: Records | None = None) -> int:
        desk, known = self.office.desk, records or self.office.desk.records
        answering = Answering(known, desk.blobs, desk.ids, desk.settings.scratch_folder)
        tools = rule_ticks.RulingTools(known, answering, desk.clock, desk.ids, "ACT")
        return ruling.tick(tools, self.noun())

    def changes(self) -> list[Body]:
        """All of the client, the oldest first."""
        found: list[Body] = self.office.get(f"{self.client}/changes?limit=1000")["data"]
        return found[::-1]

    def acts(self) -> int:
        """How many changes rules have made. Each change follows from the one before."""
        stands: dict[tuple[str, str], Any] = {}
        for change in self.changes():
            for one in change["fields"]:
                key = change["entity"]["id"], one["field"]
                was = one.get("before")
                assert stands.get(key, was) == was, "no change is lost"
                stands[key] = one.get("after")
        return sum(one["actor"]["kind"] == "RULE" for one in self.changes())

    def done(self, rule_id: str) -> int:
        """How many acts its runs say that they did."""
        every = [one for run in self.runs(rule_id) for one in run["entities"]]
        return sum(not act["skip"] for one in every for act in one["acts"])

    def runs(self, rule_id: str) -> list[Body]:
        """Newest first."""
        found: list[Body] = self.ask("GET", f"/rules/{rule_id}/runs?page=0&limit=100").json["data"]
        return found

    def ids(self) -> list[str]:
        """Of its rules, in their order."""
        return [one["id"] for one in self.ask("GET", "/rules?page=0&limit=100").json["data"]]

    def holders(self) -> set[str]:
        """The rules that hold something."""
        return {one["ruleId"] for one in self.office.get(f"{self.client}/holds")["data"]}


Deed = Callable[[Shop, str], Reply]
ENDS: dict[str, Deed] = {
    "pause": lambda shop, rule: shop.ask("PUT", f"/rules/{rule}/pause"),
    "delete": lambda shop, rule: shop.ask("DELETE", f"/rules/{rule}"),
    "off": lambda shop, _: shop.ask("PUT", "/rules/control", {"control": "OFF"}),
    "client": lambda shop, _: shop.ask("DELETE", shop.client),
}


def _undo(shop: Shop, rule_id: str) -> Reply:
    """Undo a rule's first run."""
    return shop.ask("POST", f"/rules/{rule_id}/runs/{shop.runs(rule_id)[-1]['id']}/undo", {})


def _edit(shop: Shop, _: str) -> Reply:
    return shop.ask("PUT", shop.group, {"cpcBid": 0.9})


def test_the_runs_of_all_rules_are_told_with_their_rules(office: Office) -> None:
    """Newest first, by pages; also those of a deleted rule, and none of another client."""
    shop, other = Shop(office, "bidStrategy"), Shop(office, "bidStrategy")
    rules = [shop.rule(), shop.rule()]
    other.rule()
    for _ in range(2):
        shop.tick()
        other.tick()
        shop.later()
    ran = {rule: shop.runs(rule) for rule in rules}
    assert all(ran.values())
    shop.ask("DELETE", f"/rules/{rules[0]}")
    told = shop.ask("GET", "/rules/runs?page=0&limit=100").json["data"]
    for rule, its in ran.items():
        named = {"ruleId": rule, "ruleName": "r"}
        assert [one for one in told if one["ruleId"] == rule] == [one | named for one in its]
    assert len(told) == sum(map(len, ran.values())) > len(rules)
    assert [one["ranOn"] for one in told] == sorted((one["ranOn"] for one in told), reverse=True)
    pages = [shop.ask("GET", f"/rules/runs?page={n}&limit=1").json["data"] for n in range(5)]
    assert [one for page in pages for one in page] == told
    assert pages[-1] == []
    assert not {one["id"] for one in told} & {
        one["id"] for one in other.ask("GET", "/rules/runs?page=0&limit=100").json["data"]
    }


@pytest.mark.parametrize("name", ENDS)
def test_what_is_ended_between_look_and_act_does_nothing_more(office: Office, name: str) -> None:
    """The first change of a tick is that of its first rule: it has looked by then."""
    shop = Shop(office, "administration")
    rules = [shop.rule(), shop.rule()]
    told: list[Reply] = []

    def end() -> None:
        told.extend(ENDS[name](shop, rule) for rule in rules)

    assert shop.tick(Halted(office.desk.records, before=end)) == 0
    assert told[0].status == 200
    if name != "client":
        assert (shop.acts(), shop.holders()) == (0, set())


WHILE: dict[tuple[str, str], Deed] = {
    ("administration", "pause"): ENDS["pause"],
    ("administration", "delete"): ENDS["delete"],
    ("administration", "undo"): _undo,
    ("bidStrategy", "off"): ENDS["off"],
    ("bidStrategy", "edit"): _edit,
    ("bidStrategy", "undo"): _undo,
    ("bidStrategy", "group"): lambda shop, _: shop.ask("DELETE", shop.group),
}


@pytest.mark.parametrize(("kind", "name"), WHILE)
def test_who_comes_while_rules_act_waits_for_it(office: Office, kind: str, name: str) -> None:
    shop = Shop(office, kind)
    rule = shop.rule()
    assert shop.tick() == 1
    shop.later()
    other = shop.rule()
    waiting: list[Future[Reply]] = []
    with ThreadPoolExecutor(1) as pool:

        def come() -> None:
            waiting.append(pool.submit(WHILE[kind, name], shop, rule))
            let_wait(office.desk.records)

        count = shop.tick(Halted(office.desk.records, within=come))
        reply = waiting[0].result(60)
    nothing_left = (kind, name) == ("bidStrategy", "undo")  # what acts now has moved the bid on
    assert reply.status == (400 if nothing_left else 200), reply.raw
    assert shop.holders() <= set(shop.ids())
    assert shop.acts() == 1 + count
    if name != "delete":
        assert shop.done(rule) + shop.done(other) == 1 + count


def test_an_act_is_dated_after_what_was_changed_before_it(sqlite_office: Office) -> None:
    shop = Shop(sqlite_office, "bidStrategy")
    shop.rule()

    def rename() -> None:
        sqlite_office.clock.forward(SECOND)
        shop.ask("PUT", shop.campaign, {"name": "winter"})
        sqlite_office.clock.forward(SECOND)

    assert shop.tick(Halted(sqlite_office.desk.records, before=rename)) == 1
    *_, user, act = shop.changes()
    assert [user["cause"], act["actor"]["kind"]] == ["update_campaign", "RULE"]
    assert act["at"] > user["at"]


@pytest.mark.parametrize("kind", KINDS)
def test_two_ticks_at_once_act_once(office: Office, kind: str) -> None:
    """The other one is through before the first acts, and again while it acts."""
    shop = Shop(office, kind)
    rule = shop.rule()
    others: list[int] = []

    def other() -> None:
        others.append(shop.tick())

    assert shop.tick(Halted(office.desk.records, before=other)) == 0
    assert (others, shop.acts(), shop.done(rule)) == ([1], 1, 1)
    shop.later()
    shop.rule()
    waiting: list[Future[int]] = []
    with ThreadPoolExecutor(1) as pool:

        def come() -> None:
            waiting.append(pool.submit(shop.tick))
            let_wait(office.desk.records)

        count = shop.tick(Halted(office.desk.records, within=come))
        assert (
            waiting[0].result(60) + count == shop.acts() - 1 == sum(map(shop.done, shop.ids())) - 1
        )


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_that_undo_a_run_the_second_is_refused(office: Office, kind: str) -> None:
    shop = Shop(office, kind)
    rule = shop.rule()
    shop.tick()
    (run,) = shop.runs(rule)
    clock, client = office.clock, shop.noun()

    def first(tx: Tx) -> None:
        clients.lock(tx, client.no)
        assert [one.why_not for one in undoing.undo(tx, clock.now(), client, rule, run["id"])] == [
            ""
        ]

    reply = meanwhile(office, first, lambda: _undo(shop, rule))
    assert (reply.status, reply.json["message"]) == (400, "the run was undone already")
    assert shop.holders() == set()
    assert float(office.get(shop.group)["cpcBid"]) == 0.5
