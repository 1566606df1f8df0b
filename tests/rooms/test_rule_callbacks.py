"""A rule's callback, all the way: the worker runs the rule, and posts what it has done."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from handbill.callbacks import service
from handbill.callbacks import work as callbacks
from handbill.control import work as control
from handbill.host.egress import Egress
from handbill.host.settings import Settings
from handbill.kit.instants import SECOND, iso_of
from handbill.store.records import Records
from handbill.work import kinds
from handbill.work.queue import enqueue, finish, lease
from handbill.work.tools import Tools
from rooms.rule_house import SPENDS, House
from sites import Receiver, Said


def test_what_a_rule_has_done_is_told_signed_and_once(
    sqlite_records: Records, tmp_path: Path
) -> None:
    house, receiver = House(sqlite_records, tmp_path), Receiver()
    egress = Egress((f"127.0.0.1:{receiver.port}",))
    try:
        _tell(house, receiver, egress)
    finally:
        egress.close()
        receiver.close()


def _tell(house: House, receiver: Receiver, egress: Egress) -> None:
    market, nothing = house.market, None
    tools = Tools(
        market.records,
        market.blobs,
        nothing,  # type: ignore[arg-type]
        market.clock,
        market.ids,
        Egress(),
        Settings(),
        market.scratch,
        egress,
    )
    url = f"http://127.0.0.1:{receiver.port}/rules"
    rule_id = house.rule(SPENDS, name="Stop it", notify=True, call_back_url=url)
    house.judge()
    _run_rules(tools, house.client.id)
    receiver.answer(500, 204)
    assert callbacks.run_due(tools, "w") == 1
    market.clock.forward(59 * SECOND)
    assert callbacks.run_due(tools, "w") == 0, "it is tried again after a minute"
    market.clock.forward(SECOND)
    assert callbacks.run_due(tools, "w") == 1
    market.clock.forward(3 * 86_400 * SECOND)
    assert callbacks.run_due(tools, "w") == 0
    first, second = receiver.said
    assert (first.body, first.path) == (second.body, "/rules")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    with market.records.write() as tx:
        secret = service.secret_of(tx, market.ids, market.clock.now(), house.client.agency_no)
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    assert [_is_signed(one, key) for one in receiver.said] == [True, True]
    (run,) = house.runs(rule_id)
    assert json.loads(first.body) == {
        "ruleId": rule_id,
        "ruleName": "Stop it",
        "runId": run.id,
        "clientId": house.client.id,
        "ranOn": iso_of(run.at),
        "mode": "ACT",
        "acts": 1,
    }
    _run_rules(tools, house.client.id)
    assert callbacks.run_due(tools, "w") == 0, "a run that does nothing tells nobody"


def _run_rules(tools: Tools, client_id: str) -> None:
    """As a worker does it."""
    now = tools.clock.now()
    with tools.records.write() as tx:
        enqueue(tx, kinds.RUN_RULES, client_id, now)
        task: Any = lease(tx, [kinds.RUN_RULES], "w", now, 60)
    control.TASKS[task.kind](tools, task)
    with tools.records.write() as tx:
        finish(tx, task)


def _is_signed(said: Said, key: bytes) -> bool:
    """As Standard Webhooks have it."""
    signed = f"{said.headers['webhook-id']}.{said.headers['webhook-timestamp']}.".encode()
    mark = base64.b64encode(hmac.new(key, signed + said.body, hashlib.sha256).digest()).decode()
    return said.headers["webhook-signature"] == f"v1,{mark}"
