"""Callbacks of reports: signed, at least once, eight tries in three days, to where it may go."""

import base64
import csv
import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from contract.asgi import call
from handbill.__main__ import app
from handbill.callbacks import rows, service
from handbill.callbacks.rows import Callback
from handbill.callbacks.signatures import headers_of, spelled
from handbill.callbacks.work import TASKS, run_due
from handbill.host.egress import Egress
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, SECOND
from handbill.stats.answering import Answering, AnswerTooLarge
from handbill.stats.work import TASKS as STATS_TASKS
from handbill.store.records import Records
from handbill.work.depths import dead_tasks
from handbill.work.queue import MOST_ATTEMPTS, finish, lease
from handbill.work.tools import Tools
from leases import pass_by
from rooms.test_stats_http import House, filled
from sites import Receiver

_DAYS = {"startDate": "2026-11-01", "endDate": "2026-11-30"}
_HOURS_BETWEEN = [1 / 60, 1 / 6, 1, 5, 12, 24, 1_789 / 60]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


class World(NamedTuple):
    house: House
    receiver: Receiver
    tools: Tools

    def ask(self, path: str = "/done", **body: Any) -> str:
        """Ask for a report that calls back; its id."""
        url = f"http:127.0.0.1:{self.receiver.port}{path}"
        asked = {"filterBy": _DAYS, "callBackUrl": url} | body
        reply = self.house.ask("POST", "/reports/stats", asked)
        assert reply.status == 200, reply.raw
        made: str = reply.json["reportId"]
        return made

    def make(self) -> None:
        """Make the report that waits."""
        with self.tools.records.write() as tx:
            task = lease(tx, ["stats.report"], "w", self.tools.clock.now(), 60)
        assert task is not None
        STATS_TASKS["stats.report"](self.tools, task)
        with self.tools.records.write() as tx:
            finish(tx, task)

    def run(self) -> int:
        return run_due(self.tools, "w")

    def callback(self, report_id: str) -> Callback:
        with self.tools.records.read() as tx:
            found = rows.about(tx, report_id)
        assert found is not None
        return found

    def report(self, report_id: str) -> Any:
        return self.house.ask("GET", f"/reports/{report_id}").json


@pytest.fixture
def world(records: Records, tmp_path: Path, receiver: Receiver) -> Iterator[World]:
    house = House(records, tmp_path)
    market = house.market
    egress = Egress((f"127.0.0.1:{receiver.port}",))
    nothing: Any = None
    tools = Tools(
        records,
        market.blobs,
        nothing,
        market.clock,
        market.ids,
        Egress(),
        Settings(),
        market.scratch,
        egress,
    )
    yield World(house, receiver, tools)
    egress.close()
    house.journal.close()


def test_a_report_is_told_once_its_file_is_there(world: World) -> None:
    filled(world.house)
    report_id = world.ask()
    assert world.run() == 0
    world.make()
    assert world.run() == 1
    assert world.run() == 0
    (said,) = world.receiver.said
    told = json.loads(said.body)
    assert said.path == "/done"
    assert list(told) == ["reportId", "status", "url"]
    assert (told["reportId"], told["status"]) == (report_id, "SUCCESS")
    path = told["url"].removeprefix(world.house.desk.settings.public_api)
    (line,) = csv.DictReader(io.StringIO(call(world.house.app, "GET", path).raw.decode()))
    assert (line["clientId"], line["clicks"]) == (world.house.client_id, "1")
    assert "callback" not in world.report(report_id)
    assert world.callback(report_id).state == "DELIVERED"


def test_a_callback_is_signed_as_standard_webhooks_are(world: World) -> None:
    world.ask()
    world.make()
    world.run()
    (said,) = world.receiver.said
    secret = world.house.ask("GET", "/callbacks/secret").json["secret"]
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    assert len(key) == 32
    signed = f"{said.headers['webhook-id']}.{said.headers['webhook-timestamp']}.".encode()
    mark = base64.b64encode(hmac.new(key, signed + said.body, hashlib.sha256).digest()).decode()
    assert said.headers["webhook-signature"] == f"v1,{mark}"
    assert said.headers["content-type"] == "application/json"
    now = world.tools.clock.now()
    assert int(said.headers["webhook-timestamp"]) == now // SECOND
    assert not {"x-api-key", "x-authorization-key", "cookie"} & said.headers.keys()


