"""Figures by day of an agency with 500 clients, and of one client with 1,000 job groups at five
publishers: what a page asks for each time it is opened.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace

from bench.figures import Figure
from bench.stock import NOW, add_client, open_tools
from handbill.clients import rows as clients
from handbill.contract.overview.models import overview_told, timeseries_told
from handbill.core.metrics import finished_as, made_of
from handbill.core.nouns import Cap, Caps, Client
from handbill.kit.instants import moment_of
from handbill.stats import overviews
from handbill.store.records import Tx
from handbill.store.records.booked import SUMS, USES
from handbill.store.records.tables import client_days, counters, place_days
from handbill.work.tools import Tools

CLIENTS, GROUPS, PUBLISHERS, DAYS = 500, 1_000, 5, 60
MOST_SECONDS = 0.1
_TIMES = 20
_METRICS = {name: finished_as(name) for name in ("spent", "clicks", "applies")}
_RAWS = frozenset().union(*map(made_of, _METRICS))
_SUMS = dict.fromkeys(SUMS, 1_000_000)
_USED: dict[str, Any] = dict.fromkeys(USES, 1_000_000)


def run() -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as folder:
        tools = open_tools(Path(folder))
        with tools.records.write() as tx:
            client = _market(tx)
        pages = {
            f"overview: {CLIENTS} clients, 50 a page": lambda: _overview(tools),
            "overview: one client by day": lambda: _timeseries(tools, client, "none"),
            f"overview: one client's {GROUPS} job groups": lambda: _timeseries(
                tools, client, "jobgroup"
            ),
        }
        figures = []
        for name, page in pages.items():
            spent = sorted(_spent(page) for _ in range(_TIMES))[_TIMES * 95 // 100 - 1]
            met = spent <= MOST_SECONDS
            figures.append(Figure(name, spent, "CPU s", "<= 0.1", met, "p95, 30 days"))
        tools.index.close()
        tools.records.close()
    return figures


def _market(tx: Tx) -> Client:
    first, campaign = add_client(tx)
    nos = [first.no]
    for number in range(1, CLIENTS):
        first.id = first.pixel_id = f"client-{number}"
        cap = Cap("Lifetime" if number % 2 else "Monthly", 1_000_000_000)
        first.body = replace(first.body, caps=Caps(budget=cap))
        nos.append(clients.add(tx, first))
    today = moment_of(NOW).date()
    days = [(today - timedelta(days=back)).isoformat() for back in range(DAYS)]
    tx.put_many(
        client_days, [{"client_no": no, "day_on": day, **_SUMS} for no in nos for day in days]
    )
    tx.put_many(
        counters,
        [
            {"scope": "client", "entity": f"{no}", "day_on": day, "client_no": no, **_USED}
            for no in nos
            for day in days
        ],
    )
    tx.put_many(
        place_days,
        [
            {
                "client_no": nos[0],
                "day_on": day,
                "campaign_no": campaign.no,
                "group_no": group_no,
                "publisher_no": publisher_no,
                **_SUMS,
            }
            for day in days
            for group_no in range(1, GROUPS + 1)
            for publisher_no in range(1, PUBLISHERS + 1)
        ],
    )
    return clients.by_numbers(tx, nos[:1])[0]


def _overview(tools: Tools) -> None:
    with tools.records.read() as tx:
        found = overviews.overview(tx, 1, [30], _RAWS, 0, 50, NOW)
        assert found.clients == CLIENTS, "all are counted"
        assert found.month.used > 0, "what is used of budgets is read"
        overview_told(found, _METRICS).model_dump_json(by_alias=True)


def _timeseries(tools: Tools, client: Client, by: overviews.By) -> None:
    with tools.records.read() as tx:
        found = overviews.timeseries(tx, client, 30, by, "clicks", NOW)
        timeseries_told(found, by, _METRICS).model_dump_json(by_alias=True)


def _spent(deed: Callable[[], None]) -> float:
    began = time.process_time()
    deed()
    return time.process_time() - began
