"""How things stand, as it is told, in a market of one job (``test_causes`` has every cause)."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from contract.office import Body, Office
from contract.test_explain import at, explained, id_of, publish, sqlite_tools
from contract.test_previews import add_jobs
from handbill.clients import service as clients
from handbill.contract.standing.models import ABOUT
from handbill.control import service as control
from handbill.core.charging import Place, Scope, folded, unkeyed
from handbill.core.job_caps import Count, TakenOfJob, folded_jobs
from handbill.core.nouns import Client
from handbill.core.received import ReceivedFetch
from handbill.core.standing.reasons import Code
from handbill.groups import matching
from handbill.groups.service import group_of
from handbill.kit.instants import DAY, HOUR, MINUTE
from handbill.kit.zones import day_of, zone_of
from handbill.ledger.counter_rows import add_counters, rows_of
from handbill.listings import copies, rows
from handbill.publishers import service as publishers
from handbill.store.records.tables import tasks
from handbill.work import kinds
from handbill.work.tools import Tools

__all__ = ["sqlite_tools"]
_NUMBERS = itertools.count(1)
CEILING_PPM = 1_200_000


@dataclass
class Market:
    """A client whose one job is listed at one publisher."""

    office: Office
    tools: Tools
    publisher: str = ""
    client: str = ""
    campaign: str = ""
    group: str = ""

    def open(self) -> "Market":
        office = self.office
        self.publisher = office.new("/publishers", {"id": f"Pub{next(_NUMBERS)}", "bidType": "CPC"})
        self.client = office.client()
        self.campaign = office.campaign(self.client, caps={})
        self.group = office.group(self.campaign, placements=[self.placed()], caps=budget(9_000))
        add_jobs(office, self.client, "1", city="Austin")
        self.tick()
        return self

    def placed(self, **more: Any) -> Body:
        return {"value": self.publisher} | more

    @property
    def job(self) -> str:
        return f"{self.client}/jobs/1"

    def at_work(self) -> Client:
        with self.tools.records.read() as tx:
            found = clients.client_at_work(tx, id_of(self.client))
        assert found is not None
        return found[0]

    def tick(self, after: int = MINUTE) -> None:
        """What the worker does after a change: matches, control, feeds."""
        self.office.clock.forward(after)
        client, now = self.at_work(), self.office.clock.now()
        matching.rematch(self.tools.records, client, now)
        control.tick(self.tools.records, client, now, CEILING_PPM)
        publish(self.office, self.tools, self.client)

    def spend(self, amount: float, clicks: int = 1, scopes: tuple[Scope, ...] = ()) -> None:
        """So much was charged. ``scopes``: of jobs, whose caps are counted."""
        client, micros = self.at_work(), round(amount * 1_000_000)
        day = day_of(self.office.clock.now(), zone_of(client.zone))
        with self.tools.records.write() as tx:
            group = group_of(tx, client.no, id_of(self.group))
            here = {one.id: one.no for one in publishers.publishers_of(tx, client.agency_no)}
            place = Place(client.no, group.campaign_no, group.no, here[self.publisher])
            counters = folded([(place, day, (micros, clicks, 0))])
            if scopes:
                job = self.office.get(self.job)["jobId"]
                owners = {"group_job": f"{group.no}", "job": job}
                owners["job_placement"] = f"{job}/{here[self.publisher]}"
                counts = [Count(one, owners[one], "budget") for one in scopes]
                taken = TakenOfJob(*place[:1], *place[2:], job, day, (micros, clicks, 0))
                counters |= folded_jobs([taken], counts)
            add_counters(tx, rows_of([(client.no, unkeyed(counters))]))

    def stands(self, where: str) -> Any:
        return self.office.get(f"{where}/resolved-status")

    def explained(self, where: str) -> Any:
        """What explain says of a client, campaign or job group; the same as its resolved status."""
        found = self.office.get(f"{where}/explain")
        assert found["resolvedStatus"] == self.stands(where)
        return found

    def is_listed(self) -> bool:
        told = at(explained(self.office, self.client), self.publisher)
        assert told["listed"] == told["published"]["listed"], "explain and feed tell the same"
        return bool(told["listed"])


def budget(value: float, **more: Any) -> Body:
    return {"budget": {"cap": "Monthly", "value": value} | more}


def put(where: str, body: Any = None, path: str = "") -> Callable[[Market], None]:
    def act(market: Market) -> None:
        said = body(market) if callable(body) else body
        market.office.put(f"{getattr(market, where)}{path}", said)

    return act


def days(by: int) -> Callable[[Market], None]:
    def act(market: Market) -> None:
        office = market.office
        office.clock.forward(by * DAY)
        token = office.ask("POST", "/token", {"client_id": office.api_client_id}).json
        office.headers["x-authorization-key"] = token["access_token"]

    return act


def spend(amount: float, clicks: int = 1, *scopes: Scope) -> Callable[[Market], None]:
    return lambda market: market.spend(amount, clicks, scopes)


def two_places(market: Market) -> None:
    """Another publisher is promised all that is left."""
    other = market.office.new("/publishers", {"id": f"{market.publisher}b", "bidType": "CPC"})
    locked = {"value": other, "caps": budget(8, locked=True)}
    market.office.put(market.group, {"caps": budget(10), "placements": [market.placed(), locked]})
    market.spend(1.8)


def test_causes_that_only_time_or_their_owner_mends(
    sqlite_office: Office, sqlite_tools: Tools
) -> None:
    market = Market(sqlite_office, sqlite_tools).open()
    later = sqlite_office.group(
        market.campaign, startDate="11/30/2026", placements=[market.placed()]
    )
    idle = sqlite_office.group(
        market.campaign,
        placements=[market.placed()],
        filters={
            "operator": "AND",
            "rules": [{"operator": "EQUAL", "field": "city", "data": "Nowhere"}],
        },
    )
    market.tick()
    starts = market.stands(later)
    assert (starts["status"], starts["reasons"][0]["fix"]) == ("NOT_STARTED", None)
    assert starts["reasons"][0]["until"] == "2026-11-30T00:00:00.000Z"
    assert starts["reasons"][0]["params"] == {"date": "11/30/2026"}
    none = market.stands(idle)
    assert (none["status"], none["reasons"][0]["params"]) == ("NO_JOBS", {"jobs": 0})


def test_what_else_holds_and_since_when(sqlite_office: Office, sqlite_tools: Tools) -> None:
    market = Market(sqlite_office, sqlite_tools).open()
    market.office.put(market.group, {"caps": budget(3)})
    market.spend(3)
    market.tick()
    first = market.stands(market.group)
    market.office.put(f"{market.campaign}/pause")
    market.tick(HOUR)
    told = market.stands(market.group)
    assert [one["code"] for one in told["reasons"]] == ["CAP_REACHED"]
    assert [one["code"] for one in told["alsoHolding"]] == ["PARENT_PAUSED"]
    assert told["reasons"][0]["since"] == first["reasons"][0]["since"] == first["since"]
    assert told["alsoHolding"][0]["since"] == told["evaluatedAt"]
    params = told["reasons"][0]["params"]
    assert params | {"inFlight": 0} == {
        "cap": "budget",
        "period": "Monthly",
        "value": 3,
        "used": 3,
        "inFlight": 0,
    }
    (copy,) = told["publishers"]
    assert (copy["id"], copy["heldVersion"], copy["current"]) == (market.publisher, None, False)
    assert copy["writtenOn"] is not None


def test_a_copy_is_held_against_the_file_that_it_is_of(
    sqlite_office: Office, sqlite_tools: Tools
) -> None:
    """Of the file of all clients and the client's own, each is as new as it is."""
    market = Market(sqlite_office, sqlite_tools).open()
    asked = f"client_id={id_of(market.client)}"
    market.office.get(f"/publishers/{market.publisher}/feeds?{asked}")
    market.tick(HOUR)
    client = market.at_work()
    with sqlite_tools.records.read() as tx:
        nos = {one.id: one.no for one in publishers.publishers_of(tx, client.agency_no)}
        whole, own = rows.files_of(tx, nos[market.publisher])
    assert whole.written_at != own.written_at
    for file in (whole, own):
        assert file.written_at is not None
        sqlite_office.clock.forward(HOUR)
        fetched = ReceivedFetch(
            at=sqlite_office.clock.now(),
            name=file.name,
            version=file.written_at,
            status=200,
            reader="bot",
        )
        with sqlite_tools.records.write() as tx:
            copies.note(tx, [fetched])
        (copy,) = market.stands(market.client)["publishers"]
        assert (copy["heldVersion"], copy["current"]) == (copy["writtenOn"], True), file


