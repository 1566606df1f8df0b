"""``python -m bench [name …]``: run all benches but the long ones, or those named, and show each
figure. ``soak`` takes half an hour, and is run by name only.
"""

import importlib
import importlib.util
import json
import sys
from dataclasses import asdict
from pathlib import Path

from bench.figures import Figure, show

ORDER = ("click", "feed_import", "feed_out", "matching", "judge", "books", "report", "api")
LONG = ("soak", "neighbours")
OUT = Path(__file__).parent / "out"


def main(names: list[str]) -> None:
    """A missed limit is shown as such; only a bench that crashes ends with a failure."""
    unknown = [name for name in names if name not in ORDER + LONG]
    if unknown:
        sys.exit(f"no such bench: {', '.join(unknown)}; there are {', '.join(ORDER + LONG)}")
    figures: list[Figure] = []
    for name in names or ORDER:
        if importlib.util.find_spec(f"bench.{name}") is None:
            print(f"{name}: not written yet", file=sys.stderr)
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        found: list[Figure] = importlib.import_module(f"bench.{name}").run()
        figures += found
    show(figures)
    OUT.mkdir(exist_ok=True)
    text = json.dumps([asdict(figure) for figure in figures], indent=2)
    (OUT / "figures.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
