"""Damage to the journal, as an operator meets it: told of, set aside with a receipt, judged on."""

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from handbill.core.received import encode
from handbill.host.ids import SystemIds
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, MINUTE, SECOND, iso_of
from handbill.ledger.checking import check
from handbill.ledger.quarantining import SourceStillWritten, damages, quarantine, receipts
from handbill.store import marks
from handbill.store.journal import JournalWriter
from handbill.store.journal_reading import JournalReader
from handbill.store.records import Records
from handbill.supervise import with_ports
from market import HUMAN, START, Lines, Market, dispositions
from rooms.test_ledger_crash import Cut, CutRecords, cut
from serving import Office, asked, beside, handbill, serving, until

AHEAD = 2 * 86_400


class House:
    """A market whose journal is in files: three sources of six clicks each."""

    def __init__(self, records: Records, folder: Path) -> None:
        self.market = Market(records, folder)
        self.folder = folder / "journal"
        listing = self.market.listing()
        self.lines = self.market.journal.sources
        for source in ("edge-0", "edge-1", "edge-2"):
            for n in range(6):
                _, event = self.market.click(
                    listing, at=START + n * SECOND, agent=f"{HUMAN} {source} {n}"
                )
                self.market.journal.add([event], source)
            self._write(source)
        self.market.journal = JournalReader(self.folder)  # type: ignore[assignment]

    def _write(self, source: str) -> None:
        writer = JournalWriter(self.folder, source, SystemIds())
        for line in self.lines[source]:
            writer.append_now(line)
        writer.close()

    def path(self, source: str) -> Path:
        return max((self.folder / source).glob("*.log"))

    def flip(self, source: str, n: int) -> None:
        """Damage the n-th click of a source."""
        raw = self.path(source).read_bytes()
        said = f"{source} {n}".encode()
        assert raw.count(said) == 1
        self.path(source).write_bytes(raw.replace(said, said.replace(b" ", b"_")))

    def quarantine(self, source: str | None = None, records: Records | None = None) -> list[Any]:
        records = records or self.market.records
        return quarantine(records, self.folder, JournalReader(self.folder), source, START)

    def damages(self) -> list[str]:
        return [
            it.source
            for it in damages(
                self.market.records, JournalReader(self.folder), self.market.clock.now()
            )
        ]

    def valid(self) -> int:
        """How many are, when a judge that has just begun has judged all that it can."""
        self.market.journal = JournalReader(self.folder)  # type: ignore[assignment]
        return dispositions(self.market.judged()).count("valid")

    def balanced(self) -> None:
        assert check(self.market.records, self.market.blobs, self.market.scratch).faults == []


@pytest.fixture
def house(sqlite_records: Records, tmp_path: Path) -> House:
    return House(sqlite_records, tmp_path)


