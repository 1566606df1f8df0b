"""Every operation that changes something leaves its changes: who, what, before and after."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from contract.asgi import Reply, call
from contract.change_rows import ABSENT, Case, Fields
from contract.expected_changes import CASES, LEAVES_NONE, OPERATIONS, send
from contract.office import Office
from contract.world import World, build
from handbill.changes import service as changes
from handbill.changes.service import ChangeFilter, RecordedChange
from handbill.changes.work import sweep
from handbill.http.operations import Operation
from handbill.kit.instants import DAY
from handbill.store.records import Records, Tx
from handbill.work import kinds
from handbill.work.queue import Task
from handbill.work.tools import Tools
from handbill.worker import schedule


def told(records: Records, after: int = 0, **asked: Any) -> list[RecordedChange]:
    """The changes after a number, oldest first."""
    with records.read() as tx:
        return [one for one in changes.page(tx, ChangeFilter(**asked), 1_000) if one.no > after][
            ::-1
        ]


def _last(records: Records) -> int:
    with records.read() as tx:
        found = changes.page(tx, ChangeFilter(), 1)
    return found[0].no if found else 0


def _fields(change: RecordedChange) -> Fields:
    return {one.field: (one.before, one.after) for one in change.fields}


def test_of_every_operation_it_is_said_what_it_leaves() -> None:
    names = {row.name for row in OPERATIONS.values() if row.writes and row.role == "agency"}
    assert names <= CASES.keys() | LEAVES_NONE.keys(), "a new operation: what does it leave?"
    assert CASES.keys() <= names
    assert not CASES.keys() & LEAVES_NONE.keys()


@pytest.mark.parametrize("name", CASES)
def test_every_operation_that_changes_something_leaves_its_changes(
    name: str, sqlite_world: World
) -> None:
    own, case, records = sqlite_world, CASES[name], sqlite_world.office.desk.records
    if case.first:
        case.first(own)
    last = _last(records)
    body = case.body(own) if case.body else msgspec.UNSET
    reply = send(own, OPERATIONS[name], body, case.query)
    found = told(records, last)
    assert not list(_faults(own, OPERATIONS[name], reply, case, found))
    assert not any("hush-hush" in repr(one) for one in found)


def _faults(
    world: World, operation: Operation, reply: Reply, case: Case, found: list[RecordedChange]
) -> list[str]:
    faults = []
    expected = sorted((row.kind, row.act) for row in case.rows)
    if sorted((one.kind, one.act) for one in found) != expected:
        return [f"left {[(one.kind, one.act, _fields(one)) for one in found]}"]
    agency, office = world.office.agency_id, world.office
    by = ("API_CLIENT", office.api_client_id, reply.headers["x-request-id"], operation.name)
    for one in found:
        cause = one.cause.partition(" ")[0]  # an undo names the change too
        if (one.actor, one.actor_id, one.request_id, cause) != by:
            faults.append(f"was made by {one}")
        if one.agency_id != agency or one.at != office.clock.now():
            faults.append(f"is of {one}")
    for row in case.rows:
        said = (row.fields or {}).items()
        like = [
            one
            for one in found
            if (one.kind, one.act) == (row.kind, row.act)
            and all(_fields(one).get(field) == pair for field, pair in said)
            and (not row.slot or one.entity_id == world.ids[row.slot])
        ]
        if not like:
            faults.append(f"no {row} in {[(one.entity_id, _fields(one)) for one in found]}")
        elif row.of_client != (like[0].client_id is not None):
            faults.append(f"{row.kind} is of the client {like[0].client_id}")
    return faults


def test_what_changes_nothing_leaves_nothing(sqlite_world: World) -> None:
    """The looks that may write, and each change asked for once more."""
    world, records = sqlite_world, sqlite_world.office.desk.records
    send(world, OPERATIONS["get_callback_secret"])  # which a report with a callback needs
    last = _last(records)
    for name in LEAVES_NONE:
        operation = OPERATIONS[name]
        if operation.role == "agency":
            send(world, operation)
    once = (
        "pause_client",
        "pause_job",
        "pause_campaign",
        "pause_jobgroup",
        "pause_feed",
        "pause_publisher",
        "pause_rule",
        "update_campaign",
        "update_agency",
        "update_click_definition",
    )
    assert told(records, last) == []
    for name in once:
        send(world, OPERATIONS[name])
        last = _last(records)
        send(world, OPERATIONS[name])
        assert told(records, last) == [], name


def test_a_request_that_is_sent_twice_leaves_one_change(world_anywhere: World) -> None:
    world, records = world_anywhere, world_anywhere.office.desk.records
    last = _last(records)
    sent = {"idempotency-key": "k1", "x-request-id": "first-attempt"}
    for request_id in ("first-attempt", "another-one"):
        send(world, OPERATIONS["create_campaign"], **sent | {"x-request-id": request_id})
    (one,) = told(records, last)
    assert one.request_id == "first-attempt"


def test_what_is_refused_or_rolled_back_leaves_nothing(sqlite_world: World) -> None:
    world, whole = sqlite_world, sqlite_world.office
    records = whole.desk.records
    last = _last(records)
    path = f"{world.client}/campaigns/{world.ids['campaign_id']}"
    assert whole.ask("PUT", path, {"name": "x", "endDate": "01/01/1999"}).status == 400
    bad = call(
        whole.app,
        "POST",
        f"{world.client}/configs/{world.ids['config_id']}/jobs",
        ["x"] * 20_000,
        headers=whole.headers,
    )
    assert bad.status == 400
    with records.write() as tx:
        failed = tx.part(_broken_off)
    assert isinstance(failed, ZeroDivisionError)
    assert told(records, last) == []


def _broken_off(tx: Tx) -> None:
    changes.secret(tx, 1, changes.TrailEntity("FEED", "f", client_no=1), "x")
    raise ZeroDivisionError


def test_nobody_is_told_of_another_agencys(sqlite_world: World) -> None:
    world, whole = sqlite_world, sqlite_world.office
    other = build(whole.another())
    records = whole.desk.records
    with records.read() as tx:
        of_both = [changes.page(tx, ChangeFilter(agency_no=no), 1_000) for no in (1, 2)]
    for mine, own, foreign in zip(of_both, (world, other), (other, world), strict=True):
        assert len(mine) > 15
        assert {one.agency_id for one in mine} == {own.office.agency_id}
        named = {one.entity_id for one in mine} | {one.client_id for one in mine}
        assert own.ids["client_id"] in named
        assert not named & {foreign.ids[slot] for slot in ("client_id", "feed_id", "prefix")}


def test_changes_are_forgotten_after_400_days_some_at_a_time(office: Office) -> None:
    records, clock = office.desk.records, office.clock
    before = len(told(records))
    assert before > 3
    clock.forward(400 * DAY)
    tools = cast(Tools, SimpleNamespace(records=records, clock=clock))
    sweep(tools, cast(Task, None))
    assert len(told(records)) == before, "at 400 days they are there"
    clock.forward(1)
    with records.write() as tx:
        changes.secret(tx, clock.now(), changes.TrailEntity("FEED", "f"), "x")
        assert changes.forget(tx, clock.now(), 2) == 2
    assert len(told(records)) == before - 1
    sweep(tools, cast(Task, None))
    assert [one.entity_id for one in told(records)] == ["f"]
    assert kinds.SWEEP_CHANGES in {name for name, _, _ in schedule()}


def test_a_long_request_is_kept_short(office: Office) -> None:
    """A long text that is set leaves a change of bounded size, whose rest is told by its digest."""
    client = office.client()
    last = _last(office.desk.records)
    for mark in "ab":
        url = f"{client}/jobs" + ("" if mark == "a" else "/r")
        body = {"refNumber": "r", "title": "t", "url": "https://e.example.com/1"}
        body |= {"description": mark * 200_000, "company": "c"}
        if mark == "b":
            del body["refNumber"]
        assert office.ask("POST" if mark == "a" else "PUT", url, body).status == 200
    made, changed = told(office.desk.records, last)
    for one in (made, changed):
        assert len(msgspec.json.encode(one.fields)) < 50_000
    long = next(field for field in changed.fields if field.field == "/description")
    assert long.cut
    assert (long.before["bytes"], long.after["bytes"]) == (200_002, 200_002)
    assert long.before["digest"] != long.after["digest"]
    assert _fields(made)["/title"] == (ABSENT, "t")


def test_a_customers_own_names_are_no_instants(sqlite_office: Office) -> None:
    group = sqlite_office.group(sqlite_office.campaign(sqlite_office.client()))
    told = {"starts_at": 2**62, "until_at": 5}
    sqlite_office.put(group, {"adWordsMetadata": told})
    fields = sqlite_office.get("/changes?limit=1")["data"][0]["fields"]
    assert [one["after"] for one in fields] in ([told], [2**62, 5], [5, 2**62])
