"""A client, a site that serves its feeds on loopback, and what imports need: for the feed flows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handbill.clients import rows as client_rows
from handbill.core.feed_runs import FeedRun
from handbill.core.feeds import Feed
from handbill.core.nouns import Client, ClientBody, Job
from handbill.feeds import rows as feed_rows
from handbill.feeds import service as feeds
from handbill.feeds.importing import import_feed
from handbill.feeds.work import hurry
from handbill.host.clock import SetClock
from handbill.host.egress import Egress
from handbill.host.ids import SeededIds, new_uuid
from handbill.host.settings import Settings
from handbill.jobs import service as jobs
from handbill.kit.instants import Instant, instant_of_iso
from handbill.store.blobs import open_blobs
from handbill.store.index import EdgeIndex
from handbill.store.records import Records
from handbill.store.records.tables import agencies, unindexed, unmatched
from handbill.work.kinds import HURRY
from handbill.work.loop import Worker
from handbill.work.tools import Tools
from sites import MAPPINGS, Site, document, serving

MONDAY: Instant = instant_of_iso("2026-11-23T12:00:00Z")


@dataclass
class World:
    records: Records
    tools: Tools
    clock: SetClock
    site: Site
    client: Client

    def feed(self, path: str = "/feed.xml", **given: Any) -> Feed:
        body = {"url": self.site.url(path), "mappings": dict(MAPPINGS)} | given
        with self.records.write() as tx:
            made = feeds.create(tx, self.tools.ids, self.clock.now(), self.client, body)
            return feeds.feed_of(tx, self.client.no, made.id)

    def run(self, feed: Feed, *, force: bool = False) -> FeedRun:
        """A run, an hour after the one before."""
        self.clock.forward(3_600_000_000)
        if force:
            with self.records.write() as tx:
                feeds.run_now(tx, self.tools.ids, self.clock.now(), feed, force=True)
        run = import_feed(self.tools, feed.id)
        assert run is not None
        with self.records.read() as tx:
            assert feeds.run_of(tx, feed.no, run.id) == run
        return run

    def serve_and_run(self, feed: Feed, *items: str) -> dict[str, int]:
        """What a run counts that is not nought."""
        self.site.pages["/feed.xml"] = document(*items)
        run = self.run(feed)
        assert run.state == "SUCCESS", run.body
        return {name: count for name, count in run.body.counts.items() if count}

    def jobs(self) -> dict[str, Job]:
        with self.records.read() as tx:
            return {job.body.ref: job for job in jobs.walk(tx, self.client.no)}

    def feed_now(self, feed: Feed) -> Feed:
        """As it is once those that others left jobs to are hurried."""
        Worker(self.tools, "w", {HURRY: hurry}).run_due()
        with self.records.read() as tx:
            found = feed_rows.find(tx, self.client.no, feed.id)
        assert found is not None
        return found

    def marked(self) -> tuple[set[str], set[str]]:
        """References of the jobs to be matched and indexed again; the marks are wiped."""
        with self.records.write() as tx:
            found = []
            for table in (unmatched, unindexed):
                nos = [no for (no,) in tx.run_text(f"SELECT job_no FROM {table.name}", {})[0]]
                found.append({job.body.ref for job in jobs.jobs_by_number(tx, nos).values()})
                tx.run_text(f"DELETE FROM {table.name}", {})
        return found[0], found[1]


def new_client(records: Records, ids: SeededIds, name: str = "c", zone: str = "UTC-6:00") -> Client:
    with records.write() as tx:
        agency = tx.put(agencies, id=name, name=name, currency="USD", created_at=MONDAY)
        client = Client(
            no=0,
            id=new_uuid(ids),
            agency_no=agency,
            status="A",
            zone=zone,
            pixel_id=f"px{name}",
            body=ClientBody(company_name=name, exported_name=name),
            created_at=MONDAY,
            updated_at=MONDAY,
        )
        client.no = client_rows.add(tx, client)
        return client


@contextmanager
def world_on(records: Records, folder: Path) -> Iterator[World]:
    with serving() as site:
        clock, ids = SetClock(MONDAY), SeededIds(3)
        index = EdgeIndex(folder / "index", writable=True)
        egress = Egress((f"127.0.0.1:{site.port}",))
        tools = Tools(
            records,
            open_blobs(str(folder / "blobs")),
            index,
            clock,
            ids,
            egress,
            Settings(data=str(folder)),
            folder / "scratch",
        )
        try:
            yield World(records, tools, clock, site, new_client(records, ids))
        finally:
            egress.close()
            index.close()