def test_foreign_and_unknown_ones_are_404(sqlite_office: Office, sqlite_tools: Tools) -> None:
    market = Market(sqlite_office, sqlite_tools).open()
    stranger = sqlite_office.another()
    placement = f"{market.group}/placements/{market.publisher}"
    for where in (market.client, market.campaign, market.group, placement, market.job):
        assert stranger.ask("GET", f"{where}/resolved-status").status == 404
        assert sqlite_office.ask("GET", f"{where}x/resolved-status").status == 404
        if where not in {placement, market.job}:
            assert stranger.ask("GET", f"{where}/explain").status == 404
            assert sqlite_office.ask("GET", f"{where}x/explain").status == 404
    elsewhere = sqlite_office.campaign(market.client)
    under = f"{elsewhere}/jobgroups/{id_of(market.group)}/resolved-status"
    assert sqlite_office.ask("GET", under).status == 404


def test_before_control_has_looked(sqlite_office: Office) -> None:
    told = sqlite_office.get(f"{sqlite_office.client()}/resolved-status")
    assert (told["status"], told["evaluatedAt"]) == ("ACTIVE", None)


PAST = {"startDate": "01/01/2026", "endDate": "02/01/2026"}
NEXT = {"startDate": "01/01/2030", "endDate": "02/01/2030"}


