"""What is quick stays so beside much of everything: no operation that fetches, previews, reports or
scans is given the quick lane, where it would hold up the event loop or the one writer.

What is measured is not time: the steps of SQLite's machine, and what else the work reaches for.
"""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import pytest

from contract.asgi import call
from contract.conftest import opened
from contract.office import OPERATIONS
from contract.test_reports import partner_of
from contract.touring import Tour, sound_body
from contract.world import FEED, build, held
from handbill.clients import service as clients
from handbill.contract.funnel.routes import OPERATIONS as FUNNEL
from handbill.core.entries import Entry
from handbill.core.nouns import JobBody
from handbill.feeds import service as feeds
from handbill.groups import service as groups
from handbill.host.egress import Egress
from handbill.host.ids import SeededIds
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.http.operations import Operation
from handbill.jobs import service as jobs
from handbill.kit.instants import Instant
from handbill.kit.jsons import encode
from handbill.store import segments
from handbill.store.records import Tx
from handbill.store.records import tables as t
from handbill.store.records.sqlite import SqliteRecords
from masters import MASTERS

JOBS, ENTRIES, OTHERS = 2_000, 100, 20
MOST_STEPS = 10_000
"""Less than a millisecond; a look at each of the jobs takes more."""
OF_OTHERS = {
    "get_budget",
    "get_overview",
    "get_timeseries",
    "list_needs",
    "explain_campaign",
    "explain_jobgroup",
    "get_family_figures",
    "get_jobs_in_bulk",
    "list_job_lines",
    "stream_stats_report",
}
"""What grows with job groups, clients, days, or jobs that are asked for, or reads entries only for
some questions: there are few here.
"""
OF_ONE_PURCHASE = frozenset(
    {"add_posting_jobs", "update_posting_config", "delete_posting_config"}
    | {
        f"{word}_posting_jobs{suffix}"
        for word in ("pin", "unpin", "pause", "enable", "remove")
        for suffix in ("", "_at_publisher")
    }
)
"""Turns look at each job of a purchase, which has ten thousand at most: a tenth of a second."""
NOTHING_THERE = {
    "get_stats_file",
    "get_shared_report",
    "accept_invitation",
    "set_up",
    "end_mails",
    "begin_sign_in",
}
"""What needs a link, which no world can name before it is made, or a provider outside."""
_GRAIN = 100
_FILES = {"open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove"}
_C = TypeVar("_C", bound=Any)


class Counted(SqliteRecords):
    """SQLite that counts the steps of its machine."""

    steps = 0

    def _connection(self, purpose: str, kind: type[_C], query_only: int) -> _C:
        connection = super()._connection(purpose, kind, query_only)
        connection.set_progress_handler(self._step, _GRAIN)
        return connection

    def _step(self) -> int:
        self.steps += _GRAIN
        return 0


