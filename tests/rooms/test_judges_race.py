"""Judges that race each other and are killed with -9: no cap is passed, nothing is booked twice.

Four processes judge one journal, under caps of each job, of one job, of one job at a publisher, and
of placements, one of them locked; those that are killed die between two statements.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from handbill.core.nouns import (
    Cap,
    Caps,
    GroupBody,
    JobPlacement,
    JobSetting,
    JobSettings,
    Placement,
)
from handbill.host.ids import SystemIds
from handbill.kit.instants import MINUTE
from handbill.ledger.checking import check
from handbill.store.journal import JournalWriter
from handbill.store.journal_reading import JournalReader
from handbill.store.records import Records
from handbill.store.records.tables import groups
from market import START, Market
from rooms.test_job_caps import MICROS, set_job
from serving import LONG, until

CLICKS = 400
SOURCES = ("edge-0", "edge-1", "edge-2", "edge-3")
KILLED_AT = (9, -1, 0, 0)
"""The statements at which two of the judges die; -1: after the commit."""

_JUDGE = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[4:]
from market import RULES
from test_ledger_crash import CutRecords
from handbill.host.clock import SetClock
from handbill.host.ids import SystemIds
from handbill.kit.faults import Unavailable
from handbill.ledger.judge import Judge
from handbill.store.blobs import open_blobs
from handbill.store.journal_reading import JournalReader
from handbill.store.records import open_records
folder, at = Path(sys.argv[1]), int(sys.argv[3])
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
records = CutRecords(open_records(sys.argv[2]), at, kill)
judge = Judge(
    records, open_blobs(str(folder / "blobs")), JournalReader(folder / "journal"),
    SetClock(int(os.environ["NOW"])), SystemIds(), RULES, folder / "scratch",
)
judge._most_events = judge._most_lines = 16
print("ready", flush=True)
sys.stdin.readline()
records.armed = True
idle = 0
while idle < 30:
    judge._most_events = judge._most_lines = 16
    try:
        idle = 0 if judge.step() else idle + 1
    except Unavailable:
        continue
"""


def judging(market: Market, at: int) -> subprocess.Popen[str]:
    here = Path(__file__).parent
    url = market.records.url.replace("+psycopg", "")
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            _JUDGE,
            str(market.folder),
            url,
            str(at),
            str(here),
            str(here.parent),
        ],
        env=os.environ | {"NOW": str(market.clock.now())},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def go(judge: subprocess.Popen[str]) -> None:
    assert judge.stdin is not None
    judge.stdin.write("go\n")
    judge.stdin.flush()


def filled(market: Market) -> tuple[dict[str, Any], set[str]]:
    """Clicks of four sources on three jobs at three publishers; the ids of all."""
    chance, listing = Random(3), market.listing()
    at = {"Board": listing.publisher_no}
    at |= {name: market.publisher(name) for name in ("Locked", "Small")}
    jobs = [chance.randbytes(16) for _ in range(3)]
    for job in jobs:
        market.job(listing.client_no, job)
    placements = [
        Placement("Board"),
        Placement("Locked", budget=Cap("Monthly", 20 * MICROS, locked=True)),
        Placement("Small", budget=Cap("Lifetime", 7 * MICROS)),
    ]
    caps = Caps(budget=Cap("Monthly", 45 * MICROS), job_budget=Cap("Lifetime", 30 * MICROS))
    market.change(groups, listing.group_no, GroupBody("g1", placements=placements, caps=caps))
    own = JobSetting(caps=Caps(clicks=Cap("Monthly", 11)))
    set_job(market, jobs[0], JobSettings(own))
    here = JobPlacement("Board", budget=Cap("Lifetime", 5 * MICROS))
    set_job(market, jobs[1], JobSettings(placements=(here,)))
    clicked = set()
    for n in range(CLICKS):
        where = {"publisher_no": chance.choice(sorted(at.values())), "job_id": chance.choice(jobs)}
        click, event = market.click(msgspec.structs.replace(listing, **where), at=START + n)
        market.journal.add([event], chance.choice(SOURCES))
        clicked.add(click.random.hex())
    for source, lines in market.journal.sources.items():
        writer = JournalWriter(market.folder / "journal", source, SystemIds())
        for line in lines:
            writer.append_now(line)
        writer.close()
    return {"jobs": [job.hex() for job in jobs], "listing": listing}, clicked


def test_four_judges_two_of_which_are_killed(records: Records, tmp_path: Path) -> None:
    market = Market(records, tmp_path)
    made, clicked = filled(market)
    market.clock.forward(MINUTE)
    judges = [judging(market, at) for at in KILLED_AT]
    for judge in judges:
        assert judge.stdout is not None
        assert judge.stdout.readline() == "ready\n", judge.communicate()[1]
    for judge in judges[:2]:
        go(judge)
    # Whoever books first of these two dies, and so does the other unless it is outrun for ever.
    until("one is dead", lambda: any(judge.poll() is not None for judge in judges[:2]) or None)
    for judge in judges[2:]:
        go(judge)
    told = [judge.communicate(timeout=LONG)[1] for judge in judges]
    statuses = [judge.returncode for judge in judges]
    assert statuses[2:] == [0, 0], told
    assert -signal.SIGKILL in statuses[:2]
    market.journal = JournalReader(tmp_path / "journal")  # type: ignore[assignment]
    found = market.judged()

    assert sorted(line["id"] for line in found) == sorted(clicked), "each once"
    first, second, third = made["jobs"]
    spent: Counter[str] = Counter()
    for line in found:
        names = (line["publisherId"], line["jobId"], f"{line['jobId']}/{line['publisherId']}", "")
        spent.update(dict.fromkeys(names, line["spendMicros"] // MICROS))
    assert spent[""] == 45, "all that the job group has, and no more"
    assert (spent["Locked"], spent["Small"]) == (20, 7)
    assert spent["Board"] == 18, "what is neither locked nor capped apart"
    assert spent[first] == 11
    assert spent[f"{second}/Board"] <= 5
    assert spent[third] <= 30
    assert check(market.records, market.blobs, market.scratch).faults == []
