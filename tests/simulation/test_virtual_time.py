"""The whole system in one process, over a clock that is put forward and seeded ids: the same twice.

API, edge, worker and judge are made by their composition roots, on the engines that `serve` uses.
"""

import asyncio
import re
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from contract.office import NOON, Office
from handbill.api import open_desk
from handbill.edge import edge_of
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.http1.messages import Headers, Later, Request
from handbill.judge import drain, judge_of
from handbill.kit.instants import HOUR
from handbill.ledger.checking import check
from handbill.opening import open_tools, prepare
from handbill.store.records.tables import metadata
from handbill.work.loop import Worker
from handbill.work.schedule import run_due
from handbill.worker import schedule, tasks
from masters import MASTER_KEY

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
CAPS = {"budget": {"cap": "Daily", "value": 2}}  # four clicks at 0.50
JOBS = 3
HOURS, STEP = 60, 2
# No seed makes an RSA key, and leases go by the records' own clock.
APART = {"secrets", "tasks", "task_turns", "hosts"}


class House:
    """The system over one clock and one source of chance."""

    def __init__(self, folder: Path) -> None:
        self.clock = SetClock(NOON)
        self.outside = Outside(self.clock, SeededIds(7))
        self.settings = Settings(data=str(folder), secrets_key=MASTER_KEY)
        prepare(self.settings, self.outside)
        desk = open_desk(self.settings, self.outside, "api-0")
        self.office = Office(desk).open()
        self.tools = open_tools(self.settings, self.outside)
        self.judge = judge_of(self.settings, self.outside, desk.records)
        self.worker = Worker(self.tools, "worker-0", tasks())

    def advertise(self) -> None:
        office = self.office
        client = office.client(caps=CAPS, timeZone="UTC+0:00")
        office.group(office.campaign(client, caps=CAPS), caps=CAPS)
        for number in range(JOBS):
            job = {
                "refNumber": f"job-{number}",
                "title": "Nurse",
                "country": "US",
                "city": "Boston",
                "description": "Care",
                "company": "Mills",
                "url": f"https://jobs.example/{number}",
            }
            office.ask("POST", f"{client}/jobs", job)

    def step(self) -> None:
        """What is due by the clock, and what the doors have taken."""
        run_due(self.tools.records, schedule(), self.clock.now())
        self.worker.run_due()
        drain(self.judge)

    def links(self) -> list[str]:
        found = list(self.settings.nearby_folder.rglob("*.xml"))
        return sorted(re.findall(r"/c/[\w-]+", found[0].read_text()) if found else ())

    async def click(self, hour: int, links: list[str]) -> Counter[bytes]:
        """A visitor a step follows each link, at a door that opens for it."""
        index = self.tools.index
        edge, journal = edge_of(self.settings, self.outside, index, 0, lambda: None)
        with closing(journal):
            answers = []
            for link in links:
                headers = Headers(AGENT, False, False, None, b"", None, None)
                ip = f"198.51.100.{hour}"
                asked = Request(self.outside.ids.bytes(16), b"GET", link.encode(), headers, ip)
                answer = edge.answer(asked)
                assert isinstance(answer, Later)
                await answer.future
                answers.append(answer.answer.head.split(b" ")[1])
        return Counter(answers)

    def close(self) -> None:
        self.office.desk.journal.close()
        self.tools.index.close()

    def kept(self) -> dict[str, Any]:
        """All rows, and the bytes of all files in the blobs."""
        found: dict[str, Any] = {}
        with self.tools.records.read() as tx:
            for table in metadata.sorted_tables:
                if table.name not in APART:
                    found[table.name] = sorted(map(repr, tx.all(sa.select(table))))
        for path in self.tools.blobs.paths(""):
            found[path] = self.tools.blobs.get(path)
        return found


def lived(folder: Path) -> dict[str, Any]:
    """Two and a half days of a small market, two hours a step."""
    house = House(folder)
    house.advertise()
    links: list[str] = []
    for hour in range(0, HOURS, STEP):
        house.step()
        # While a cap is full the file shows nothing, and visitors go on with what they have.
        links = house.links() or links
        assert links or not hour, "the jobs are in the file"
        answers = asyncio.run(house.click(hour, links))
        assert answers == ({b"302": len(links)} if links else {})
        house.clock.forward(STEP * HOUR)
    house.step()
    kept = house.kept()
    books = check(house.tools.records, house.tools.blobs, folder / "scratch")
    assert books.faults == []
    assert books.sums["received"] >= HOURS // STEP - 1
    # Noon of the first day to midnight of the fourth: three days that are capped, by lowered bids.
    assert 3 * 1_700_000 < books.sums["spendMicros"] <= 3 * 2_000_000
    house.close()
    return kept


def test_the_same_seed_lives_the_same_days(tmp_path: Path) -> None:
    first, again = (lived(tmp_path / name) for name in ("first", "again"))
    assert first.keys() == again.keys()
    assert [name for name in first if first[name] != again[name]] == []
    assert first["segments"]
