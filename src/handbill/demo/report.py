"""The end of the demo: two stats reports, printed as one table, with the books beside it."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from handbill.demo.calls import AgencyProgram, DemoFailed, fetched, until
from handbill.kit.instants import Instant, moment_of

COUNTS = (
    "clicks",
    "botClicks",
    "duplicateClicks",
    "foreignClicks",
    "latentClicks",
    "overCapClicks",
)
_REPORT_SECONDS = 60
SHOWN = (
    ("clicks", "clicks"),
    ("botClicks", "bot"),
    ("duplicateClicks", "dup"),
    ("overCapClicks", "over cap"),
    ("applyStarts", "starts"),
    ("applies", "applies"),
    ("spent", "spent"),
    ("cpc", "cpc"),
    ("cpa", "cpa"),
    ("cta", "cta %"),
)
_WIDE = 106
_ONLY_WIDE = frozenset({"applyStarts", "cta"})
_MONEY = frozenset({"spent", "cpc", "cpa"})
_RATIO = frozenset({"cta"})
Row = dict[str, str]


async def reported(agency: AgencyProgram, client_id: str, now: Instant, days: int) -> list[Row]:
    """The rows of a report of so many days by job group and publisher, as in its files."""
    today = moment_of(now).date()
    question = {
        "filters": {
            "startDate": (today - timedelta(days=days)).isoformat(),
            "endDate": today.isoformat(),
        },
        "aggregationLevel": {"primaryLevel": "JOBGROUP", "secondaryLevel": "PUBLISHER"},
    }
    headers = {"x-client-id": client_id}
    task = (await agency.ask("POST", "/stats", question, headers))["taskId"]

    async def answered() -> list[str] | None:
        state = await agency.ask("GET", f"/stats/{task}", headers=headers)
        if state["status"] in {"FAILED", "NO_RECORDS_FOUND"}:
            raise DemoFailed(f"the report ended as {state['status']}")
        return list(state["location"]) if state["status"] == "SUCCESS" else None

    rows: list[Row] = []
    for link in await until("a report", answered, _REPORT_SECONDS):
        text = (await fetched(agency.session, link)).decode("utf-8-sig")
        rows.extend(csv.DictReader(io.StringIO(text)))
    return rows


def total_of(rows: Iterable[Row], names: Sequence[str]) -> int:
    return sum(int(row[name]) for row in rows for name in names)


def printed(console: Console, client: str, rows: Sequence[Row], currency: str) -> None:
    """A client's table: a line per job group and publisher with anything to show, and the sums.
    Ratios are never summed.
    """
    shown = [item for item in SHOWN if console.width >= _WIDE or item[0] not in _ONLY_WIDE]
    table = Table(
        title=f"{client}, {currency}",
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    table.add_column("job group")
    table.add_column("publisher")
    for _, title in shown:
        table.add_column(title, justify="right", no_wrap=True)
    former = None
    lines = (row for row in rows if any(Decimal(row[name] or "0") for name, _ in SHOWN))
    for row in sorted(lines, key=lambda row: (_named(row, "jobGroup"), -Decimal(row["spent"]))):
        group = _group(row)
        cells = (_cell(name, row[name]) for name, _ in shown)
        table.add_row("" if group == former else group, _named(row, "publisher"), *cells)
        former = group
    table.add_section()
    sums = {name: sum(Decimal(row[name] or "0") for row in rows) for name, _ in SHOWN}
    cells = (_cell(name, str(_summed(name, sums))) for name, _ in shown)
    table.add_row("all", "", *cells, style="bold")
    console.print(table)
    console.print()


def _group(row: Row) -> str:
    """Its job group. What costs anything without one was bought in advance."""
    without = "bought slots" if Decimal(row["spent"]) else "no job group"
    return _named(row, "jobGroup") or without


def _named(row: Row, level: str) -> str:
    return row.get(f"{level}Name") or row.get(level) or row.get(f"{level}Id") or ""


def _summed(name: str, sums: dict[str, Any]) -> Any:
    """A sum, or a ratio of sums."""
    over_under = {"cpc": ("spent", "clicks", 1), "cpa": ("spent", "applies", 1)}
    over_under["cta"] = ("applies", "clicks", 100)
    if name not in over_under:
        return sums[name]
    over, under, factor = over_under[name]
    return sums[over] * factor / sums[under] if sums[under] else ""


def _cell(name: str, value: str) -> str:
    if not value:
        return ""
    if name in _MONEY:
        return f"{Decimal(value):,.2f}"
    return f"{Decimal(value):.1f}" if name in _RATIO else f"{Decimal(value):,.0f}"
