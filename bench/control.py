"""A tick of control over a client with 1,000 job groups at five publishers and a million jobs.
``control:100000``: with so many jobs instead.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure
from bench.stock import NOW, add_client, group_of, open_tools
from handbill.contract.budget.models import budget_told
from handbill.control import service
from handbill.control.budgets import budget_of
from handbill.control.looking import clients_to_look_at
from handbill.core.nouns import Cap, Caps, Client, GroupBody, Placement, Publisher, PublisherBody
from handbill.groups import rows as groups
from handbill.kit.instants import MINUTE
from handbill.ledger import traffic
from handbill.ledger.traffic import SeenTraffic, quarter_of
from handbill.publishers import rows as publishers
from handbill.store.records import Tx
from handbill.work.tools import Tools

GROUPS, PUBLISHERS, JOBS = 1_000, 5, 1_000_000
NOTHING_SECONDS, TENTH_SECONDS, BUDGET_SECONDS = 0.05, 5.0, 0.1
_MANY = 10_000
_JOBS = """
    INSERT INTO jobs (client_no, ref, id, digest, valid, status, title, company, category, city,
        state, country, zip, type, cpc_currency, url, created_at, updated_at)
    WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :end)
    SELECT :client_no, 'job-' || i, printf('%032x', i), X'', 1, 'A', 'Nurse', 'Acme', '', '', '',
        'US', '', '', '', 'https://jobs.example/' || i, 1, 1 FROM n
"""
_MATCHES = """
    INSERT INTO matches (job_no, client_no, group_no)
    SELECT no, client_no, :first_group + no % :groups FROM jobs
"""


def run(jobs: int = JOBS) -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as folder:
        tools = open_tools(Path(folder))
        client, nos, group_nos = _market(tools, jobs)
        first = _spent(lambda: _tick(tools, client, NOW))
        found: list[str] = []
        look = _spent(lambda: found.extend(_looked_at(tools, NOW + MINUTE)))
        assert found == [], "nothing is new"
        again = _spent(lambda: _tick(tools, client, NOW + MINUTE))
        now = NOW + 11 * MINUTE
        some = group_nos[: GROUPS // 10]
        with tools.records.write() as tx:
            traffic.add(
                tx,
                {
                    client.no: {
                        quarter_of(group_no, no, now): SeenTraffic(clicks=9, spend_micros=4_500_000)
                        for group_no in some
                        for no in nos
                    }
                },
            )
        tenth = _spent(lambda: _tick(tools, client, now))
        asked = [_spent(lambda: _budget(tools, client, now)) for _ in range(3)][-1]
        tools.index.close()
        tools.records.close()
    note = f"{GROUPS} job groups at {PUBLISHERS} publishers, {jobs:,} jobs"
    return [
        Figure("control: first tick", first, "CPU s", "", met=True, note=note),
        Figure("control: nothing new", look, "CPU s", "<= 0.05", look <= NOTHING_SECONDS, note),
        Figure("control: a tick that changes nothing", again, "CPU s", "", met=True, note=note),
        Figure("control: a tenth changed", tenth, "CPU s", "<= 5", tenth <= TENTH_SECONDS, note),
        Figure("control: /budget of all", asked, "CPU s", "<= 0.1", asked <= BUDGET_SECONDS, note),
    ]


def _market(tools: Tools, jobs: int) -> tuple[Client, list[int], list[int]]:
    with tools.records.write() as tx:
        client, campaign = add_client(tx)
        names = [f"Board{number}" for number in range(PUBLISHERS)]
        nos = [_publisher(tx, name) for name in names]
        group_nos = []
        for number in range(GROUPS):
            body = GroupBody(
                f"Group {number}",
                cpc_bid_micros=500_000,
                placements=[Placement(name) for name in names],
                caps=Caps(budget=Cap("Monthly", 900_000_000, pacing=True)),
            )
            group_nos.append(groups.add(tx, group_of(campaign, body, f"group-{number}")))
    for start in range(1, jobs + 1, _MANY):
        end = min(start + _MANY, jobs + 1)
        with tools.records.write() as tx:
            tx.run_text(_JOBS, {"first": start, "end": end, "client_no": client.no})
    with tools.records.write() as tx:
        tx.run_text(_MATCHES, {"first_group": group_nos[0], "groups": GROUPS})
    return client, nos, group_nos


def _publisher(tx: Tx, name: str) -> int:
    return publishers.add(
        tx,
        Publisher(
            no=0,
            id=name,
            agency_no=1,
            status="A",
            body=PublisherBody(name=name),
            created_at=NOW,
            updated_at=NOW,
        ),
    )


def _tick(tools: Tools, client: Client, now: int) -> None:
    service.tick(tools.records, client, now, 1_200_000)


def _budget(tools: Tools, client: Client, now: int) -> None:
    with tools.records.read() as tx:
        budget_told(budget_of(tx, client, now, 1_200_000)).model_dump_json(by_alias=True)


def _looked_at(tools: Tools, now: int) -> list[str]:
    with tools.records.read() as tx:
        return clients_to_look_at(tx, now)


def _spent(deed: Callable[[], None]) -> float:
    began = time.process_time()
    deed()
    return time.process_time() - began
