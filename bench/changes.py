"""Pages of a list of a million changes, 50 to a page, with what may be undone. ``changes:100000``:
of so many.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from bench.figures import Figure
from bench.stock import NOW, add_client, group_of, open_tools
from handbill.changes import service
from handbill.changes.service import ChangeFilter
from handbill.contract.changes.models import ChangePage, change_told
from handbill.core.nouns import GroupBody
from handbill.groups import rows as groups
from handbill.kit.instants import DAY, Instant
from handbill.store.records import Tx
from handbill.store.records.tables import changes
from handbill.undoing import service as undoing
from handbill.work.tools import Tools

MANY, GROUPS, PAGE = 1_000_000, 1_000, 50
MOST_SECONDS = 0.1
_CLIENTS = 200  # of which one is there, with all job groups
_TIMES = 40
_AT_ONCE = 50_000
_ACTORS = ("API_CLIENT", "API_CLIENT", "PERSON", "RULE", "SCHEDULE")
_STEP = 400 * DAY


def run(many: int = MANY) -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as folder:
        tools = open_tools(Path(folder))
        with tools.records.write() as tx:
            add_groups(tx)
        for first in range(0, many, _AT_ONCE):
            with tools.records.write() as tx:
                rows = [_row(n, many) for n in range(first, min(many, first + _AT_ONCE))]
                tx.put_many(changes, rows)
        figures = [_figure(tools, name, asked) for name, asked in _asked().items()]
        tools.index.close()
        tools.records.close()
    return figures


def add_groups(tx: Tx) -> None:
    _, campaign = add_client(tx)
    for n in range(GROUPS):
        groups.add(tx, group_of(campaign, GroupBody(f"{n}", cpc_bid_micros=7), f"g{n}"))


def _row(n: int, many: int) -> dict[str, Any]:
    client_no = 1 + n % _CLIENTS
    actor = _ACTORS[n % len(_ACTORS)]
    told = [{"field": "/cpc_bid_micros", "before": n % 7, "after": 7}]
    return {
        "at": NOW - _STEP + n * (_STEP // many),
        "agency_no": 1,
        "client_no": client_no,
        "kind": "JOB_GROUP",
        "entity_id": f"g{n // _CLIENTS % GROUPS}" if client_no == 1 else f"other-{n % 90_001}",
        "act": "CHANGE",
        "actor": actor,
        "actor_id": f"{actor}-{n % 30}",
        "request_id": f"r{n}",
        "cause": "update_jobgroup",
        "undoes": None,
        "fields": msgspec.json.encode(told).decode(),
    }


def _asked() -> Mapping[str, ChangeFilter]:
    return {
        "all of the agency": ChangeFilter(agency_no=1),
        "one client": ChangeFilter(agency_no=1, client_no=1),
        "one job group": ChangeFilter(agency_no=1, client_no=1, entity_id="g7"),
        "one kind of actor": ChangeFilter(agency_no=1, actor="RULE"),
        "one actor of one client": ChangeFilter(agency_no=1, client_no=1, actor_id="API_CLIENT-0"),
    }


def _figure(tools: Tools, name: str, asked: ChangeFilter) -> Figure:
    chance = Random(7)

    def page() -> None:
        _page(tools, asked, NOW - chance.randrange(_STEP // 2))

    spent = sorted(_spent(page) for _ in range(_TIMES))[_TIMES * 95 // 100 - 1]
    note = f"p95, {PAGE} a page, any page"
    return Figure(f"changes: {name}", spent, "CPU s", "<= 0.1", spent <= MOST_SECONDS, note)


def _page(tools: Tools, asked: ChangeFilter, before: Instant) -> None:
    with tools.records.read() as tx:
        found = service.page(tx, asked, PAGE + 1, (before, 0))
        assert found, "there are some"
        bars = undoing.bars(tx, NOW, found[:PAGE], can_locate=False)
        told = ChangePage.of(rows=list(map(change_told, found[:PAGE], bars)), next=None)
        told.model_dump_json(by_alias=True)


def _spent(deed: Callable[[], None]) -> float:
    began = time.process_time()
    deed()
    return time.process_time() - began
