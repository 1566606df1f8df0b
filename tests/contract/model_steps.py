"""The steps of the model: each does one thing to the application and the same to the model."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from contract.modelled import (
    MOST_CLIENTS,
    MOST_EACH,
    ModelCampaign,
    ModelClient,
    ModelGroup,
    ModelJob,
)
from contract.office import Body, Office
from contract.world import FEED
from handbill.clients import service as clients
from handbill.core.nouns import JobBody
from handbill.feeds import service as feeds
from handbill.groups.work import look
from handbill.jobs import service as jobs
from handbill.jobs import taking_over
from handbill.kit.instants import HOUR, iso_of
from handbill.work.kinds import REMATCH
from handbill.work.queue import Task, enqueue

_AGENCIES = count(1)
AT = st.integers(0, 9)
CITY = st.sampled_from(["Rome", "Oslo", "Lima"])
CITIES = st.lists(CITY, min_size=1, max_size=2, unique=True)
OPERATOR = st.sampled_from(["IN", "NOT_IN"])
PRIORITY = st.integers(1, 3)
FIRST = st.sampled_from([-1, 0, 0, 1])
LENGTH = st.integers(0, 3)
SWITCH = st.sampled_from(["pause", "enable"])
REF = st.sampled_from(["r1", "r2", "a/b", "r 4"])
END = st.sampled_from([None, None, 1, 5, 30])


def _status(switch: str) -> str:
    return "P" if switch == "pause" else "A"


def slashed(day: str) -> str:
    return f"{day[5:7]}/{day[8:]}/{day[:4]}"


def _filters(operator: str, cities: list[str]) -> Body:
    rule_ = {"operator": operator, "field": "city", "data": cities}
    return {"operator": "AND", "rules": [rule_]}


def _written(ref: str, city: str) -> jobs.WrittenJob:
    body = JobBody(ref=ref, title="t", description="d", url="https://e.example/2", city=city)
    return jobs.written(body, None, city.encode())


HAS: dict[str, Callable[[Any], Any]] = {
    "campaigns": lambda self: self._campaign(0),
    "groups": lambda self: self._group(0),
    "jobs": lambda self: self._job(0),
    "feeds": lambda self: self._feed(0),
}


class Steps(RuleBasedStateMachine):
    """Every step goes through the application; what a feed brings is written as an import would."""

    office: Office

    @initialize()
    def begin(self) -> None:
        self.here = self.office.another(f"model{next(_AGENCIES)}")
        self.model: dict[str, ModelClient] = {}
        self.gone: list[str] = []
        self.names = count(1)
        self.add_client()
        self.add_campaign(0, -1, 3)
        self.add_group(0, 2, "NOT_IN", ["Lima"], -1, 3)
        for ref, city in (("r1", "Rome"), ("r2", "Lima")):
            self.add_job(0, ref, city, None)

    # ── picking ─────────────────────────────────────────────────────────────────────────────────
    def _client(self, at: int) -> tuple[str, ModelClient]:
        path = list(self.model)[at % len(self.model)]
        return path, self.model[path]

    def _campaign(self, at: int) -> tuple[str, ModelClient, ModelCampaign] | None:
        known = [
            (f"{path}/campaigns/{id_}", client, campaign)
            for path, client in self.model.items()
            for id_, campaign in client.campaigns.items()
        ]
        return known[at % len(known)] if known else None

    def _group(self, at: int) -> tuple[str, ModelCampaign, ModelGroup] | None:
        known = [
            (f"{path}/campaigns/{campaign_id}/jobgroups/{id_}", campaign, group)
            for path, client in self.model.items()
            for campaign_id, campaign in client.campaigns.items()
            for id_, group in campaign.groups.items()
        ]
        return known[at % len(known)] if known else None

    def _job(self, at: int) -> tuple[str, ModelClient, str] | None:
        known = [(path, client, ref) for path, client in self.model.items() for ref in client.jobs]
        if not known:
            return None
        path, client, ref = known[at % len(known)]
        return f"{path}/jobs/{ref.replace('/', '%2F').replace(' ', '%20')}", client, ref

    def _feed(self, at: int) -> tuple[str, ModelClient, str] | None:
        known = [(path, client, id_) for path, client in self.model.items() for id_ in client.feeds]
        if not known:
            return None
        path, client, id_ = known[at % len(known)]
        return f"{path}/feeds/{id_}", client, id_

    def _today(self, later: int = 0) -> str:
        now = datetime.fromtimestamp(self.here.clock.now() / 1_000_000, UTC)
        return (now + timedelta(days=later)).date().isoformat()

    def _days(self, first: int, length: int) -> tuple[str, str]:
        return self._today(first), self._today(first + length)

    def _delete(self, path: str) -> None:
        assert self.here.ask("DELETE", path).status == 200
        self.gone.append(path)

    # ── clients ─────────────────────────────────────────────────────────────────────────────────
    @rule()
    def add_client(self) -> None:
        if len(self.model) < MOST_CLIENTS:
            name = f"client {next(self.names)}"
            self.model[self.here.client(companyName=name)] = ModelClient(name)

    @rule(at=AT)
    def rename_client(self, at: int) -> None:
        path, client = self._client(at)
        client.name = f"client {next(self.names)}"
        self.here.put(path, {"exportedName": client.name})

    @rule(at=AT, switch=SWITCH)
    def switch_client(self, at: int, switch: str) -> None:
        path, client = self._client(at)
        client.status = _status(switch)
        self.here.put(f"{path}/{switch}")

    @rule(at=AT)
    def delete_client(self, at: int) -> None:
        if len(self.model) > 1:
            path, _ = self._client(at)
            self._delete(path)
            del self.model[path]

    # ── campaigns ───────────────────────────────────────────────────────────────────────────────
    @rule(at=AT, first=FIRST, length=LENGTH)
    def add_campaign(self, at: int, first: int, length: int) -> None:
        path, client = self._client(at)
        if len(client.campaigns) < MOST_EACH:
            name, days = f"campaign {next(self.names)}", self._days(first, length)
            dates = {"startDate": slashed(days[0]), "endDate": slashed(days[1])}
            made = self.here.campaign(path, name=name, **dates)
            client.campaigns[made.rpartition("/")[2]] = ModelCampaign(name, days)

    @precondition(HAS["campaigns"])
    @rule(at=AT, length=LENGTH)
    def change_campaign(self, at: int, length: int) -> None:
        if found := self._campaign(at):
            path, _, campaign = found
            last = self._today(length)
            change = {"name": f"campaign {next(self.names)}", "endDate": slashed(last)}
            if last < campaign.days[0]:
                assert set(self.here.faults("PUT", path, change)) == {"/endDate"}
                return
            self.here.put(path, change)
            campaign.name, campaign.days = change["name"], (campaign.days[0], last)

    @precondition(HAS["campaigns"])
    @rule(at=AT, switch=SWITCH)
    def switch_campaign(self, at: int, switch: str) -> None:
        if found := self._campaign(at):
            found[2].status = _status(switch)
            self.here.put(f"{found[0]}/{switch}")

    @precondition(HAS["campaigns"])
    @rule(at=AT)
    def delete_campaign(self, at: int) -> None:
        if found := self._campaign(at):
            path, client, campaign = found
            self._delete(path)
            self.gone += [f"{path}/jobgroups/{id_}" for id_ in campaign.groups]
            del client.campaigns[path.rpartition("/")[2]]

    # ── job groups ──────────────────────────────────────────────────────────────────────────────
    @precondition(HAS["campaigns"])
    @rule(at=AT, priority=PRIORITY, operator=OPERATOR, cities=CITIES, first=FIRST, length=LENGTH)
    def add_group(
        self, at: int, priority: int, operator: str, cities: list[str], first: int, length: int
    ) -> None:
        found = self._campaign(at)
        if found and len(found[2].groups) < MOST_EACH:
            path, client, campaign = found
            name, days = f"group {next(self.names)}", self._days(first, length)
            made = self.here.group(
                path,
                name=name,
                priority=priority,
                filters=_filters(operator, cities),
                startDate=slashed(days[0]),
                endDate=slashed(days[1]),
            ).rpartition("/")[2]
            campaign.groups[made] = ModelGroup(name, priority, operator, cities, days)
            client.ages.append(made)

    @precondition(HAS["groups"])
    @rule(at=AT, priority=PRIORITY, operator=OPERATOR, cities=CITIES)
    def change_group(self, at: int, priority: int, operator: str, cities: list[str]) -> None:
        if found := self._group(at):
            path, _, group = found
            group.priority, group.operator, group.cities = priority, operator, cities
            self.here.put(path, {"priority": priority, "filters": _filters(operator, cities)})

    @precondition(HAS["groups"])
    @rule(at=AT, switch=SWITCH)
    def switch_group(self, at: int, switch: str) -> None:
        if found := self._group(at):
            found[2].status = _status(switch)
            self.here.put(f"{found[0]}/{switch}")

    @precondition(HAS["groups"])
    @rule(at=AT)
    def delete_group(self, at: int) -> None:
        if found := self._group(at):
            self._delete(found[0])
            del found[1].groups[found[0].rpartition("/")[2]]

    # ── jobs ────────────────────────────────────────────────────────────────────────────────────
    def _end(self, hours: int | None) -> int | None:
        return None if hours is None else self.here.clock.now() + hours * HOUR

    @rule(at=AT, ref=REF, city=CITY, hours=END)
    def add_job(self, at: int, ref: str, city: str, hours: int | None) -> None:
        path, client = self._client(at)
        end_at = self._end(hours)
        body = {"refNumber": ref, "title": "t", "description": "d", "url": "https://e.example/1"}
        body |= {"city": city} | ({} if end_at is None else {"endAtDate": iso_of(end_at)})
        if ref in client.jobs:
            assert set(self.here.faults("POST", f"{path}/jobs", body)) == {"/refNumber"}
            return
        self.here.new(f"{path}/jobs", body)
        client.jobs[ref] = ModelJob(city, end_at=end_at)
        client.deleted.pop(ref, None)

    @precondition(HAS["jobs"])
    @rule(at=AT, city=CITY, hours=END)
    def change_job(self, at: int, city: str, hours: int | None) -> None:
        if found := self._job(at):
            path, client, ref = found
            end_at = self._end(hours)
            end = None if end_at is None else iso_of(end_at)
            self.here.put(path, {"city": city, "endAtDate": end})
            client.jobs[ref].city, client.jobs[ref].end_at = city, end_at

    @precondition(HAS["jobs"])
    @rule(at=AT, switch=SWITCH)
    def switch_job(self, at: int, switch: str) -> None:
        if found := self._job(at):
            path, client, ref = found
            client.jobs[ref].status = _status(switch)
            self.here.put(f"{path}/{switch}")

    @precondition(HAS["jobs"])
    @rule(at=AT)
    def delete_job(self, at: int) -> None:
        if found := self._job(at):
            path, client, ref = found
            assert self.here.ask("DELETE", path).status == 200
            assert self.here.ask("GET", path).status == 404
            gone = client.jobs.pop(ref)
            client.switches[ref] = gone.status
            keeper = gone.feed or client.heir_of(ref)
            client.deleted |= {ref: keeper} if keeper else {}

    # ── feeds ───────────────────────────────────────────────────────────────────────────────────
    @rule(at=AT)
    def add_feed(self, at: int) -> None:
        path, client = self._client(at)
        if len(client.feeds) < MOST_EACH:
            made = self.here.new(f"{path}/feeds", FEED)
            client.feeds[made], client.carried[made] = "A", set()

    @precondition(HAS["feeds"])
    @rule(at=AT, switch=SWITCH)
    def switch_feed(self, at: int, switch: str) -> None:
        if found := self._feed(at):
            path, client, id_ = found
            client.feeds[id_] = _status(switch)
            self.here.put(f"{path}/{switch}")

    @precondition(HAS["feeds"])
    @rule(at=AT, brought=st.dictionaries(REF, CITY, max_size=4))
    def import_feed(self, at: int, brought: dict[str, str]) -> None:
        """A feed brings jobs: it takes over what nobody has, rewrites what is its own, and drops
        what it no longer has. What was deleted stays so.
        """
        found = self._feed(at)
        if not found:
            return
        path, client, id_ = found
        now = self.here.clock.now()
        records = self.here.desk.records
        with records.read() as tx:
            noun = clients.client_of(tx, self._agency_no(tx, path), path.split("/")[2])
            feed = feeds.feed_of(tx, noun.no, id_)
        taking_over.settle(records, noun)
        with records.read() as tx:
            known = [*jobs.of_feed(tx, feed.no), *jobs.deleted_of_feed(tx, feed.no)]
        taking = taking_over.begin(records, noun, feed.no, "run", step=2)
        taking.stage([_written(ref, city) for ref, city in brought.items()], now)
        taking.stage_gone([no for no, ref, *_ in known if ref not in brought])
        with records.write() as tx:
            taking.switch(tx, now)
            enqueue(tx, REMATCH, noun.id, now)
        taking.settle()
        for ref, city in brought.items():
            stands = client.jobs.get(ref)
            if stands is None and ref not in client.deleted:
                status = client.switches.get(ref, "A")
                client.jobs[ref] = ModelJob(city, status, feed=id_)
            elif stands is not None and stands.feed == id_:
                stands.city, stands.end_at = city, None
        dropped = {ref for ref, job in client.jobs.items() if job.feed == id_}
        dropped |= {ref for ref, feed_id in client.deleted.items() if feed_id == id_}
        client.carried[id_] = set(brought)
        client.drop(id_, dropped - set(brought))

    @precondition(HAS["feeds"])
    @rule(at=AT)
    def delete_feed(self, at: int) -> None:
        if found := self._feed(at):
            path, client, id_ = found
            self._delete(path)
            del client.feeds[id_], client.carried[id_]
            client.drop(id_, {*client.jobs, *client.deleted})

    # ── time ────────────────────────────────────────────────────────────────────────────────────
    @rule(hours=st.sampled_from([1, 6, 24]))
    def time_goes_on(self, hours: int) -> None:
        self.here.clock.forward(hours * HOUR)
        self.here.headers.pop("x-authorization-key")
        token = self.here.ask("POST", "/token", {"client_id": self.here.api_client_id}).json
        self.here.headers["x-authorization-key"] = token["access_token"]
        look(self._tools(), Task(1, "groups.look", "", {}, 1, "w"))

    def _agency_no(self, tx: Any, path: str) -> int:
        found = clients.client_at_work(tx, path.split("/")[2])
        assert found is not None
        return found[0].agency_no

    def _tools(self) -> Any:
        return SimpleNamespace(records=self.here.desk.records, clock=self.here.desk.clock)
