"""A data folder is one host for life; a copy of it is another."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handbill.host.identity import FILE, begin_anew, host_in, host_of, kept_id, source_of
from handbill.host.ids import SystemIds

IDS = SystemIds()


def test_an_id_is_drawn_once_by_whoever_asks_first(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: host_of(folder, IDS), range(32)))
    assert len(found) == 1
    assert {kept_id(folder)} == found
    assert host_in(source_of(folder, IDS, "edge-0")) in found
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_a_moved_folder_is_the_same_host_and_a_copy_is_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = host_of(tmp_path / "data", IDS)
    moved = (tmp_path / "data").rename(tmp_path / "moved")
    assert host_of(moved, IDS) == first
    copy = shutil.copytree(moved, tmp_path / "copy")
    assert kept_id(copy) == first
    second = host_of(copy, IDS)
    assert second != first
    assert f"a copy of host {first}" in caplog.text
    assert (host_of(copy, IDS), host_of(moved, IDS)) == (second, first)


def test_begun_anew_it_is_another_host(tmp_path: Path) -> None:
    first = host_of(tmp_path, IDS)
    second = begin_anew(tmp_path, IDS)
    assert second != first
    assert host_of(tmp_path, IDS) == second


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"id": 7, "file": 1, "folder": 1}'])
def test_what_cannot_be_read_is_drawn_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    drawn = host_of(tmp_path, IDS)
    assert host_of(tmp_path, IDS) == drawn


def test_a_source_of_no_host_names_none() -> None:
    assert host_in("edge-0") == ""