class Reached:
    """Notes files below a folder that are opened, and hosts that are looked for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen = str(folder), set[str]()
        sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if event in _FILES and str(args[0]).startswith(self.folder):
            self.seen.add(str(args[0]).removeprefix(self.folder))

    def resolve(self, host: str, *_: Any) -> list[str]:
        self.seen.add(host)
        return []


class Cost(NamedTuple):
    """``reached``: files and hosts."""

    steps: int
    reached: frozenset[str]

    @property
    def is_small(self) -> bool:
        return self.steps <= MOST_STEPS and not self.reached


@pytest.fixture(scope="module")
def costs(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Cost]:
    """What each operation costs that an agency asks which has much; deletions come last."""
    folder = tmp_path_factory.mktemp("much")
    shutil.copyfile(sqlite_template, folder / "records.db")
    records, reached = Counted(folder / "records.db", MASTERS), Reached(folder)
    found = {}
    for office in opened(records, folder):
        office.desk = replace(
            office.desk,
            egress=Egress(resolve=reached.resolve),
            settings=Settings(data=str(folder)),
        )
        office.app = Application(OPERATIONS, office.desk)
        tour = Tour(office, build(office), partner_of(office))
        _fill(tour)
        for operation in sorted(OPERATIONS, key=_turn_of):
            if operation.name == "undo_rule_run":
                tour.world.ids |= held(tour.world)  # the former hold has been lifted
            tour.bound(operation)  # makes what it names
            records.steps = 0
            reached.seen.clear()
            _ask(tour, operation)
            found[operation.name] = Cost(records.steps, frozenset(reached.seen))
        office.app.close()
    records.close()
    return found


def _turn_of(operation: Operation) -> tuple[bool, bool, bool, int]:
    """What ends something comes after all that needs it: what is within before what is around."""
    path = operation.path
    is_around = path == "/clients/{client_id}"
    return operation.verb == "DELETE", is_around, path.endswith("}"), -path.count("/")


def _ask(tour: Tour, operation: Operation) -> None:
    ids, headers = tour.bound(operation)
    path = operation.path
    for slot, known in ids.items():
        path = path.replace(f"{{{slot}}}", quote(known, safe=""))
    query = "&".join(f"{name}={value}" for name, value in tour.world.query(operation).items())
    body = sound_body(tour, operation)
    raw = b"" if body is None else encode(body)
    reply = call(tour.office.app, operation.verb, f"{path}?{query}", headers=headers, raw=raw)
    wanted = 404 if operation.name in NOTHING_THERE else operation.success
    wanted = 401 if operation.name == "finish_sign_in" else wanted
    assert reply.status == wanted, (operation.name, reply.raw)


def _fill(tour: Tour) -> None:
    """Many jobs, in a feed, a job group and a purchase; and some more of all else."""
    office, ids, client = tour.office, tour.world.ids, tour.world.client
    refs = [f"j{n}" for n in range(JOBS)]
    with office.desk.records.write() as tx:
        _fill_jobs(tx, ids, refs, office.clock.now())
    config = f"{client}/publishers/{ids['publisher_id']}/configs/{ids['config_id']}"
    office.put(config, {"availableCount": 2 * JOBS})
    for start in range(0, JOBS, 1_000):
        office.ask("POST", f"{client}/configs/{ids['config_id']}/jobs", refs[start : start + 1_000])
    named = {"x-client-id": ids["client_id"]}
    for n in range(OTHERS):
        more = office.new("/publishers", {"id": f"More{n}", "bidType": "CPC"})
        campaign = office.campaign(client)
        for around in (campaign, f"{client}/campaigns/{ids['campaign_id']}"):
            office.group(around, placements=[{"value": more}, {"value": ids["publisher_id"]}])
        office.new(f"{client}/feeds", FEED)
        office.client()
        entity = {"clientId": ids["client_id"], "level": "Campaign"}
        entities = [entity | {"entityId": campaign.rsplit("/", 1)[1]}]
        office.new("/markups", {"effectiveFrom": 1_793_491_200, "value": 9, "entities": entities})
        office.ask("POST", "/funnel", FUNNEL[0].sample, headers=named)
    entries = [_entry(ids["client_id"], n, office.clock.now()) for n in range(ENTRIES)]
    path = segments.path_of("2026-11", entries[0].at, SeededIds(3))
    written = segments.write(office.desk.blobs, path, entries)
    with office.desk.records.write() as tx:
        segments.register(tx, [written], office.clock.now())


def _fill_jobs(tx: Tx, ids: Mapping[str, str], refs: list[str], now: Instant) -> None:
    found = clients.client_at_work(tx, ids["client_id"])
    assert found is not None
    client = found[0]
    feed = feeds.feed_of(tx, client.no, ids["feed_id"])
    group = groups.group_of(tx, client.no, ids["jobgroup_id"])
    for feed_no, some in ((None, refs[::2]), (feed.no, refs[1::2])):
        nouns = [
            JobBody(
                ref=ref,
                title="Nurse",
                description="d",
                company="c",
                country="US",
                url=f"https://x.org/{ref}",
            )
            for ref in some
        ]
        jobs.apply(tx, client, feed_no, [jobs.written(one, None, None) for one in nouns], now)
    made = jobs.jobs_page(tx, client.no, 0, len(refs))
    fixed = {"client_no": client.no, "group_no": group.no}
    tx.put_many(t.matches, [{"job_no": job.no} | fixed for job in made])


def _entry(client_id: str, n: int, now: Instant) -> Entry:
    return Entry(
        id=n.to_bytes(16, "big"),
        at=now,
        kind="CLICK",
        disposition="valid",
        reason="",
        client_no=1,
        campaign_no=1,
        group_no=1,
        publisher_no=1,
        job_id=jobs.job_id(client_id, "j1"),
        bid_type="CPC",
        charge_micros=400_000,
        spend_micros=500_000,
        currency="USD",
        marked_micros=550_000,
        agency_ppm=100_000,
        override_ppm=0,
        click_at=now,
        click_id=b"",
        visitor=b"",
        ip="198.51.100.0",
        agent="",
        source="edge",
        candidate_id="",
        application_id="",
    )


def test_what_is_quick_stays_so_beside_much(costs: Mapping[str, Cost]) -> None:
    quick = [one.name for one in OPERATIONS if one.lane == "quick"]
    assert {name: costs[name] for name in quick if not costs[name].is_small}.keys() == (
        OF_ONE_PURCHASE
    )


def test_what_is_not_quick_would_be_found(costs: Mapping[str, Cost]) -> None:
    """Else the test above finds nothing."""
    found = {one.name: costs[one.name] for one in OPERATIONS if one.lane != "quick"}
    assert len(found) >= 9
    assert {name for name, cost in found.items() if cost.is_small} == OF_OTHERS
