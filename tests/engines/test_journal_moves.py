"""What a host that is gone has left in its journal is read elsewhere, once."""

import shutil
from pathlib import Path

import pytest

from handbill.host.ids import SystemIds
from handbill.store.journal import JournalWriter
from handbill.store.journal_moves import JournalStillWritten, bring
from handbill.store.journal_reading import JournalReader
from handbill.store.journal_streams import StreamMark


def _write(folder: Path, *records: bytes) -> None:
    writer = JournalWriter(folder, "edge-0.gone", SystemIds())
    for record in records:
        writer.append_now(record)
    writer.close()


def _read(folder: Path) -> list[bytes]:
    return [entry.record for entry in JournalReader(folder).read({}, 100).lines]


def test_brought_once_and_again_when_there_is_more(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    _write(there, b"1", b"2")
    source = there / "edge-0.gone"
    assert bring([source], here) == ["edge-0.gone"]
    assert _read(here) == [b"1", b"2"]
    assert bring([source], here) == []
    # A copy that was made while a segment grew is completed, and what follows comes too.
    first = min((here / "edge-0.gone").glob("*.log"))
    first.write_bytes(first.read_bytes()[:-10])
    _write(there, b"3")
    reader = JournalReader(here)
    (read,) = reader.read({}, 1).lines
    assert bring([source], here) == ["edge-0.gone"]
    rest = reader.read({read.source: read.mark_after}, 9)
    assert [entry.record for entry in rest.lines] == [b"2", b"3"]
    assert rest.damages == ()
    # What has been judged and deleted here does not come back.
    first.unlink()
    assert bring([source], here) == []
    judged = {read.source: StreamMark(2, 0)}
    assert [entry.record for entry in reader.read(judged, 9).lines] == [b"3"]


def test_what_is_still_written_to_is_refused(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "there", "edge-0.gone", SystemIds())
    with pytest.raises(JournalStillWritten, match=r"edge-0\.gone"):
        bring([tmp_path / "there" / "edge-0.gone"], tmp_path / "here")
    writer.close()
    assert bring([tmp_path / "there" / "edge-0.gone"], tmp_path / "here") == ["edge-0.gone"]


def test_what_a_dead_run_left_half_is_no_source_and_is_brought_anew(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    _write(there, b"1")
    shutil.copytree(there / "edge-0.gone", here / ".arriving-edge-0.gone")
    assert JournalReader(here).sources() == []
    bring([there / "edge-0.gone"], here)
    assert _read(here) == [b"1"]
