"""A small market put straight into the records, for the flows from jobs to outbound feeds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handbill.campaigns import rows as campaign_rows
from handbill.clients import rows as client_rows
from handbill.contract.filters import read_filter
from handbill.control.work import TASKS as CONTROL
from handbill.core.nouns import (
    Campaign,
    CampaignBody,
    Client,
    ClientBody,
    Group,
    GroupBody,
    JobBody,
    JobSettings,
    Placement,
    Publisher,
    PublisherBody,
)
from handbill.groups import rows as group_rows
from handbill.groups.work import TASKS as MATCHING
from handbill.host.clock import SetClock
from handbill.host.egress import Egress
from handbill.host.ids import SeededIds, new_uuid
from handbill.host.settings import Settings
from handbill.jobs import service as jobs
from handbill.kit.instants import Instant, instant_of_iso
from handbill.kit.zones import day_of, zone_of
from handbill.listings.work import TASKS as LISTING
from handbill.publishers import rows as publisher_rows
from handbill.store import installation
from handbill.store.blobs import open_blobs
from handbill.store.index import EdgeIndex
from handbill.store.records import Records, Tx
from handbill.store.records.tables import agencies
from handbill.store.records.tables import jobs as jobs_table
from handbill.work.queue import Task, finish, lease
from handbill.work.tools import Run, Tools
from masters import open_key, put_key

MONDAY = instant_of_iso("2026-11-23T12:00:00+00:00")
KEY = bytes(range(32))


def everything(**rule: Any) -> dict[str, Any]:
    """A filter of one comparison; without any, one that every job passes."""
    leaf = rule or {"field": "title", "operator": "NOT_EQUAL", "data": "\x01"}
    return {"operator": "AND", "rules": [leaf]}


def place(publisher_id: str, **said: Any) -> Placement:
    return Placement(publisher_id, **said)


@dataclass
class Market:
    records: Records
    tools: Tools
    clock: SetClock
    ids: SeededIds
    agency_no: int
    tasks: dict[str, Run] = field(default_factory=dict)
    refs: int = 0

    def write(self, change: Callable[[Tx], Any]) -> Any:
        with self.records.write() as tx:
            return change(tx)

    def client(self, name: str = "Acme", zone: str = "UTC", **body: Any) -> Client:
        """A client with its default campaign and default job group."""
        id_ = new_uuid(self.ids)
        client = Client(
            no=0,
            id=id_,
            agency_no=self.agency_no,
            status="A",
            zone=zone,
            pixel_id=id_[:8],
            body=ClientBody(company_name=name, exported_name=name, **body),
            created_at=MONDAY,
            updated_at=MONDAY,
        )
        client.no = self.write(lambda tx: client_rows.add(tx, client))
        self.campaign(client, is_default=True, id=f"{id_}$campaign$default")
        return client

    def campaign(self, client: Client, *, is_default: bool = False, **said: Any) -> Campaign:
        id_ = said.pop("id", None) or new_uuid(self.ids)
        campaign = Campaign(
            no=0,
            id=id_,
            client_no=client.no,
            status="A",
            is_default=is_default,
            body=CampaignBody("Campaign", **said),
            created_at=MONDAY,
            updated_at=MONDAY,
        )
        campaign.no = self.write(lambda tx: campaign_rows.add(tx, campaign))
        if is_default:
            group = Group(
                no=0,
                id=f"{client.id}$jobgroup$default",
                client_no=client.no,
                campaign_no=campaign.no,
                status="P",
                is_default=True,
                priority=0,
                body=GroupBody("Default JobGroup"),
                created_at=MONDAY,
                updated_at=MONDAY,
            )
            self.write(lambda tx: group_rows.add(tx, group))
        return campaign

    def group(
        self, campaign: Campaign, filters: Any = None, priority: int = 1, **body: Any
    ) -> Group:
        tree = read_filter(everything() if filters is None else filters)
        group = Group(
            no=0,
            id=new_uuid(self.ids),
            client_no=campaign.client_no,
            campaign_no=campaign.no,
            status="A",
            is_default=False,
            priority=priority,
            created_at=MONDAY,
            updated_at=MONDAY,
            body=GroupBody("Group", filters=tree, **body),
        )
        group.no = self.write(lambda tx: group_rows.add(tx, group))
        return group

    def save(self, group: Group, **columns: Any) -> None:
        self.write(lambda tx: group_rows.save(tx, group, self.clock.now(), **columns))

    def publisher(self, id_: str, **body: Any) -> Publisher:
        publisher = Publisher(
            no=0,
            id=id_,
            agency_no=self.agency_no,
            status="A",
            body=PublisherBody(name=id_, url="https://pub.example", **body),
            created_at=MONDAY,
            updated_at=MONDAY,
        )
        publisher.no = self.write(lambda tx: publisher_rows.add(tx, publisher))
        return publisher

    def job(self, client: Client, ref: str = "", **said: Any) -> str:
        """A valid job, as a source brings it; its reference."""
        self.refs += 1
        ref = ref or f"R-{self.refs}"
        settings = said.pop("settings", None)
        said = {"title": "Nurse", "company": "Acme", "url": f"https://jobs.example/{ref}"} | said
        body = JobBody(ref=ref, **said)
        body.settings = JobSettings(publishers=settings) if isinstance(settings, tuple) else None
        posted = body.posted_at
        posted_on = None if posted is None else day_of(posted, zone_of(client.zone)).isoformat()
        self.write(
            lambda tx: jobs.apply(
                tx, client, None, [jobs.written(body, posted_on, None)], self.clock.now()
            )
        )
        return ref

    def job_columns(self, client: Client, ref: str, **columns: Any) -> None:
        """Change a job's row as an API caller's pause, settings or removal would."""
        where = {"client_no": client.no, "ref": ref}
        self.write(lambda tx: tx.change(jobs_table, where, **columns))

    def run(self, kind: str, key: str, payload: dict[str, Any] | None = None) -> None:
        """Run one task as the worker would."""
        self.tasks[kind](self.tools, Task(0, kind, key, payload or {}, 1, "test"))

    def drain(self) -> list[tuple[str, str]]:
        """Run whatever tasks are due, until none is; what was run."""
        done: list[tuple[str, str]] = []
        while len(done) < 100:
            with self.records.write() as tx:
                task = lease(tx, tuple(self.tasks), "test", self.clock.now(), 60)
            if task is None:
                return done
            self.run(task.kind, task.key, task.payload)
            with self.records.write() as tx:
                finish(tx, task)
            done.append((task.kind, task.key))
        raise AssertionError("the tasks enqueue each other for ever")

    def now(self) -> Instant:
        return self.clock.now()


def open_market(records: Records, folder: Path) -> Market:
    clock, ids = SetClock(MONDAY), SeededIds(7)
    tools = Tools(
        records=records,
        blobs=open_blobs(str(folder / "blobs")),
        index=EdgeIndex(folder / "index", writable=True, open_key=open_key),
        clock=clock,
        ids=ids,
        egress=Egress(()),
        settings=Settings(edge_url="https://go.example"),
        scratch=folder / "scratch",
    )
    tools.scratch.mkdir()
    with records.write() as tx:
        agency_no = tx.put(agencies, id="agency", name="Agency", currency="USD", created_at=MONDAY)
        put_key(tx, "listing", KEY, MONDAY)
        installation.ensure(tx, SeededIds(8), MONDAY)
    return Market(records, tools, clock, ids, agency_no, MATCHING | CONTROL | LISTING)
