"""Operation 51: lines while the report is made, one stream per key, and an end in any case."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.asgi import call
from handbill.contract.reports.models import StatsReportRequest
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.http.kinds import Public
from handbill.http.operations import Answer, Operation
from handbill.http.streaming import ChunkedAnswer as Sent
from handbill.http.streaming import Chunks as Made
from handbill.kit.instants import MINUTE
from handbill.kit.jsons import decode
from handbill.stats import reporting, rows, streaming
from handbill.stats.answering import Answering
from handbill.stats.questions import Plan
from handbill.stats.streaming import StatsLines
from handbill.store.records import Records
from market import noun_of
from rooms.report_desk import Desk, traffic
from rooms.test_stats_http import House, filled

_DAYS = {"startDate": "2026-10-01", "endDate": "2026-11-30"}


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


@pytest.fixture
def house(records: Records, tmp_path: Path) -> Iterator[House]:
    found = House(records, tmp_path)
    yield found
    found.journal.close()


def plan_of(market: Desk, client_no: int, **asked: Any) -> Plan:
    client = market.client_noun(client_no)
    wish = noun_of(StatsReportRequest, {"filterBy": _DAYS} | asked)
    with market.records.read() as tx:
        return reporting.grouped_plan(tx, client, wish, market.clock.now())


def stream_of(market: Desk, plan: Plan, release: Callable[[], None] = lambda: None) -> StatsLines:
    answering = Answering(market.records, market.blobs, market.ids, market.scratch)
    return StatsLines(answering, plan, market.clock, release)


def told(lines: list[bytes]) -> list[dict[str, Any]]:
    """The rows of all lines, whose numbers must be in order."""
    found = [decode(line) for line in lines]
    assert [line["streamNumber"] for line in found] == list(range(1, len(found) + 1))
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    assert all(list(line) == ["streamNumber", "stats"] for line in found)
    return [row for line in found for row in line["stats"]]


def test_a_stream_says_what_polling_says(market: Desk) -> None:
    client_no = traffic(market)
    stream = stream_of(market, plan_of(market, client_no, groupBy="JOB", groupByPublisher=True))
    streamed = told(list(stream))
    stream.close()
    polled = market.lines(client_no, "JOB", "PUBLISHER")
    assert [list(row) for row in streamed] == [list(row) for row in polled]
    assert len(streamed) == 5, "four jobs, and what no click led to"
    for one, other in zip(streamed, polled, strict=True):
        for name, value in one.items():
            spelled = other[name].removeprefix("'")
            assert value == (Decimal(spelled) if isinstance(value, int | Decimal) else spelled)


def test_a_line_has_a_thousand_rows_at_most(market: Desk) -> None:
    listing = market.listing()
    for n in range(1_001):
        job = msgspec.structs.replace(listing, job_id=n.to_bytes(16, "big"))
        market.clicked(job)
    market.job(listing.client_no, listing.job_id)
    market.judge_all()
    stream = stream_of(market, plan_of(market, listing.client_no, groupBy="JOB"))
    lines = list(stream)
    stream.close()
    assert [len(decode(line)["stats"]) for line in lines if decode(line)["stats"]] == [1_000, 1]
    assert len({row["jobId"] for row in told(lines)}) == 1_001


def test_nothing_to_tell_is_one_empty_line(market: Desk) -> None:
    stream = stream_of(market, plan_of(market, market.client()))
    first, *more = stream
    assert first == b'{"streamNumber":1,"stats":[]}\n'
    assert told(more and [first, *more]) == []
    stream.close()


def test_a_stream_ends_after_ten_minutes_and_says_so(market: Desk) -> None:
    stream = stream_of(market, plan_of(market, traffic(market), groupBy="JOB"))
    next(stream)
    market.clock.forward(10 * MINUTE)
    (line,) = [decode(line) for line in stream]
    assert line == {
        "streamNumber": 2,
        "stats": [],
        "message": "the stream ends after ten minutes; request less, or a report",
    }
    stream.close()


def test_a_stream_that_is_closed_early_lets_go_of_everything(market: Desk) -> None:
    released: list[int] = []
    plan = plan_of(market, traffic(market), groupBy="JOB")
    former = set(market.scratch.iterdir())
    for steps in (0, 1):
        stream = stream_of(market, plan, lambda: released.append(1))
        for _ in range(steps):
            next(stream)
        stream.close()
        stream.close()
        assert list(stream) == []
    assert released == [1, 1]
    assert set(market.scratch.iterdir()) == former


def test_a_failure_is_told_in_the_last_line(market: Desk) -> None:
    plan = plan_of(market, traffic(market), groupBy="JOB")
    for path in market.blobs.paths("segments"):
        market.blobs.put(path, b"not a segment")
    stream = stream_of(market, plan)
    *_, line = [decode(line) for line in stream]
    stream.close()
    assert line["message"] == "the report could not be made"


# ── through the application ─────────────────────────────────────────────────────────────────────
def test_a_stream_through_the_application(house: House) -> None:
    filled(house)
    body = {"groupBy": "CLIENT", "groupByPublisher": True, "filterBy": _DAYS}
    reply = house.ask("POST", "/stats/stream", body)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    assert reply.headers["x-request-id"]
    (row,) = told(reply.raw.splitlines(keepends=True))
    assert (row["clientId"], row["clicks"], row["applies"]) == (house.client_id, 1, 1)
    # The stream was given back.
    assert house.ask("POST", "/stats/stream", body).status == 200


def test_one_stream_per_credential(house: House) -> None:
    body = {"filterBy": _DAYS}
    now = house.market.clock.now()
    with house.market.records.write() as tx:
        ((key_no,),) = tx.run_text("SELECT no FROM api_keys", {})[0]
        streaming.hold(tx, key_no, "another", now, 8)
    reply = house.ask("POST", "/stats/stream", body)
    assert (reply.status, reply.headers["retry-after"]) == (429, "5")
    assert "another stream" in reply.json["message"]
    house.market.clock.forward(streaming.LASTS + 2 * MINUTE)
    assert house.ask("POST", "/stats/stream", body).status == 200
    with house.market.records.write() as tx:
        for other in range(Settings().streams_at_once):
            rows.put_stream(tx, 1_000 + other, "x", house.market.clock.now() + 1)
    assert "try again later" in house.ask("POST", "/stats/stream", body).json["message"]


def test_streams_are_refused_as_polling_is(house: House) -> None:
    body = {"filterBy": _DAYS}
    assert house.ask("POST", "/stats/stream", {}).status == 400
    assert house.ask("POST", "/stats/stream", body, x_client_id="nobody").status == 403
    foreign = {"filterBy": _DAYS | {"campaignIds": ["x"]}}
    assert house.ask("POST", "/stats/stream", foreign).status == 404
    with house.market.records.read() as tx:
        assert rows.streams(tx, house.market.clock.now()) == set()


def test_whoever_is_to_be_called_back_gets_a_file_too(house: House) -> None:
    body = {"filterBy": _DAYS, "callBackUrl": "https:domain.com/x"}
    assert house.ask("POST", "/stats/stream", body).status == 200
    with house.market.records.read() as tx:
        found = tx.run_text("SELECT url, state FROM callbacks", {})[0]
    assert found == [("https://domain.com/x", "WAITING")]


# ── bodies that are made while they are sent ────────────────────────────────────────────────────
class Chunks(Iterator[bytes]):
    def __init__(self, *made: bytes | Exception) -> None:
        self.made = list(made)
        self.closed = 0

    def __next__(self) -> bytes:
        if not self.made:
            raise StopIteration
        made = self.made.pop(0)
        if isinstance(made, Exception):
            raise made
        return made

    def close(self) -> None:
        self.closed += 1


def _app(house: House, chunks: Chunks) -> Any:
    made = Operation(
        name="chunks",
        verb="GET",
        path="/chunks",
        title="",
        about="",
        tag="",
        kind=Public(),
        work=lambda _: Answer(chunks=chunks, headers={"content-length": "2"}),
        answer={},
    )
    return Application([made], house.desk)


def test_chunks_are_sent_one_by_one_and_closed(house: House) -> None:
    chunks = Chunks(b"a", b"b")
    assert call(_app(house, chunks), "GET", "/chunks").raw == b"ab"
    assert chunks.closed == 1
    chunks = Chunks(b"a", b"b")
    reply = call(_app(house, chunks), "HEAD", "/chunks")
    assert (reply.raw, reply.headers["content-length"]) == (b"", "2")
    assert len(chunks.made) == 2


def test_a_failure_before_the_first_chunk_is_an_answer(house: House) -> None:
    chunks = Chunks(RuntimeError("x"))
    assert call(_app(house, chunks), "GET", "/chunks").status == 500
    assert chunks.closed == 1


def test_a_failure_later_breaks_the_body_off(house: House) -> None:
    chunks = Chunks(b"a", RuntimeError("x"), b"b")
    assert call(_app(house, chunks), "GET", "/chunks").raw == b"a"
    assert chunks.closed == 1


async def _silence() -> Any:
    await asyncio.Event().wait()


def test_a_reader_that_takes_nothing_is_cut_off() -> None:
    chunks = Chunks(b"b")
    sent: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as threads:
        sending = Sent(b"a", Made(chunks, threads), 200, {}, slow_seconds=0.01)
        asyncio.run(sending({"type": "http"}, _silence, send))
    assert sent == ["http.response.start", "http.response.body"]
    assert (chunks.closed, chunks.made) == (1, [b"b"])


def test_a_reader_that_leaves_ends_the_making() -> None:
    chunks = Chunks(*[b"x"] * 1_000)
    left = [{"type": "http.disconnect"}, {"type": "http.request", "body": b""}]

    async def receive() -> Any:
        return left.pop()

    async def send(message: Any) -> None:
        return  # as if it were still there

    with ThreadPoolExecutor(1) as threads:
        sending = Sent(b"a", Made(chunks, threads), 200, {})
        asyncio.run(sending({"type": "http"}, receive, send))
    assert chunks.closed == 1
    assert len(chunks.made) > 900
