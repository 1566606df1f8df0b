"""A client with many jobs, put straight into records of its own: for matching and feeds out."""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from random import Random

import msgspec
from lxml import etree

from bench.masters import new_records
from handbill.access import keys
from handbill.campaigns import rows as campaigns
from handbill.clients import rows as clients
from handbill.clients.service import client_at_work
from handbill.contract.filters import read_filter
from handbill.core.nouns import (
    Branch,
    Campaign,
    CampaignBody,
    Client,
    ClientBody,
    Group,
    GroupBody,
    JobBody,
)
from handbill.demo.feeds import feed
from handbill.groups import rows as groups
from handbill.host.clock import SetClock
from handbill.host.egress import Egress
from handbill.host.ids import SeededIds
from handbill.host.settings import Settings
from handbill.jobs import service as jobs
from handbill.kit.batches import batches
from handbill.kit.instants import DAY, Instant, moment_of
from handbill.store import installation, sealed
from handbill.store.blobs import open_blobs
from handbill.store.index import EdgeIndex
from handbill.store.records import Records, Tx
from handbill.store.records.tables import agencies
from handbill.work.tools import Tools

NOW: Instant = 20_780 * DAY
_DISTINCT = 4_000
_AT_ONCE = 1_000


def open_tools(folder: Path) -> Tools:
    """Everything a task may use, in a folder of its own, on SQLite."""
    records = new_records(folder)
    scratch = folder / "scratch"
    scratch.mkdir()
    with records.write() as tx:
        tx.put(agencies, id="agency", name="Agency", currency="USD", created_at=NOW)
        sealed.ensure(tx, NOW)
        keys.add(tx, "listing", 1, bytes(range(32)), NOW)
        installation.ensure(tx, SeededIds(8), NOW)
    return Tools(
        records=records,
        blobs=open_blobs(str(folder / "blobs")),
        index=EdgeIndex(folder / "index", writable=True),
        clock=SetClock(NOW),
        ids=SeededIds(1),
        egress=Egress(()),
        settings=Settings(),
        scratch=scratch,
    )


def add_client(tx: Tx) -> tuple[Client, Campaign]:
    """A client with its default job group, and a campaign."""
    client = Client(
        no=0,
        id="6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        agency_no=1,
        status="A",
        zone="UTC",
        pixel_id="pixel",
        created_at=NOW,
        updated_at=NOW,
        body=ClientBody(company_name="Acme", exported_name="Acme"),
    )
    client.no = clients.add(tx, client)
    campaign = Campaign(
        no=0,
        id="campaign",
        client_no=client.no,
        status="A",
        is_default=False,
        body=CampaignBody("Campaign"),
        created_at=NOW,
        updated_at=NOW,
    )
    campaign.no = campaigns.add(tx, campaign)
    default = group_of(campaign, GroupBody("Default JobGroup"), "default")
    groups.add(tx, msgspec.structs.replace(default, status="P", is_default=True))
    return client, campaign


def group_of(campaign: Campaign, body: GroupBody, id_: str, priority: int = 1) -> Group:
    return Group(
        no=0,
        id=id_,
        client_no=campaign.client_no,
        campaign_no=campaign.no,
        status="A",
        is_default=False,
        priority=priority,
        body=body,
        created_at=NOW,
        updated_at=NOW,
    )


def filter_of(*rules: tuple[str, str, object]) -> Branch:
    """What says that all of these hold."""
    said = [{"field": field, "operator": how, "data": data} for field, how, data in rules]
    return read_filter({"operator": "AND", "rules": said})


def stock(count: int) -> Iterator[JobBody]:
    """Jobs of about 1.8 KB as a feed: texts of some thousand, then again under other references."""
    texts = list(_texts(min(count, _DISTINCT)))
    chance = Random(3)
    for number in range(count):
        job = texts[number % len(texts)]
        yield msgspec.structs.replace(
            job,
            ref=f"JOB-{number:07d}",
            url=f"https://careers.example/jobs/{number}?src=feed",
            cpc_micros=chance.choice((None, 250_000, 400_000, 1_000_000)),
            posted_at=NOW - chance.randrange(60) * DAY,
        )


def fill(records: Records, client: Client, count: int, now: Instant = NOW) -> None:
    """Put the stock into the records, as an import would; a server may write at the same time."""
    brought = (
        jobs.written(job, moment_of(job.posted_at or now).date().isoformat(), None)
        for job in stock(count)
    )
    for some in batches(brought, _AT_ONCE):
        with records.write() as tx:
            jobs.apply(tx, client, None, some, now)


def fill_beside(records: Records, client_id: str, count: int, now: Instant) -> Client:
    """The same for a client of a running server."""
    with records.read() as tx:
        found = client_at_work(tx, client_id)
    assert found is not None, "the server has it"
    fill(records, found[0], count, now)
    return found[0]


def _texts(count: int) -> Iterator[JobBody]:
    for _, item in etree.iterparse(BytesIO(b"".join(feed("indeed", count))), tag="job"):
        text = {node.tag: sys.intern(node.text or "") for node in item}
        yield JobBody(
            ref="",
            title=text["title"],
            company=text["company"],
            description=text["description"],
            category=text["category"],
            city=text["city"],
            state=text["state"],
            country=text["country"],
            zip=text["postalcode"],
            type=text["jobtype"],
        )
        item.clear()
