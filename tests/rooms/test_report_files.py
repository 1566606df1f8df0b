"""A report as files: its formats, its parts, the links that lead to them and their end."""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from handbill.kit.faults import Refused
from handbill.kit.instants import DAY, MINUTE, SECOND, Instant
from handbill.kit.jsons import decode
from handbill.kit.zones import day_of, zone_of
from handbill.stats import files, service
from handbill.stats.rows import Report
from handbill.stats.work import sweep
from handbill.store.records import Records
from handbill.work.queue import Task
from rooms.report_desk import KEYS, Desk, traffic


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


def _asked(query: str) -> list[Any]:
    found = duckdb.sql(query)
    assert found is not None
    return found.fetchall()


def test_answering_twice_comes_to_the_same(market: Desk) -> None:
    listing = market.listing()
    market.clicked(listing)
    market.judge_all()
    report_id = market.ask(listing.client_no, "CLIENT")
    market.run(report_id)
    first = market.report(listing.client_no, report_id)
    market.run(report_id)
    assert market.report(listing.client_no, report_id) == first
    assert len(market.blobs.paths("reports")) == 1


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def test_formats(market: Desk) -> None:
    client_no = traffic(market)
    wanted = market.lines(client_no, "JOBGROUP", "DATE")
    spelled = {}
    for kind, squeezed in (("CSV", True), ("JSONL", False), ("JSONL", True), ("PARQUET", True)):
        report_id = market.ask(client_no, "JOBGROUP", "DATE", format=kind.lower(), gzip=squeezed)
        market.run(report_id)
        (part,) = market.report(client_no, report_id).parts
        raw = market.blobs.get(part.path)
        assert len(raw) == part.bytes
        spelled[kind, squeezed] = (part, raw)
    part, raw = spelled["CSV", True]
    assert part.media_type == "application/gzip"
    assert list(csv.DictReader(io.StringIO(gzip.decompress(raw).decode()))) == wanted
    part, raw = spelled["JSONL", False]
    assert raw == gzip.decompress(spelled["JSONL", True][1])
    told = [decode(line) for line in raw.splitlines()]
    assert [{k: f"{v}" for k, v in line.items()} for line in told] == wanted
    part, raw = spelled["PARQUET", True]
    path = market.folder / "part.parquet"
    path.write_bytes(raw)
    found = _asked(f"SELECT date, clicks, spent, cpc FROM '{path}'")
    assert found == [
        (line["date"], int(line["clicks"]), Decimal(line["spent"]), Decimal(line["cpc"]))
        for line in wanted
    ]


def test_parts_have_a_bounded_number_of_rows(market: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 7)
    client_no = traffic(market)
    report_id = market.ask(client_no, "JOB", "DATE")
    market.run(report_id)
    parts = market.report(client_no, report_id).parts
    assert [part.rows for part in parts[:-1]] == [7] * (len(parts) - 1)
    assert 0 < parts[-1].rows <= 7
    texts = [market.blobs.get(part.path).decode().splitlines() for part in parts]
    assert len({text[0] for text in texts}) == 1
    assert sum(len(text) - 1 for text in texts) == sum(part.rows for part in parts)


def linked(market: Desk) -> Iterator[tuple[int, str, list[str]]]:
    for name in ("c1", "c2"):
        listing = market.listing(
            client_no=market.client(name), publisher_no=market.publisher(f"P{name}")
        )
        market.clicked(listing)
        market.judge_all()
        report_id = market.ask(listing.client_no, "CLIENT")
        market.run(report_id)
        report = market.report(listing.client_no, report_id)
        yield listing.client_no, report_id, service.tokens_of(report, KEYS, market.clock.now())


def fetch(market: Desk, token: str, keys: dict[int, bytes] = KEYS) -> tuple[Report, bytes]:
    with market.records.read() as tx:
        report, part = service.linked_part(tx, token, keys, market.clock.now())
    return report, market.blobs.get(part.path)


def test_a_link_leads_to_its_own_part_for_a_day(market: Desk) -> None:
    for client_no, report_id, (token,) in list(linked(market)):
        report, raw = fetch(market, token)
        assert (report.id, report.client_no) == (report_id, client_no)
        assert raw.startswith(b"clientId,")
    market.clock.forward(DAY - SECOND)
    fetch(market, token)
    market.clock.forward(SECOND)
    with pytest.raises(Refused) as refused:
        fetch(market, token)
    assert refused.value.status == 404


def test_altered_links_lead_nowhere(market: Desk) -> None:
    _, _, (token,) = next(linked(market))
    altered = [
        token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token))
    ]
    for bad in (*altered, "", "A", token + "A", token[:-1], "=" + token, "ü" * 20, "A" * 500):
        with pytest.raises(Refused) as refused:
            fetch(market, bad)
        assert refused.value.status == 404
    with pytest.raises(Refused):
        fetch(market, token, {1: b"o" * 32})
    with pytest.raises(Refused):
        fetch(market, token, {2: KEYS[1]})


def test_old_reports_are_swept_with_their_files(market: Desk) -> None:
    client_no, report_id, _ = next(linked(market))
    market.blobs.put(f"reports/{market.clock.now():016d}-left.csv", b"left by a crash")
    market.clock.forward(service.KEPT_FOR + DAY + SECOND)
    sweep(market.tools, Task(1, "stats.sweep", "", {}, 1, "w"))
    with pytest.raises(Refused):
        market.report(client_no, report_id)
    assert market.blobs.paths("reports") == []


def test_days_of_a_leap_in_offsets() -> None:
    """The expression of days in SQL agrees with the calendar at every quarter of an hour."""
    from handbill.store.segment_days import day_of_number, day_text

    first: Instant = int(datetime(2026, 10, 20, tzinfo=UTC).timestamp()) * SECOND
    end = first + timedelta(days=20) // timedelta(microseconds=1)
    for name in ("America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC-9:30"):
        zone = zone_of(name)
        ats = ", ".join(f"({at})" for at in range(first, end, 15 * MINUTE))
        found = _asked(f'SELECT "at", {day_text(first, end, zone)} FROM (VALUES {ats}) AS t("at")')
        assert len(found) == 20 * 96
        assert all(day_of_number(number) == day_of(at, zone) for at, number in found)
