"""The report of a simulation: a line per day, and the sums."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from handbill.kit.money import MICROS
from handbill.simulate.facts import OfDay
from handbill.simulate.living import Lived

CLASSES = ("valid", "over_cap", "bot", "duplicate", "foreign", "latent")
_HEADS = (*CLASSES, "charged", "unbilled", "applies", "hires", "caps reached")


def told_of(day: OfDay) -> dict[str, Any]:
    """A day as JSON. **Units**: money in micros."""
    return {
        "day": day.day,
        "clicks": {name: day.classes[name] for name in CLASSES},
        "chargedMicros": day.charged_micros,
        "spendMicros": day.spend_micros,
        "unbilledMicros": day.unbilled_micros,
        "applies": day.applies,
        "hires": day.hires,
        "capsReached": day.caps_reached,
    }


def printed(console: Console, life: Lived) -> None:
    """A table of the days, and of all of them together; how many logged bids were decided again;
    what was checked of purchases; and how back-tests compare, if they were compared.
    """
    days = life.days
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("day", no_wrap=True)
    for head in _HEADS:
        table.add_column(head, justify="right")
    rows = [_cells(day) for day in days]
    for day, cells in zip(days, rows, strict=True):
        table.add_row(day.day, *map(_shown, cells))
    table.add_section()
    sums = [sum(column) for column in zip(*rows, strict=True)]
    table.add_row("all", *map(_shown, sums), style="bold")
    console.print(table)
    console.print(f"logged bids, recomputed: {life.bids:,}")
    made, added, shown = (life.purchases[name] for name in ("made", "added", "shown"))
    console.print(f"purchases: {made:,}; their jobs: {added:,}; seen in feeds, by day: {shown:,}")
    if life.firings:
        firings = ", ".join(f"{count:,} {name}" for name, count in sorted(life.firings.items()))
        console.print(f"firings of rules, against back-tests: {firings}")


def _cells(day: OfDay) -> list[float]:
    counts: list[float] = [day.classes[name] for name in CLASSES]
    money = [day.charged_micros / MICROS, day.unbilled_micros / MICROS]
    return counts + money + [day.applies, day.hires, day.caps_reached]


def _shown(number: float) -> str:
    return f"{number:,.2f}" if isinstance(number, float) else f"{number:,}"
