"""The month of ``handbill simulate`` as it is without options: 30 days, 50 publishers, seed 7.
``simulated:3``: so many days instead.
"""

import time
from collections import Counter
from pathlib import Path

from bench.figures import Figure
from handbill.simulate.house import passing_folder
from handbill.simulate.living import Size, lived

DAYS, PUBLISHERS, SEED = 30, 50, 7
MOST_SECONDS, LEAST_CLICKS = 120, 100_000


def run(days: int = DAYS) -> list[Figure]:
    """How long it takes. Whatever does not hold ends it (Broken)."""
    size = Size(days, PUBLISHERS, rules=True, purchases=True)
    began, cpu = time.perf_counter(), time.process_time()
    with passing_folder() as folder:
        life = lived(Path(folder), size, SEED, lambda _: None)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    classes = sum((day.classes for day in life.days), Counter[str]())
    most, least = MOST_SECONDS * days / DAYS, LEAST_CLICKS * days / DAYS
    note = f"{cpu:.0f} CPU s, {days} days, {PUBLISHERS} publishers, {life.bids:,} bids recomputed"
    valid = classes["valid"]
    return [
        Figure("simulated month", seconds, "s", f"<= {most:g}", seconds <= most, note),
        Figure("its valid clicks", valid, "", f">= {least:,.0f}", valid >= least, str(classes)),
    ]
