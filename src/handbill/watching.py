"""Checks now and then what the API needs: whether it is ready, and the figures of the records.

One check at a time, in a thread of its own: records that do not answer delay nothing else.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from logging import getLogger

from handbill.core import health
from handbill.core.health import CheckResult
from handbill.host import figures
from handbill.host.beats import silence_of
from handbill.host.clock import ticking
from handbill.host.folders import room_of
from handbill.http.operations import Desk
from handbill.kit.faults import passes
from handbill.kit.instants import SECOND, Instant
from handbill.ledger.service import waiting_since
from handbill.listings.service import missing_files
from handbill.opening import journal_reader
from handbill.store import asides
from handbill.store.journal_reading import JournalReader
from handbill.store.records import Tx
from handbill.work.depths import depths
from handbill.work.schedule import standings
from handbill.work.tools import Schedule

_LOG = getLogger("handbill.api")
LOOK_SECONDS = 10.0
_FRESH_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0


class Readiness:
    """``checks`` tells whether everything that the API needs is there."""

    def __init__(self, desk: Desk, items: Sequence[Schedule]) -> None:
        self._desk = desk
        self._items = items
        self._journal: JournalReader | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._looking: asyncio.Future[list[CheckResult]] | None = None
        self._began = 0.0
        self._queues: dict[tuple[str, str], int] = {}

    async def checks(self) -> list[CheckResult]:
        """The checks as of now, or of a second ago."""
        looking = self._looking
        if looking is None or (looking.done() and ticking() - self._began > _FRESH_SECONDS):
            self._began = ticking()
            loop = asyncio.get_running_loop()
            looking = self._looking = loop.run_in_executor(self._thread, self._look)
        try:
            return await asyncio.wait_for(asyncio.shield(looking), _PATIENCE_SECONDS)
        except TimeoutError:
            why = f"The records do not answer within {_PATIENCE_SECONDS:.0f} s"
            return [health.records_away(why), self._disk()]

    async def go_on(self) -> None:
        """Check again and again, so that there are figures for those who scrape an edge."""
        while True:
            await self.checks()
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> list[CheckResult]:
        try:
            checks = self._read()
        except Exception as failure:  # noqa: BLE001 - told to who asks, and logged
            trace = None if passes(failure) else failure
            _LOG.warning("the records do not answer: %s", failure, exc_info=trace)
            checks = [health.records_away("The records do not answer")]
        checks.append(self._disk())
        for check in checks:
            figures.READY.labels("api", check.name).set(check.ok)
        return checks

    def _read(self) -> list[CheckResult]:
        """Read the figures of the records. The judge may just have deleted what the marks of a
        moment ago point to, so only what is missing twice is reported.
        """
        desk = self._desk
        journal = self._journal = self._journal or journal_reader(
            desk.settings, desk.records, desk.ids
        )
        for _ in range(2):
            with desk.records.read() as tx:
                waiting, damages = waiting_since(tx, journal, desk.clock.now())
                if not damages:
                    break
        figures.gauge("handbill_journal_damaged", "Sources at which the judge cannot continue").set(
            len(damages)
        )
        with desk.records.read() as tx:
            return [
                *self._of_records(tx, waiting, desk.clock.now()),
                health.damages(sorted({damage.source for damage in damages})),
            ]

    def _of_records(self, tx: Tx, waiting: Instant | None, now: Instant) -> list[CheckResult]:
        settings = self._desk.settings
        items = standings(tx, self._items, now)
        lag = health.lag_seconds(waiting, now)
        figures.gauge("handbill_judge_lag_seconds", "Age of the oldest event not judged").set(lag)
        for item in items:
            figures.SCHEDULE_LATE.labels(item.name).set(item.late / SECOND)
            if item.ran_at is not None:
                figures.SCHEDULE_RAN.labels(item.name).set(item.ran_at / SECOND)
        self._queues = dict.fromkeys(self._queues, 0) | depths(tx)
        for labels, count in self._queues.items():
            figures.QUEUE.labels(*labels).set(count)
        figures.gauge(
            "handbill_looked_timestamp_seconds", "When the records were last examined"
        ).set(now / SECOND)
        # Reported, but no reason to turn callers away: one client's trouble stops nobody else.
        figures.gauge("handbill_clients_aside", "Clients that cannot be judged").set(
            len(asides.every(tx))
        )
        silence = silence_of(settings.beats_folder, "judge-0")
        late = [health.Late(item.name, item.late) for item in items]
        return [
            CheckResult("records", True, "The records answer."),
            health.judge(silence, waiting, now, settings.judge_lag_seconds),
            health.schedule(late, settings.schedule_late_seconds),
            health.feeds(missing_files(tx, settings)),
        ]

    def _disk(self) -> CheckResult:
        free, files = room_of(self._desk.settings.data_folder)
        figures.gauge("handbill_disk_free_bytes", "Free space of the data folder").set(free)
        return health.disk(free, files, self._desk.settings.least_free_bytes)
