"""Clicks when the journal or the index fails, and over restarts; what metrics tell of it."""

import asyncio
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from door import TOKEN, Door, at_the_door
from handbill.edge import end_with_room
from handbill.host.folders import has_room
from handbill.store.journal import JournalWriter
from serving import LONG


def _disk_full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_broken_journal_is_503_and_nothing_is_counted(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        assert (await door.ask("/readyz")).status == 200
        for _ in range(2):  # the sync that fails, and the refusal after it
            said = await door.ask(f"/c/{TOKEN}")
            assert (said.status, said.headers["retry-after"]) == (503, "1")
            assert "location" not in said.headers
        assert (await door.ask("/px.gif?c=pixel0123456789&a=1")).status == 503
        unready = await door.ask("/readyz")
        assert (unready.status, unready.headers["retry-after"]) == (503, "5")
        (failed,) = [check for check in json.loads(unready.body)["checks"] if not check["ok"]]
        assert (failed["name"], "disk" in failed["says"]) == ("journal", True)
        assert (await door.ask("/livez")).status == 200
        assert (await door.ask(f"/c/{TOKEN}", "HEAD")).status == 302, "nobody waits for it"
        assert door.broken == 1
        assert door.edge.counts.journal_failures == 4

    at_the_door(scenario, tmp_path, sync=_disk_full)


def test_a_broken_edge_stays_until_another_could_begin() -> None:
    async def scenario() -> int:
        looks = iter((False, False, True))
        stop = asyncio.Event()
        end_with_room(stop, lambda: next(looks), seconds=0.0)
        await asyncio.wait_for(stop.wait(), LONG)
        return len(list(looks))

    assert asyncio.run(scenario()) == 0


def test_a_folder_that_is_gone_is_no_full_disk(tmp_path: Path) -> None:
    assert has_room(tmp_path / "gone"), "an edge would otherwise wait for ever"


@pytest.mark.parametrize(
    ("files", "free_files", "is_room"), [(400, 15, False), (400, 16, True), (0, 0, True)]
)
def test_a_disk_that_takes_no_more_files_is_full(
    monkeypatch: pytest.MonkeyPatch, files: int, free_files: int, is_room: bool
) -> None:
    """An edge that ended there could not begin. ``files``: 0 where their number has no bound."""
    told = {"f_bavail": 10**6, "f_frsize": 4096, "f_files": files, "f_favail": free_files}
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**told))
    assert has_room(Path()) is is_room


def test_a_damaged_index_is_503_and_told(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        click = f"/c/{TOKEN}"
        assert (await door.ask(click)).status == 302
        with (tmp_path / "index" / "data.mdb").open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(2 * 4_096)  # behind the two pages that name the roots
            file.write(b"\xff" * (size - file.tell()))
        for path in (click, "/px.gif?c=pixel0123456789&a=1"):
            assert (await door.ask(path)).status == 503, path
        unready = await door.ask("/readyz")
        assert unready.status == 503
        (failed,) = [check for check in json.loads(unready.body)["checks"] if not check["ok"]]
        assert (failed["name"], "rebuilds it" in failed["says"]) == ("index", True)
        assert (await door.ask("/livez")).status == 200

    at_the_door(scenario, tmp_path)


def test_a_click_is_not_answered_before_it_is_durable(tmp_path: Path) -> None:
    reading, writing = os.pipe()

    def held(fd: int) -> None:
        os.read(reading, 1)  # the disk takes its time: until the test lets it go on
        os.fdatasync(fd)

    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(f"GET /c/{TOKEN} HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
        assert (await door.ask("/livez")).status == 200, "others go on meanwhile"
        assert client.reader._buffer == b""  # type: ignore[attr-defined]
        os.write(writing, b"xx")  # once for the group, once for what may follow
        assert (await client.said()).status == 302
        assert len(door.events()) == 1

    try:
        at_the_door(scenario, tmp_path, sync=held, writer=JournalWriter)
    finally:
        os.close(reading)
        os.close(writing)


def test_clicks_go_on_after_a_restart(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        assert (await door.ask(f"/c/{TOKEN}")).status == 302

    at_the_door(scenario, tmp_path)
    at_the_door(scenario, tmp_path)

    async def count(door: Door) -> int:
        return len(door.events())

    assert at_the_door(count, tmp_path) == 2


async def _figures(door: Door) -> dict[str, float]:
    said = await door.ask("/metrics")
    assert said.status == 200
    lines = [line.rpartition(" ") for line in said.body.decode().splitlines()]
    return {name: float(value) for name, _, value in lines if name.startswith("handbill_edge_")}


def test_metrics_are_for_the_neighbourhood(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        before = await _figures(door)
        await door.ask(f"/c/{TOKEN}")
        await door.ask("/c/rubbish")
        after = await _figures(door)
        grown = {name: after[name] - before[name] for name in after}
        assert grown["handbill_edge_clicks_total"] == grown["handbill_edge_bad_tokens_total"] == 1
        assert grown["handbill_edge_pixels_total"] == 0
        street = await door.ask("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
        assert street.status == 404

    at_the_door(scenario, tmp_path, trusted=("127.0.0.1",))