def test_the_example_of_the_standard() -> None:
    """The example of the reference libraries of Standard Webhooks."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", body, [key], 1_614_265_330 * SECOND)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert spelled(key) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_failed_try_is_tried_again_with_the_same_id(world: World) -> None:
    report_id = world.ask()
    world.make()
    world.receiver.answer(500, 302, 204)
    for waited in (0, 60, 600):
        world.tools.clock.forward((waited - 1) * SECOND if waited else 0)  # type: ignore[attr-defined]
        assert world.run() == (0 if waited else 1)
        if waited:
            world.tools.clock.forward(SECOND)  # type: ignore[attr-defined]
            assert world.run() == 1
    world.tools.clock.forward(3 * DAY)  # type: ignore[attr-defined]
    assert world.run() == 0
    first, second, third = world.receiver.said
    assert {said.path for said in world.receiver.said} == {"/done"}
    assert first.body == second.body == third.body
    assert first.headers["webhook-id"] == third.headers["webhook-id"]
    assert first.headers["webhook-signature"] != third.headers["webhook-signature"]
    assert world.callback(report_id).state == "DELIVERED"


def test_after_eight_tries_in_three_days_it_is_a_dead_letter(world: World) -> None:
    report_id = world.ask()
    world.make()
    world.receiver.answer(503)
    assert world.run() == 1
    for hours in _HOURS_BETWEEN:
        assert "callback" not in world.report(report_id)
        world.house.market.clock.forward(round(hours * 3_600) * SECOND)
        renewed(world)
        assert world.run() == 1
    assert sum(_HOURS_BETWEEN) == 72
    assert len(world.receiver.said) == 8
    assert world.report(report_id)["callback"] == {
        "id": world.receiver.said[0].headers["webhook-id"],
        "status": "DEAD",
        "attempts": 8,
        "message": "the address answered with status 503",
    }
    world.house.market.clock.forward(DAY)
    assert world.run() == 0
    with world.tools.records.read() as tx:
        assert dead_tasks(tx) == []


def renewed(world: World) -> None:
    """A token that is good now."""
    office = world.house.office
    del office.headers["x-authorization-key"]
    token = office.ask("POST", "/token", {"client_id": office.api_client_id}).json["access_token"]
    office.headers["x-authorization-key"] = token


def test_the_link_is_good_at_the_last_try_and_a_day_longer(world: World) -> None:
    filled(world.house)
    world.ask()
    world.make()
    world.run()
    path = json.loads(world.receiver.said[0].body)["url"].removeprefix(
        world.house.desk.settings.public_api
    )
    world.house.market.clock.forward(4 * DAY - SECOND)
    assert call(world.house.app, "GET", path).status == 200
    world.house.market.clock.forward(SECOND)
    assert call(world.house.app, "GET", path).status == 404


def test_gone_is_gone(world: World) -> None:
    report_id = world.ask()
    world.make()
    world.receiver.answer(410)
    assert world.run() == 1
    world.house.market.clock.forward(DAY - SECOND)
    assert world.run() == 0
    told = world.report(report_id)["callback"]
    assert (told["status"], told["attempts"]) == ("DISABLED", 1)


def test_where_we_may_not_go_we_do_not_and_say_so(world: World) -> None:
    private = [
        "http://127.0.0.1:1/x",
        "https://10.1.2.3/x",
        "http://[::1]/x",
        "http://169.254.169.254/",
    ]
    for url in private:
        report_id = world.ask(callBackUrl=url)
        world.make()
        assert world.run() == 1
        told = world.report(report_id)["callback"]
        assert (told["status"], told["attempts"]) == ("DEAD", 1), url
        assert world.report(report_id)["status"] == "SUCCESS"
    assert world.receiver.said == []


def test_an_address_that_nobody_is_at_is_tried_again(world: World) -> None:
    report_id = world.ask()
    world.make()
    world.receiver.close()
    assert world.run() == 1
    found = world.callback(report_id)
    assert (found.state, found.attempts, found.status) == ("SENDING", 1, None)
    assert "connection failed" in (found.failure or "")


def test_those_that_wait_can_be_hurried(world: World) -> None:
    world.ask()
    world.make()
    world.receiver.answer(500, 200)
    assert (world.run(), world.run()) == (1, 0)
    with world.tools.records.write() as tx:
        assert service.hurry(tx, world.tools.clock.now()) == 1
    assert world.run() == 1
    with world.tools.records.write() as tx:
        assert service.hurry(tx, world.tools.clock.now()) == 0


def test_a_try_whose_end_was_not_noted_is_made_again(world: World) -> None:
    """At least once: the worker died after the answer."""
    world.ask()
    world.make()
    with world.tools.records.write() as tx:
        lost = lease(tx, ["callbacks.send"], "dies", world.tools.clock.now(), 60)
    assert lost is not None
    assert world.run() == 0
    pass_by(world.tools.records, 60)
    assert world.run() == 1
    TASKS["callbacks.send"](world.tools, lost)
    assert len(world.receiver.said) == 1


@pytest.mark.parametrize("late", ["failed", "refused"])
def test_a_late_try_changes_nothing_of_what_was_delivered(world: World, late: str) -> None:
    """Its worker slept longer than its lease, and another has made the try that counts."""
    report_id = world.ask()
    world.make()
    as_read = world.callback(report_id)
    assert world.run() == 1
    with world.tools.records.write() as tx:
        if late == "failed":
            assert service.note(tx, as_read, world.tools.clock.now(), 503, "busy") == "DELIVERED"
        else:
            service.refuse(tx, as_read, world.tools.clock.now(), "forbidden")
    now = world.callback(report_id)
    assert (now.state, now.attempts, now.failure) == ("DELIVERED", 1, None)
    assert world.run() == 0


def test_a_report_that_was_made_is_not_made_worse_by_a_late_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_id = world.ask()
    answer = Answering.answer

    def late(*asked: Any) -> Any:
        monkeypatch.undo()
        pass_by(world.tools.records, 60)
        world.make()
        assert world.run() == 1
        answer(*asked)
        raise AnswerTooLarge("too many rows")

    monkeypatch.setattr(Answering, "answer", late)
    world.make()
    assert world.report(report_id)["status"] == "SUCCESS"
    assert world.run() == 0, "it is told once"


def test_a_report_that_cannot_be_made_is_told_too(world: World) -> None:
    filled(world.house)
    report_id = world.ask(groupBy="JOB")  # which reads entries
    for path in world.tools.blobs.paths("segments"):
        world.tools.blobs.put(path, b"not a segment")
    with world.tools.records.write() as tx:
        task = lease(tx, ["stats.report"], "w", world.tools.clock.now(), 60)
    assert task is not None
    for attempts in range(1, MOST_ATTEMPTS + 1):
        last = attempts == MOST_ATTEMPTS
        failing = pytest.raises(Exception, match=r"(?i)parquet|magic|file")
        with nullcontext() if last else failing:
            STATS_TASKS["stats.report"](world.tools, replace(task, attempts=attempts))
    assert world.run() == 1
    assert json.loads(world.receiver.said[0].body) == {"reportId": report_id, "status": "FAILED"}
    told = world.report(report_id)
    assert (told["status"], told["message"]) == ("FAILED", "The report could not be made")


def test_the_same_wish_calls_back_once(world: World) -> None:
    first = world.ask()
    assert world.ask() == first
    assert world.ask("/other") != first
    world.make()
    world.make()
    assert world.run() == 2
    assert sorted(said.path for said in world.receiver.said) == ["/done", "/other"]


def test_what_was_given_up_is_sent_again_once(world: World) -> None:
    filled(world.house)
    report_id = world.ask()
    path = f"/callbacks/{world.callback(report_id).id}/send-again"
    early = world.house.ask("POST", path)
    assert (early.status, early.json["message"]) == (400, "there is nothing to send yet")
    world.receiver.answer(410, 200)
    world.make()
    assert world.run() == 1
    assert world.callback(report_id).state == "DISABLED"
    again = [world.house.ask("POST", path).json for _ in range(2)]
    assert [one["state"] for one in again] == ["SENDING", "SENDING"]
    (listed,) = world.house.ask("GET", "/callbacks?page=0&limit=9").json["data"]
    assert (listed["about"], listed["state"], listed["attempts"]) == (report_id, "SENDING", 0)
    assert (listed["status"], listed["failure"], listed["endedOn"]) == (None, None, None)
    assert (world.run(), world.run()) == (1, 0)
    assert world.house.ask("POST", path).json["state"] == "DELIVERED"
    assert world.run() == 0
    first, second = world.receiver.said
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_old_callbacks_are_forgotten(world: World) -> None:
    report_id = world.ask()
    world.house.market.clock.forward(service.KEPT_FOR + 1)
    TASKS["callbacks.sweep"](world.tools, None)  # type: ignore[arg-type]
    with world.tools.records.read() as tx:
        assert rows.about(tx, report_id) is None


def test_an_old_callback_stays_while_it_is_sent_again(world: World) -> None:
    filled(world.house)
    report_id = world.ask()
    world.receiver.answer(410, 200)
    world.make()
    assert world.run() == 1
    one = world.callback(report_id)
    with world.tools.records.write() as tx:
        assert service.send_again(tx, world.tools.clock.now(), one.agency_no, one.id) == "SENDING"
    world.house.market.clock.forward(service.KEPT_FOR + 1)
    TASKS["callbacks.sweep"](world.tools, None)  # type: ignore[arg-type]
    assert world.callback(report_id).state == "SENDING"
    assert world.run() == 1
    TASKS["callbacks.sweep"](world.tools, None)  # type: ignore[arg-type]
    with world.tools.records.read() as tx:
        assert rows.about(tx, report_id) is None


def test_the_command_tries_what_is_due(tmp_path: Path) -> None:
    command = ["callbacks", "run", "--waiting", "--data", str(tmp_path), "--json"]
    assert CliRunner().invoke(app, command).exit_code != 0  # there are no records to look into
    assert CliRunner().invoke(app, ["migrate", "--data", str(tmp_path)]).exit_code == 0
    told = CliRunner().invoke(app, command)
    assert (told.exit_code, json.loads(told.stdout)) == (0, {"tried": 0})
