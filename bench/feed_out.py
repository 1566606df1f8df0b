"""The outbound feed of 100,000 jobs after one bid change: from the task to the files."""

import gzip
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from bench.figures import Figure
from bench.stock import NOW, add_client, fill, filter_of, group_of, open_tools
from handbill.core.nouns import Client, GroupBody, Placement, Publisher, PublisherBody
from handbill.groups import matching
from handbill.groups import rows as groups
from handbill.listings.work import TASKS
from handbill.publishers import rows as publishers
from handbill.store.records import Tx
from handbill.store.records.tables import feed_files
from handbill.work.queue import Task
from handbill.work.tools import Tools

LIMIT = 2.0
JOBS = 100_000


def run() -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as folder:
        tools = open_tools(Path(folder))
        with tools.records.write() as tx:
            client, campaign = add_client(tx)
            publisher_no = _add_publisher(tx)
            body = GroupBody(
                "All",
                cpc_bid_micros=500_000,
                placements=[Placement("Board", 800_000)],
                filters=filter_of(("title", "NOT_EQUAL", "x")),
            )
            group = group_of(campaign, body, "all")
            group.no = groups.add(tx, group)
        fill(tools.records, client, JOBS)
        matching.rematch(tools.records, client, NOW)
        first, _ = _published(tools, client, publisher_no)
        group.body.placements = [Placement("Board", 900_000)]
        with tools.records.write() as tx:
            groups.save(tx, group, NOW)
        changed, wall = _published(tools, client, publisher_no)
        same, _ = _published(tools, client, publisher_no)
        size = _checked(tools)
        tools.index.close()
        tools.records.close()
    note = f"{size / 1e6:.0f} MB and its gzip; {wall:.1f} s by the wall"
    return [
        Figure("feed of 100,000 jobs, first", first, "CPU s", "", met=True),
        Figure(
            "feed of 100,000 jobs, one bid changed",
            changed,
            "CPU s",
            "<= 2",
            changed <= LIMIT,
            note,
        ),
        Figure("feed of 100,000 jobs, nothing changed", same, "CPU s", "", met=True),
    ]


def _add_publisher(tx: Tx) -> int:
    publisher = Publisher(
        no=0,
        id="Board",
        agency_no=1,
        status="A",
        body=PublisherBody(name="Board"),
        created_at=NOW,
        updated_at=NOW,
    )
    return publishers.add(tx, publisher)


def _published(tools: Tools, client: Client, publisher_no: int) -> tuple[float, float]:
    """CPU and wall seconds of the publish task and the assembly that it asks for."""
    start, wall = time.process_time(), time.perf_counter()
    for kind, key in (("listings.publish", client.id), ("listings.assemble", str(publisher_no))):
        TASKS[kind](tools, Task(0, kind, key, {}, 1, "bench"))
    return time.process_time() - start, time.perf_counter() - wall


def _checked(tools: Tools) -> int:
    """The size of the feed, which must hold every job at the new bid, plain and gzipped alike."""
    with tools.records.read() as tx:
        name = tx.value(sa.select(feed_files.c.name))
    plain = tools.blobs.get(f"feeds/{name}.xml")
    assert plain.count(b"<cpc><![CDATA[0.90]]></cpc>") == JOBS
    assert gzip.decompress(tools.blobs.get(f"feeds/{name}.xml.gz")) == plain
    return len(plain)
