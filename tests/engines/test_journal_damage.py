"""Damage to one source holds up no other, and loses nothing in silence.

Three sources are written; one of them is damaged in any way: a byte flipped, a segment cut, a
segment or the folder gone. What is acknowledged is read, or is counted by a damage.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from handbill.host.ids import SystemIds
from handbill.store.journal import JournalWriter
from handbill.store.journal_reading import JournalReader
from handbill.store.journal_streams import Damage, StreamMark

SOURCES = ("api-0", "edge-0", "edge-1")


def write(folder: Path, chance: Random) -> dict[str, list[bytes]]:
    """Several lives of each source; a life has groups of one or of many records."""
    written: dict[str, list[bytes]] = {}
    for source in SOURCES:
        told = written.setdefault(source, [])
        for life in range(3):
            writer = JournalWriter(folder, source, SystemIds())
            for _ in range(chance.randrange(1, 5)):
                group = [
                    b"%s %d %d" % (source.encode(), life, len(told) + n)
                    + b"x" * chance.randrange(60)
                    for n in range(chance.randrange(1, 6))
                ]
                with writer._ready:  # one group, one sync
                    for record in group[:-1]:
                        writer._take(record)
                writer.append_now(group[-1])
                told += group
            if chance.random() < 0.7:
                writer.close()
            else:
                kill(writer)
    return written


def kill(writer: JournalWriter) -> None:
    """End as a killed process does: without a last frame."""
    writer._end = lambda kind: b""  # type: ignore[method-assign]
    writer.close()


def drain(
    folder: Path, marks: dict[str, StreamMark]
) -> Iterator[tuple[dict[str, list[bytes]], tuple[Damage, ...]]]:
    """Read to the end; then pass what is damaged, as the quarantine does, and read on."""
    reader = JournalReader(folder)
    while True:
        got: dict[str, list[bytes]] = {}
        while True:
            reading = reader.read(marks, 7)
            marks.update((source, StreamMark(1, 0)) for source in reading.begun)
            for entry in reading.lines:
                got.setdefault(entry.source.partition("/")[0], []).append(entry.record)
                marks[entry.source] = entry.mark_after
            if not reading.lines:
                break
        yield got, reading.damages
        if not reading.damages:
            return
        for damage in reading.damages:
            assert damage.at[:2] >= marks[damage.source][:2]
            marks[damage.source] = damage.to or marks[damage.source]._replace(is_written_off=True)


def flip(folder: Path, chance: Random) -> None:
    path = chance.choice(sorted(folder.glob("*.log")))
    raw = bytearray(path.read_bytes())
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    path.write_bytes(raw)


def cut(folder: Path, chance: Random) -> None:
    path = chance.choice(sorted(folder.glob("*.log")))
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def drop(folder: Path, chance: Random) -> None:
    chance.choice(sorted(folder.glob("*.log"))).unlink()


def drop_two(folder: Path, chance: Random) -> None:
    for path in chance.sample(sorted(folder.glob("*.log")), 2):
        path.unlink()


def lose(folder: Path, chance: Random) -> None:
    shutil.rmtree(folder)


def lose_witness(folder: Path, chance: Random) -> None:
    for path in folder.glob("*.acknowledged"):
        path.unlink()


WAYS = [flip] * 5 + [cut] * 3 + [drop, drop_two, lose, lose_witness]


@pytest.mark.parametrize("seed", range(150))
def test_whatever_is_damaged_is_read_or_counted(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    written = write(tmp_path, chance)
    marks: dict[str, StreamMark] = {}
    # So many are judged before, at least that the sources are known.
    reading = JournalReader(tmp_path).read({}, chance.randrange(1, 20))
    marks.update((source, StreamMark(1, 0)) for source in reading.begun)
    before: dict[str, list[bytes]] = {}
    for entry in reading.lines:
        before.setdefault(entry.source.partition("/")[0], []).append(entry.record)
        marks[entry.source] = entry.mark_after
    damaged = chance.choice(SOURCES)
    way: Callable[[Path, Random], None] = chance.choice(WAYS)
    way(tmp_path / damaged, chance)
    writer = JournalWriter(
        tmp_path, damaged, SystemIds()
    )  # the next life, which is never held up by a loss
    writer.append_now(b"after")
    writer.close()

    rounds = list(drain(tmp_path, marks))
    read = {
        source: before.get(source, []) + [it for got, _ in rounds for it in got.get(source, [])]
        for source in SOURCES
    }
    for source in set(SOURCES) - {damaged}:
        assert before.get(source, []) + rounds[0][0].get(source, []) == written[source]
    assert all(it.source.startswith(f"{damaged}/") for _, damages in rounds for it in damages)
    assert read[damaged].count(b"after") == 1
    if way in {drop, drop_two, lose}:
        epochs = len(list((tmp_path / damaged).glob("*.acknowledged")))
        assert way is drop_two or way is drop or epochs == 1
    rest = [it for it in read[damaged] if it != b"after"]
    assert len(set(rest)) == len(rest), "nothing is read twice"
    assert [it for it in written[damaged] if it in rest] == rest, "in order"
    missing = len(written[damaged]) - len(rest)
    told = [it.records for _, damages in rounds for it in damages]
    counted = [records for records in told if records is not None]
    assert missing == 0 or told, f"{missing} were lost in silence by {way.__name__}"
    if len(counted) == len(told):
        assert missing <= sum(counted)
    if way is flip:
        assert missing <= 1, "a flipped bit costs no more than the record that it is in"
        assert counted == told
        assert sum(counted) == missing


@pytest.mark.parametrize("way", [cut, drop, lose])
def test_a_writer_notices_what_is_done_to_its_files(
    tmp_path: Path, way: Callable[[Path, Random], None]
) -> None:
    """What it acknowledges afterwards is in a new epoch, and what it had is counted."""
    writer = JournalWriter(tmp_path, "edge-0", SystemIds())
    for n in range(9):
        writer.append_now(b"%d" % n)
    reader = JournalReader(tmp_path)
    marks = dict.fromkeys(reader.read({}, 1).begun, StreamMark(1, 0))
    way(tmp_path / "edge-0", Random(4))
    writer.append_now(b"then")
    writer.append_now(b"later")
    ((got, damages), *rest) = list(drain(tmp_path, marks))
    found = got["edge-0"]
    assert found[-2:] == [b"then", b"later"]
    (damage,) = damages
    assert damage.records == 9 - len(found[:-2])
    assert [got for got, _ in rest] == [{}]
    writer.close()
    assert JournalReader(tmp_path).read(marks, 10).damages == ()


def test_a_loss_is_known_though_nothing_was_read_yet(tmp_path: Path) -> None:
    """By the writer alone: no mark says that the source was ever there."""
    writer = JournalWriter(tmp_path, "edge-0", SystemIds())
    for n in range(5):
        writer.append_now(b"%d" % n)
    shutil.rmtree(tmp_path)
    writer.append_now(b"after")
    reading = JournalReader(tmp_path).read({}, 10)
    assert [entry.record for entry in reading.lines] == [b"after"]
    assert [(it.records, it.reason) for it in reading.damages] == [(5, "segment 1 is gone")]
    writer.close()


def test_what_is_repaired_is_read_again(tmp_path: Path) -> None:
    JournalWriter(tmp_path, "edge-0", SystemIds()).close()
    writer = JournalWriter(tmp_path, "edge-0", SystemIds())
    writer.append_now(b"one")
    writer.append_now(b"two")
    writer.close()
    path = max((tmp_path / "edge-0").glob("*.log"))
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"one", b"0ne"))
    reader = JournalReader(tmp_path)
    assert len(reader.read({}, 10).damages) == 1
    path.write_bytes(raw)
    found = [reader.read({}, 10) for _ in range(100)]
    assert [entry.record for entry in found[-1].lines] == [b"one", b"two"]


def test_a_folder_that_comes_back_is_read_from_its_mark(tmp_path: Path) -> None:
    """As a disk that was not mounted: nothing is read twice, and nothing of either is lost."""
    journal, away = tmp_path / "journal", tmp_path / "away"
    writer = JournalWriter(journal, "edge-0", SystemIds())
    for record in (b"one", b"two"):
        writer.append_now(record)
    writer.close()
    reader = JournalReader(journal)
    (first,) = reader.read({}, 1).lines
    marks = {first.source: first.mark_after}
    journal.rename(away)
    writer = JournalWriter(journal, "edge-0", SystemIds())
    writer.append_now(b"three")
    writer.close()
    reading = reader.read(marks, 10)
    assert [entry.record for entry in reading.lines] == [b"three"]
    assert [(it.source, it.to) for it in reading.damages] == [(first.source, None)]
    marks[first.source] = first.mark_after._replace(is_written_off=True)
    assert reader.read(marks, 10).damages == ()
    shutil.rmtree(journal)
    away.rename(journal)
    assert [entry.record for entry in reader.read(marks, 10).lines] == [b"two"]


def test_a_copy_of_a_folder_gets_an_epoch_of_its_own(tmp_path: Path) -> None:
    """What is written to it is not taken for what is written to the original."""
    JournalWriter(tmp_path / "a", "edge-0", SystemIds()).close()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    streams = []
    for folder in ("a", "b"):
        writer = JournalWriter(tmp_path / folder, "edge-0", SystemIds())
        writer.append_now(folder.encode())
        writer.close()
        reading = JournalReader(tmp_path / folder).read({}, 10)
        assert reading.damages == ()
        streams += [entry.source for entry in reading.lines]
    assert len(set(streams)) == 2


def test_marks_beyond_the_journal_are_told(tmp_path: Path) -> None:
    JournalWriter(tmp_path, "edge-0", SystemIds()).close()
    (stream,) = JournalReader(tmp_path).read({}, 1).begun
    (damage,) = JournalReader(tmp_path).read({stream: StreamMark(9, 40)}, 10).damages
    assert "older than the position judged" in damage.reason
    assert JournalReader(tmp_path).read({stream: StreamMark(2, 0)}, 10).damages == ()


def test_sources_of_others_are_not_missed(tmp_path: Path) -> None:
    marks = {
        "edge-0.theirs/0015f3a9c21": StreamMark(1, 24),
        "edge-0.ours/0015f3a9c22": StreamMark(1, 24),
    }
    reader = JournalReader(tmp_path, lambda source: source.endswith(".ours"))
    assert [it.source for it in reader.read(marks, 10).damages] == ["edge-0.ours/0015f3a9c22"]
