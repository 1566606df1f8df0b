"""Clients, campaigns, job groups, jobs and feeds against a small model, step by step.

After every step, once the background work that it asked for is done, each job must be in the group
that a naive reading of priorities, dates, switches and filters gives it. So a change that forgets
to wake the matching is found too. And what was deleted is gone at once. All other reads by the API
cost more than the steps: after every fifth one, they must say what the model says.
"""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    invariant,
    run_state_machine_as_test,
)

from contract.model_steps import Steps, slashed
from contract.modelled import ModelClient
from contract.office import Office
from handbill.clients import service as clients
from handbill.groups.work import rematch
from handbill.store.records import Records
from handbill.store.records.tables import groups as groups_table
from handbill.store.records.tables import jobs as jobs_table
from handbill.store.records.tables import matches, tasks
from handbill.work.kinds import REMATCH

_PAIRS = (
    sa.select(jobs_table.c.ref, groups_table.c.id)
    .select_from(
        matches.join(jobs_table, jobs_table.c.no == matches.c.job_no).join(
            groups_table, groups_table.c.no == matches.c.group_no
        )
    )
    .where(matches.c.client_no == sa.bindparam("client_no"))
)
_TASKS = sa.select(tasks.c.kind, tasks.c.key)
_READ_EACH = 5


class Agency(Steps):
    """What the application tells is what the model says."""

    steps = 0
    seen_gone = 0
    """How many of the deleted things were asked for."""

    def _settle(self) -> None:
        """Do the matching that was asked for, and nothing else."""
        desk = self.here.desk
        own = {path.split("/")[2] for path in self.model}
        with desk.records.write() as tx:
            keys = {key for kind, key in tx.all(_TASKS) if kind == REMATCH}
            tx.run(sa.delete(tasks))
        for key in sorted(keys & own):
            task: Any = SimpleNamespace(key=key)
            rematch(self._tools(), task)

    @invariant()
    def all_is_as_modelled(self) -> None:
        self.steps += 1
        if self.steps % _READ_EACH == 0:
            self.clients_are_as_modelled()
            self.campaigns_and_groups_are_as_modelled()
            self.jobs_and_feeds_are_as_modelled()
            self.what_is_deleted_stays_so()

    def clients_are_as_modelled(self) -> None:
        rows = self.here.get("/clients?page=0&limit=10")["data"]
        found = {
            f"/clients/{row['id']}": (row["exportedName"], row["activeStatus"]) for row in rows
        }
        wanted = {path: (client.name, client.status) for path, client in self.model.items()}
        assert found == wanted
        for path, client in self.model.items():
            assert self.here.get(f"{path}/status")["result"] == client.status
            assert self.here.get(path)["exportedName"] == client.name

    def campaigns_and_groups_are_as_modelled(self) -> None:
        for path, client in self.model.items():
            meta = self.here.ask("GET", "/meta", headers={"x-client-id": path.split("/")[2]}).json
            tree = {
                campaign["id"]: (
                    campaign["name"],
                    campaign["activeStatus"],
                    {
                        one["id"]: (one["name"], one["activeStatus"])
                        for one in campaign["jobGroups"]
                    },
                )
                for campaign in meta["campaigns"]
                if not campaign["isDefault"]
            }
            assert tree == {
                id_: (
                    campaign.name,
                    campaign.status,
                    {key: (group.name, group.status) for key, group in campaign.groups.items()},
                )
                for id_, campaign in client.campaigns.items()
            }
            rows = self.here.get(f"{path}/jobgroups?page=0&limit=100")["data"]
            own = [row for row in rows if not row["isDefault"]]
            assert {
                row["id"]: (row["priority"], row["startDate"], row["endDate"]) for row in own
            } == {
                id_: (group.priority, *map(slashed, group.days))
                for campaign in client.campaigns.values()
                for id_, group in campaign.groups.items()
            }
            listed = self.here.get(f"{path}/campaigns?page=0&limit=100")["data"]
            assert {
                row["id"]: (row["startDate"], row["endDate"])
                for row in listed
                if not row["isDefault"]
            } == {id_: tuple(map(slashed, one.days)) for id_, one in client.campaigns.items()}

    def jobs_and_feeds_are_as_modelled(self) -> None:
        now = self.here.clock.now()
        for path, client in self.model.items():
            listed = self.here.get(f"{path}/jobs?page=1&limit=100")
            live = [it for it in client.jobs.values() if it.end_at is None or it.end_at > now]
            assert listed["summary"] == len(live)
            found = {
                row["refNumber"]: (row["city"], row["status"], row["fromFeed"])
                for row in listed["data"]
            }
            words = {"A": "ACTIVE", "P": "PAUSED"}
            assert found == {
                ref: (
                    job.city,
                    "EXPIRED"
                    if job.end_at is not None and job.end_at <= now
                    else words[job.status],
                    bool(job.feed),
                )
                for ref, job in client.jobs.items()
            }
            rows = self.here.get(f"{path}/feeds?page=0&limit=100")["data"]
            wanted = {id_: status == "A" for id_, status in client.feeds.items()}
            assert {row["id"]: row["active"] for row in rows} == wanted

    @invariant()
    def every_job_is_where_it_belongs(self) -> None:
        self._settle()
        now, today = self.here.clock.now(), self._today()
        for path, client in self.model.items():
            id_ = path.split("/")[2]
            with self.here.desk.records.read() as tx:
                noun = clients.client_at_work(tx, id_)
                assert noun is not None
                found: dict[str, str] = dict(tx.all(_PAIRS, client_no=noun[0].no))
            assert found == {
                ref: client.group_of(job.city, today) or f"{id_}$jobgroup$default"
                for ref, job in client.jobs.items()
                if job.end_at is None or job.end_at > now
            }

    @invariant()
    def what_is_deleted_is_gone(self) -> None:
        for path in self.gone[self.seen_gone :]:
            assert self.here.ask("GET", path).status == 404
        self.seen_gone = len(self.gone)

    def what_is_deleted_stays_so(self) -> None:
        for path in self.gone[-_READ_EACH:]:
            assert self.here.ask("GET", path).status == 404


def test_the_application_is_as_the_model(office: Office, records: Records) -> None:
    class Here(Agency):
        pass

    Here.office = office
    on_sqlite = records.reads_inline
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=20 if on_sqlite else 4,
            stateful_step_count=50 if on_sqlite else 40,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


_REFS = ["r1", "r2", "r3"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_deleted_jobs_are_as_the_model(sqlite_office: Office, seed: int) -> None:
    """Only jobs and two feeds, from a seed: what a deletion must outlast takes many like steps."""
    chance = Random(seed)
    agency = Agency()
    agency.here, agency.gone = sqlite_office, []
    agency.model = {sqlite_office.client(): ModelClient("c")}
    steps = [*["import"] * 6, *["add"] * 2, *["delete"] * 4, *["add feed"], *["delete feed"]]
    for _ in range(300):
        match chance.choice(steps):
            case "import":
                brought = chance.sample(_REFS, chance.randint(0, 3))
                agency.import_feed(chance.randint(0, 9), dict.fromkeys(brought, "Rome"))
            case "add":
                agency.add_job(0, chance.choice(_REFS), "Oslo", None)
            case "delete":
                agency.delete_job(chance.randint(0, 9))
            case "add feed" if len(agency._client(0)[1].feeds) < 2:
                agency.add_feed(0)
            case "delete feed":
                agency.delete_feed(chance.randint(0, 9))
        agency.jobs_and_feeds_are_as_modelled()
    agency.every_job_is_where_it_belongs()