def test_a_flipped_bit_stops_its_source_until_it_is_set_aside(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.flip("edge-1", 3)
    assert house.quarantine() == [], "what is whole before it is judged first"
    assert house.valid() == 15
    assert caplog.text.count("handbill journal quarantine") == 1, "one alarm"
    house.market.clock.forward(60 * MINUTE)
    house.market.judge_all()
    with house.market.records.read() as tx:
        assert marks.judged_at(tx, 1) == 0, "what waits for a click waits for the quarantine too"
    (source,) = house.damages()
    assert house.quarantine("edge-2") == [], "never what is healthy"
    (receipt,) = house.quarantine("edge-1")
    assert (receipt.source, receipt.records_missing) == (source, 1)
    stamps = [iso_of(START + n * SECOND) for n in range(6)]
    assert (receipt.received_after, receipt.received_before) == (stamps[2], stamps[4])
    (kept,) = receipt.kept
    size = (house.folder / ".quarantine" / kept).stat().st_size
    assert size == receipt.to_byte - receipt.from_byte
    assert house.quarantine() == house.damages() == []
    assert house.valid() == 17
    assert receipts(house.folder) == [receipt]
    house.balanced()


@pytest.mark.parametrize("at", [*range(1, 7), -1])
def test_cut_short_anywhere_it_is_done_once(house: House, at: int) -> None:
    house.flip("edge-0", 1)
    house.flip("edge-0", 4)
    house.flip("edge-1", 2)
    before = house.valid()
    records = CutRecords(house.market.records, at, cut)
    records.armed = True
    with suppress(Cut):
        house.quarantine(records=records)
    house.quarantine()
    while house.damages():
        assert house.valid() > before
        house.quarantine()
    assert house.valid() == 15
    told = receipts(house.folder)
    assert sum(receipt.records_missing or 0 for receipt in told) == 3
    assert len(told) == 3
    assert not list((house.folder / ".quarantine").glob("*.pending"))
    house.balanced()


def test_a_lost_folder_is_told_of_and_the_source_goes_on(house: House) -> None:
    house.market.journal = JournalReader(house.folder)  # type: ignore[assignment]
    assert house.valid() == 18
    shutil.rmtree(house.folder / "edge-0")
    listing = house.market.listing(client_no=1, campaign_no=1, group_no=1, publisher_no=1)
    _, event = house.market.click(listing, at=START, agent=f"{HUMAN} later")
    lines = Lines()
    lines.add([event])
    writer = JournalWriter(house.folder, "edge-0", SystemIds())
    writer.append_now(lines.sources["edge-0"][0])
    writer.close()
    assert house.valid() == 19, "booked at once"
    (lost,) = house.damages()
    (receipt,) = house.quarantine()
    assert (receipt.source, receipt.to_segment, receipt.records_missing) == (lost, None, None)
    assert house.quarantine() == house.damages() == []
    assert house.valid() == 19
    house.balanced()


def test_an_older_journal_is_set_aside_whole_once_nobody_writes_it(house: House) -> None:
    older = house.folder.with_name("older")
    shutil.copytree(house.folder, older)
    for source in ("edge-0", "edge-1", "edge-2"):
        for _ in range(2):
            house._write(source)  # redelivered ones: the segments count
    assert house.valid() == 18
    for path in house.folder.glob("edge-0/*"):
        path.unlink()
    for path in older.glob("edge-0/*"):
        shutil.copy(path, house.folder / "edge-0")
    writer = JournalWriter(house.folder, "edge-0", SystemIds())
    with pytest.raises(SourceStillWritten, match="stop the server first"):
        house.quarantine()
    writer.close()
    (receipt,) = house.quarantine()
    assert all((house.folder / ".quarantine" / name).exists() for name in receipt.kept)
    assert receipt.kept
    assert house.damages() == house.quarantine() == []


def test_what_is_stamped_ahead_waits_for_its_time_alone(house: House) -> None:
    listing = house.market.listing(client_no=1, campaign_no=1, group_no=1, publisher_no=1)
    stamps = [0, 11 * MINUTE, 400 * DAY, 9 * MINUTE]
    clicks = [house.market.click(listing, at=START + ahead)[1] for ahead in stamps]
    house.lines["edge-3"] = [encode([click]) for click in clicks]
    house._write("edge-3")
    assert house.valid() == 19, "the other sources, and what comes before it"
    with house.market.records.read() as tx:
        assert marks.judged_at(tx, 1) == 0, "what waits for a click waits"
    assert [it.partition("/")[0] for it in house.damages()] == ["edge-3"]
    house.market.clock.forward(2 * MINUTE)
    assert house.valid() == 20
    (receipt,) = house.quarantine()
    assert receipt.records_missing == 1
    assert "is stamped 2027-12-15T12:00:00.000Z" in receipt.reason
    assert house.valid() == 21
    house.market.clock.forward(400 * DAY)
    assert house.valid() == 21, "set aside for good"
    assert house.damages() == []
    house.balanced()


def test_a_record_that_nobody_understands_stops_its_source_alone(house: House) -> None:
    house.lines["edge-3"] = [house.lines["edge-0"][0], encode([]) + b"?", house.lines["edge-0"][1]]
    house._write("edge-3")
    assert house.valid() == 18
    (receipt,) = house.quarantine()
    assert "says nothing that this version knows" in receipt.reason
    assert receipt.records_missing == 1
    assert house.damages() == []


def test_beside_a_running_server(tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_text("0")
    with serving(tmp_path / "data", clock_file=str(offset)) as server:
        office = Office(server)
        client = office.ask(
            "POST",
            "/clients",
            {"companyName": "E", "exportedName": "e", "timeZone": "UTC+0:00", "advertiserName": "E"}
            | {"startDate": "01/01/2024", "endDate": "01/01/2044", "clientType": "DirectEmployer"}
            | {"caps": {"budget": {"cap": "Monthly", "value": 1}}, "applyConvWindow": 30},
        )["result"]
        with sqlite3.connect(tmp_path / "data" / "records.db") as records:
            ((pixel,),) = records.execute("SELECT pixel_id FROM clients WHERE id = ?", (client,))
        journal = tmp_path / "data" / "journal"

        def tell(name: str) -> None:
            url = f"{server.edge}/px.gif?c={pixel}&a=1&jobApplicationId={name}"
            assert asked(url)[0] == 200

        def booked() -> int:
            with closing(sqlite3.connect(server.data / "records.db")) as records:
                asked = "SELECT sum(value) FROM tallies WHERE disposition = 'organic'"
                return records.execute(asked).fetchone()[0] or 0

        def counted() -> bool | None:
            tell("first")
            return _when(booked() == 1)

        until("the pixel is known at the edge", counted)
        judge = server.children()["judge-0"]
        os.kill(judge, signal.SIGSTOP)
        for name in ("second", "third", "fourth"):
            tell(name)
        (path,) = journal.glob("edge-0*/*.log")
        path.write_bytes(path.read_bytes().replace(b"third", b"Third"))
        os.kill(judge, signal.SIGCONT)
        checked = until(
            "the judge is there",
            lambda: (
                handbill("journal", "check", "--json", data=server.data) if booked() == 2 else None
            ),
        )
        assert checked.returncode == 1
        (damage,) = json.loads(checked.stdout)["data"]
        assert damage["recordsMissing"] == 1
        assert any("is damaged" in line["message"] for line in server.log)
        status, _, body = until("it is looked at", lambda: _damaged(asked(f"{server.api}/readyz")))
        assert (status, damage["source"].encode() in body) == (503, True)

        made = handbill("journal", "quarantine", "--json", data=server.data)
        assert made.returncode == 0, made.stderr
        (receipt,) = json.loads(made.stdout)["data"]
        assert receipt["recordsMissing"] == 1
        until("it goes on", lambda: _when(booked() == 3))

        shutil.rmtree(journal)
        tell("fifth")
        until("it goes on in a new epoch", lambda: _when(booked() == 4))
        assert handbill("journal", "check", data=server.data).returncode == 1
        assert handbill("journal", "quarantine", data=server.data).returncode == 0
        assert handbill("journal", "check", data=server.data).returncode == 0
        until("it is looked at", lambda: _when(asked(f"{server.api}/readyz")[0] == 200))

        with _door_ahead(server.data, tmp_path / "ahead") as other:
            told = until("the other door", lambda: _status(f"{other}/px.gif?c={pixel}&a=1"))
            assert told == 200
        tell("sixth")
        until("no other door waits", lambda: _when(booked() == 5))
        until("it is looked at", lambda: _damaged(asked(f"{server.api}/readyz")))
        checked = handbill("journal", "check", data=server.data, clock_file=str(offset))
        assert (checked.returncode, "in the future" in checked.stdout) == (1, True)
        offset.write_text(str(AHEAD))
        until("its time has come", lambda: _when(booked() == 6))
        until("it is looked at", lambda: _when(asked(f"{server.api}/readyz")[0] == 200))
        assert handbill("ledger", "check", data=server.data).returncode == 0


@contextmanager
def _door_ahead(data: Path, offset: Path) -> Iterator[str]:
    """One more edge, whose clock was wrong when it began."""
    offset.write_text(str(AHEAD))
    port = str(with_ports(Settings(api_port=0, edge_port=0)).edge_port)
    words = ("edge", "--number", "7", "--edge-port", port)
    door = beside(*words, data=data, clock_file=str(offset))
    try:
        yield f"http://127.0.0.1:{port}"
        door.send_signal(signal.SIGTERM)
        assert door.wait(30) == 0
    finally:
        door.kill()
        door.wait(30)


def _status(url: str) -> int | None:
    try:
        return asked(url)[0]
    except OSError:
        return None  # it does not listen yet


def _damaged(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], bytes] | None:
    return answer if b"damaged at" in answer[2] else None


def _when(is_so: bool) -> bool | None:
    return is_so or None