def test_switches_and_dates_are_read_when_asked(sqlite_office: Office, sqlite_tools: Tools) -> None:
    """Whatever control saw last: what was just created, paused or enabled is told as it is."""
    market = Market(sqlite_office, sqlite_tools).open()
    office, placed = market.office, [market.placed()]
    made = {
        office.campaign(market.client, **PAST): "EXPIRED",
        office.campaign(market.client, **NEXT): "NOT_STARTED",
        office.group(market.campaign, placements=placed, **PAST): "EXPIRED",
        office.group(market.campaign, placements=placed, **NEXT): "NOT_STARTED",
        office.group(office.campaign(market.client, **PAST), placements=placed): "EXPIRED",
        market.group: "ACTIVE",
    }
    assert {where: market.stands(where)["status"] for where in made} == made
    below = (market.client, market.campaign, market.group, market.job)
    for n, where in enumerate(below[:3]):
        office.put(f"{where}/pause")
        told = [market.stands(one)["status"] for one in below]
        assert told == ["ACTIVE"] * n + ["PAUSED"] + ["PARENT_PAUSED"] * (3 - n), where
        assert at(explained(office, market.client), market.publisher)["listed"] is False
        office.put(f"{where}/enable")
        assert [market.stands(one)["status"] for one in below] == ["ACTIVE"] * 4


def test_what_changes_a_standing_is_looked_at(sqlite_office: Office, sqlite_tools: Tools) -> None:
    office, client = sqlite_office, sqlite_office.client()
    scope = {"clientId": id_of(client), "level": "Client"}
    markup = {"effectiveFrom": 1, "value": 10, "entities": [scope]}
    made: list[str] = []
    acts: list[Callable[[], object]] = [
        lambda: office.campaign(client),
        lambda: made.append(office.new("/markups", markup)),
        lambda: office.put(f"/markups/{made[0]}", {"value": 20}),
        lambda: office.ask("DELETE", f"/markups/{made[0]}"),
    ]
    for n, act in enumerate(acts):
        with sqlite_tools.records.write() as tx:
            tx.run(sa.delete(tasks))
        act()
        with sqlite_tools.records.read() as tx:
            due = {tuple(row) for row in tx.all(sa.select(tasks.c.kind, tasks.c.key))}
        assert (kinds.FOLLOW, id_of(client)) in due, n


def test_every_code_is_described() -> None:
    assert ABOUT.keys() == set(Code)
