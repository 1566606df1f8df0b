"""Every inbound exemplar: a feed beside what is read from it.

``<board>/<case>.xml`` is the feed, ``<case>.expected.json`` what becomes of it, and
``<case>.feed.json``, where there is one, the feed's settings as the API spells them; without it the
mapping is what the feed's beginning shows.
"""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.contract.feeds.models import FeedChange
from handbill.core.feeds import FeedBody
from handbill.core.nouns import JobBody
from handbill.feeds.collecting import collect
from handbill.feeds.known_jobs import KnownJobs
from handbill.feeds.reading import FeedLocale, FeedPage, ImportFailed
from handbill.feeds.spools import Spool
from handbill.kit.instants import iso_of

FOLDER = Path(__file__).parent / "inbound"
CASES = sorted(path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("*.xml"))


def read(case: Path, size: int) -> dict[str, Any]:
    """What is read from the case's feed when it comes in chunks of so many bytes."""
    given = (FOLDER / case).with_suffix(".feed.json")
    said = json.loads(given.read_text()) if given.exists() else {}
    zone, currency = said.pop("timeZone", "UTC"), said.pop("currency", "USD")
    body = FeedBody(url="https://feeds.example/", mappings=said.pop("schemaMappings", {}))
    feed = msgspec.structs.replace(body, **FeedChange.read(said, "", []).given())
    raw = (FOLDER / case).with_suffix(".xml").read_bytes()
    chunks = (raw[at : at + size] for at in range(0, len(raw), size))
    try:
        locale = FeedLocale(zone, currency)
        found = collect(FeedPage(chunks), feed, locale, KnownJobs([]), Spool(BytesIO()))
    except ImportFailed as failed:
        return {"reason": failed.reason, "line": failed.line, "message": failed.message}
    mappings = {} if feed.mappings else {"mappings": found.mappings}
    return mappings | {
        "total": found.total,
        "duplicates": found.duplicates,
        "skipped": found.skipped,
        "faults": [
            f"line {fault.line}: {fault.job}: {fault.field} {fault.reason}"
            for fault in found.faults
        ],
        "jobs": [_spelled(job.body, job.posted_on, job.url, job.publishers) for job in found.spool],
    }


def _spelled(
    blob: bytes, posted_on: str | None, target: str, publishers: tuple[str, ...] | None
) -> dict[str, Any]:
    """What a job says, without what it does not say; instants as text."""
    body = msgspec.msgpack.decode(blob, type=JobBody)
    said: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(body).items() if value
    }
    said |= {name: iso_of(value) for name, value in said.items() if name.endswith("_at")}
    if "missing" in said:
        said["missing"] = list(body.missing)
    more = {"posted_on": posted_on, "target": target, "publishers": list(publishers or ())}
    return said | {name: value for name, value in more.items() if value}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_exemplar(case: Path) -> None:
    path = (FOLDER / case).with_suffix(".expected.json")
    expected = json.loads(path.read_text())
    for size in (1_000_000, 13):
        assert read(case, size) == expected


def test_every_expectation_has_its_feed() -> None:
    said = {path.name.split(".")[0] for path in FOLDER.rglob("*.json")}
    assert said <= {case.name for case in CASES}
    assert {case.parts[0] for case in CASES} >= {
        "indeed",
        "talent",
        "jooble",
        "adzuna",
        "careerjet",
        "appcast",
    }
