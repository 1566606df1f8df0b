"""Operations 49, 50, 58 and the file link, through the real application."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.asgi import Reply, call
from contract.office import OPERATIONS, ApiDoors, Office
from handbill.access.keys import secret
from handbill.core.listing_tokens import click_id
from handbill.core.received import encode
from handbill.host.ids import SystemIds
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.http.operations import Desk
from handbill.kit.instants import DAY, SECOND
from handbill.kit.zones import day_of, zone_of
from handbill.ledger.judge import Judge
from handbill.stats.work import TASKS
from handbill.store.journal import JournalWriter
from handbill.store.journal_reading import JournalReader
from handbill.store.records import Records
from handbill.work.queue import lease
from handbill.work.tools import Tools
from market import RULES, Market

QUESTION = {
    "filters": {"startDate": "11/01/2026", "endDate": "11/30/2026"},
    "aggregationLevel": {"primaryLevel": "PUBLISHER", "secondaryLevel": "DATE"},
}


class House:
    """An agency with one client, the market under it, and a journal of its own."""

    def __init__(self, records: Records, folder: Path) -> None:
        self.market = Market(records, folder)
        self.journal = JournalWriter(folder / "journal", "api-0", SystemIds())
        settings = Settings()
        self.desk = Desk(
            records,
            self.market.blobs,
            self.journal,
            self.market.clock,
            self.market.ids,
            settings,
            ApiDoors(settings),
        )
        self.app = Application(OPERATIONS, self.desk)
        self.office = Office(self.desk, app=self.app).open()
        self.client_id = self.office.client().rpartition("/")[2]
        with records.read() as tx:
            ((self.client_no,),) = tx.run_text("SELECT no FROM clients", {})[0]
            self.key = secret(tx, "listing")[1]

    def ask(self, verb: str, url: str, body: Any = None, **headers: str) -> Reply:
        named = {"x-client-id": self.client_id} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        return call(self.app, verb, url, body, headers=self.office.headers | named)

    def judge(self) -> None:
        market = self.market
        judge = Judge(
            market.records,
            market.blobs,
            JournalReader(market.folder / "journal"),
            market.clock,
            market.ids,
            RULES,
        )
        while judge.step():
            pass

    def work(self) -> None:
        """Run the report tasks that wait."""
        market = self.market
        nothing: Any = None
        tools = Tools(
            market.records,
            market.blobs,
            nothing,
            market.clock,
            market.ids,
            nothing,
            Settings(),
            market.scratch,
        )
        with market.records.write() as tx:
            task = lease(tx, ["stats.report"], "w", market.clock.now(), 60)
        assert task is not None
        TASKS["stats.report"](tools, task)


@pytest.fixture
def house(records: Records, tmp_path: Path) -> Iterator[House]:
    found = House(records, tmp_path)
    yield found
    found.journal.close()


def filled(house: House) -> None:
    """A click from the edge and its apply by S2S, judged."""
    listing = house.market.listing("CPA", client_no=house.client_no)
    click, event = house.market.click(listing)
    edge = JournalWriter(house.market.folder / "journal", "edge-0", SystemIds())

    edge.append_now(encode([event]))
    edge.close()
    house.market.clock.forward(60 * SECOND)
    body = {"clickId": click_id(click, 1, house.key), "a": 3, "jobApplicationId": "app"}
    reply = house.ask("POST", "/s2s/events", body)
    assert (reply.status, reply.json) == (
        200,
        {
            "statusCode": 200,
            "body": "Successfully sent s2s conversion event for further processing.",
        },
    )
    house.judge()


def test_from_event_to_report(house: House) -> None:
    filled(house)
    asked = house.ask("POST", "/stats", QUESTION)
    task_id = asked.json["taskId"]
    assert asked.status == 202
    assert asked.json == {"taskId": task_id, "status": "SUBMITTED"}
    assert asked.headers["location"] == f"/stats/{task_id}"
    waiting = house.ask("GET", f"/stats/{task_id}")
    assert waiting.json == {"status": "SUBMITTED", "location": []}
    house.work()
    done = house.ask("GET", f"/stats/{task_id}")
    assert done.json["status"] == "SUCCESS"
    (link,) = done.json["location"]
    path = link.removeprefix(house.desk.settings.public_api)
    found = call(house.app, "GET", path)
    assert found.status == 200
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    assert found.headers["content-disposition"].startswith("attachment;")
    head, line = found.raw.decode().splitlines()
    told = dict(zip(head.split(","), line.split(","), strict=True))
    assert (told["date"], told["clicks"], told["applies"], told["spent"], told["cpa"]) == (
        "2026-11-10",
        "1",
        "1",
        "1",
        "1",
    )
    house.market.clock.forward(DAY)
    assert call(house.app, "GET", path).status == 404
    assert call(house.app, "GET", path[:-1]).status == 404


def test_plain_text_is_answered_as_documented(house: House) -> None:
    reply = house.ask("POST", "/stats", QUESTION, accept="text/plain")
    assert (reply.status, reply.raw) == (202, b"NO_CONTENT")
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.headers["location"].startswith("/stats/")


def test_days_that_are_too_old_are_told(house: House) -> None:
    now = house.market.clock.now()
    zone = house.office.get(f"/clients/{house.client_id}")["timeZone"]
    today = day_of(now, zone_of(zone))
    for back, told in (
        (60, None),
        (61, f"The days before {today - timedelta(days=60)} are left"),
    ):
        days = {"startDate": f"{today - timedelta(days=back)}", "endDate": f"{today}"}
        asked = house.ask("POST", "/stats", QUESTION | {"filters": days})
        said = house.ask("GET", f"/stats/{asked.json['taskId']}").json
        assert ("message" in said) is (told is not None)
        assert said.get("message", "").startswith(told or "")
        grouped = {"groupBy": "CAMPAIGN", "filterBy": days}
        made = house.ask("POST", "/reports/stats", grouped).json["reportId"]
        assert ("message" in house.ask("GET", f"/reports/{made}").json) is (told is not None)
        first = house.ask("POST", "/stats/stream", grouped).headers.get("x-first-day")
        assert first == (told and f"{today - timedelta(days=60)}")


def test_bad_questions_and_strangers(house: House) -> None:
    reply = house.ask("POST", "/stats", {"filters": {}})
    assert reply.status == 400
    assert [fault["field"] for fault in reply.json["errors"]] == [
        "/filters/startDate",
        "/filters/endDate",
        "/aggregationLevel",
    ]
    foreign = {**QUESTION, "filters": QUESTION["filters"] | {"campaignIds": ["x"]}}
    assert house.ask("POST", "/stats", foreign).status == 404
    assert house.ask("GET", "/stats/nobody").status == 404
    assert house.ask("POST", "/stats", QUESTION, x_client_id="nobody").status == 403
    task_id = house.ask("POST", "/stats", QUESTION).json["taskId"]
    other = house.office.client().rpartition("/")[2]
    assert house.ask("GET", f"/stats/{task_id}", x_client_id=other).status == 404


def test_s2s_refuses_forged_clicks_and_stores_nothing(house: House) -> None:
    click, _ = house.market.click(house.market.listing(client_no=house.client_no))
    good = {"clickId": click_id(click, 1, house.key), "a": "1"}
    reply = house.ask("POST", "/s2s/events", [good, {"clickId": "forged", "a": "1"}])
    assert reply.status == 400
    assert reply.json["errors"][0]["field"] == "/1/clickId"
    house.judge()
    assert house.market.ledger() == []
    assert JournalReader(house.market.folder / "journal").read({}, 10).lines == []
