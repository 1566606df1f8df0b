"""``python -m bench [name …]``: run all benches but the long ones, or those named, and show each
figure. Those of ``LONG`` take minutes (``soak`` half an hour), and are run by name only; a number
behind the name says how much: ``soak:5`` minutes, ``attack:2000`` requests, ``neighbours:50`` of
each, ``large_import:700000`` jobs, ``pacing:40`` job groups, ``control:100000`` jobs, ``rules:10``
times as much, ``changes:100000`` changes, ``pages:1000000`` events, ``race:50000`` clicks a judge,
``mixed:3000`` files, ``capped:50000`` jobs, ``simulated:3`` days.
``large_import_postgresql``, ``race_postgresql``: the same with the records in a PostgreSQL of its
own.
"""

import importlib
import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from bench.figures import Figure, show
from bench.postgresql import records_on_postgresql

ORDER = (
    "click",
    "feed_import",
    "feed_out",
    "matching",
    "judge",
    "books",
    "report",
    "rules",
    "overview",
    "api",
)
LONG = (
    "soak",
    "neighbours",
    "attack",
    "large_import",
    "large_import_postgresql",
    "pacing",
    "control",
    "capped",
    "changes",
    "pages",
    "mixed",
    "race",
    "race_postgresql",
    "simulated",
)
_ON_POSTGRESQL = "_postgresql"
OUT = Path(__file__).parent / "out"


def main(words: list[str]) -> None:
    """A missed limit is shown as such; only a bench that crashes ends with a failure."""
    wanted = [word.partition(":")[::2] for word in words or ORDER]
    unknown = [name for name, _ in wanted if name not in ORDER + LONG]
    if unknown:
        sys.exit(f"no such bench: {', '.join(unknown)}; there are {', '.join(ORDER + LONG)}")
    figures: list[Figure] = []
    try:
        for name, size in wanted:
            print(f"{name} …", file=sys.stderr, flush=True)
            bench = importlib.import_module(f"bench.{name.removesuffix(_ON_POSTGRESQL)}")
            elsewhere = name.endswith(_ON_POSTGRESQL)
            with records_on_postgresql() if elsewhere else nullcontext():
                figures += bench.run(*([int(size)] if size else []))
    finally:
        show(figures)  # those before a bench that crashed, too
    OUT.mkdir(exist_ok=True)
    text = json.dumps([asdict(figure) for figure in figures], indent=2)
    (OUT / "figures.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
