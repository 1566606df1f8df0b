"""Every operation that changes something leaves its changes: who, what, before and after."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import msgspec
import pytest

from contract.asgi import Reply, call
from contract.office import Body, Office
from contract.test_matrices import SOUND
from contract.world import World, build
from handbill.api import operations
from handbill.changes import service as changes
from handbill.changes.service import Asked, Change
from handbill.changes.work import sweep
from handbill.http.app import Application
from handbill.http.operations import Operation
from handbill.kit.instants import DAY
from handbill.kit.jsons import encode
from handbill.store.records import Records, Tx
from handbill.work import kinds
from handbill.work.queue import Task
from handbill.work.tools import Tools
from handbill.worker import schedule

OPERATIONS = {operation.name: operation for operation in operations()}
GONE = ABSENT = msgspec.UNSET
Fields = dict[str, tuple[Any, Any]]


class Row(NamedTuple):
    """A change that is expected. ``slot``: what names the entity in the world; empty: it is new.
    ``of_client``: it is that client's too.
    """

    kind: str
    slot: str
    act: str = "CHANGE"
    fields: Fields | None = None
    of_client: bool = True


class Case(NamedTuple):
    rows: list[Row]
    body: Callable[[World], Any] | None = None
    first: Callable[[World], Any] | None = None
    query: str = ""


def _sent(name: str) -> Callable[[World], Any]:
    """What must have been asked before."""
    return lambda world: _send(world, OPERATIONS[name])


def _refs(world: World) -> list[str]:
    return [world.ids["job_reference"]]


def _rule(world: World) -> Body:
    scope = {"clientId": "client_id", "campaignId": "campaign_id", "jobGroupId": "jobgroup_id"}
    return OPERATIONS["create_rule"].sample | {n: world.ids[slot] for n, slot in scope.items()}


def _another_rule(world: World) -> None:
    made = _send(world, OPERATIONS["create_rule"], _rule(world)).json
    world.ids["another_rule"] = made["data"]["id"]


def _markup(world: World) -> Body:
    entity = {"clientId": world.ids["client_id"], "entityId": world.ids["client_id"]}
    return {
        "effectiveFrom": 1_793_491_200,
        "value": 12.5,
        "entities": [entity | {"level": "Client"}],
    }


def _job_of_posting(act: str = "CHANGE", **fields: tuple[Any, Any]) -> list[Row]:
    return [Row("POSTING_JOB", "", act, {f"/{name}": pair for name, pair in fields.items()})]


PAUSED: Fields = {"/status": ("A", "P")}
ENABLED: Fields = {"/status": ("P", "A")}
LOGIN = "ftp://u@ftp.example.com:21".replace("/", "~1")
CASES: dict[str, Case] = {
    "update_agency": Case(
        [Row("AGENCY", "agency_id", fields={"/name": ("Acme", "Acme Ads")}, of_client=False)]
    ),
    "create_api_key": Case(
        [Row("API_KEY", "", "CREATE", {"/owner": (ABSENT, "agency")}, of_client=False)]
    ),
    "rotate_api_key": Case(
        [
            Row(
                "API_KEY",
                "prefix",
                fields={"/expires_at": (None, 1_795_089_600_000_000)},
                of_client=False,
            ),
            Row("API_KEY", "", "CREATE", of_client=False),
        ]
    ),
    "revoke_api_key": Case(
        [
            Row(
                "API_KEY",
                "prefix",
                fields={"/revoked_at": (None, 1_795_003_200_000_000)},
                of_client=False,
            )
        ]
    ),
    "create_api_client": Case(
        [Row("API_CLIENT", "", "CREATE", {"/scope": (ABSENT, "handbill/read")}, of_client=False)]
    ),
    "revoke_api_client": Case(
        [
            Row(
                "API_CLIENT",
                "api_client_id",
                fields={"/revoked_at": (None, 1_795_003_200_000_000)},
                of_client=False,
            )
        ]
    ),
    "create_client": Case(
        [
            Row("CLIENT", "", "CREATE", {"/company_name": (ABSENT, "New External API-789")}),
            Row("CAMPAIGN", "", "CREATE", {"/name": (ABSENT, "Default Campaign")}),
            Row("JOB_GROUP", "", "CREATE", {"/name": (ABSENT, "Default JobGroup")}),
        ]
    ),
    "update_client": Case(
        [Row("CLIENT", "client_id", fields={"/caps/budget/pacing": (False, True)})]
    ),
    "pause_client": Case([Row("CLIENT", "client_id", fields=PAUSED)]),
    "enable_client": Case(
        [Row("CLIENT", "client_id", fields=ENABLED)], first=_sent("pause_client")
    ),
    "delete_client": Case([Row("CLIENT", "client_id", "DELETE", {"/status": ("A", GONE)})]),
    "add_job": Case([Row("JOB", "", "CREATE", {"/title": (ABSENT, "test title")})]),
    "update_job": Case([Row("JOB", "", fields={"/title": ("t", "test title")})]),
    "pause_job": Case([Row("JOB", "", fields=PAUSED)]),
    "enable_job": Case([Row("JOB", "", fields=ENABLED)], first=_sent("pause_job")),
    "delete_job": Case([Row("JOB", "", "DELETE", {"/title": ("t", GONE)})]),
    "create_campaign": Case(
        [Row("CAMPAIGN", "", "CREATE", {"/name": (ABSENT, "test-campaign-api-1")})]
    ),
    "update_campaign": Case(
        [
            Row(
                "CAMPAIGN",
                "campaign_id",
                fields={"/caps/budget/value": (1_000_000_000, 750_000_000)},
            )
        ]
    ),
    "pause_campaign": Case([Row("CAMPAIGN", "campaign_id", fields=PAUSED)]),
    "enable_campaign": Case(
        [Row("CAMPAIGN", "campaign_id", fields=ENABLED)], first=_sent("pause_campaign")
    ),
    "delete_campaign": Case(
        [
            Row("CAMPAIGN", "campaign_id", "DELETE", {"/name": ("autumn", GONE)}),
            Row("JOB_GROUP", "jobgroup_id", "DELETE", {"/cpc_bid_micros": (500_000, GONE)}),
        ]
    ),
    "create_jobgroup": Case(
        [Row("JOB_GROUP", "", "CREATE", {"/cpc_bid_micros": (ABSENT, 120_000)})]
    ),
    "update_jobgroup": Case(
        [
            Row(
                "JOB_GROUP",
                "jobgroup_id",
                fields={
                    "/cpc_bid_micros": (500_000, 700_000),
                    "/caps/clicks": (
                        None,
                        {
                            "period": "Monthly",
                            "value": 9,
                            "pacing": False,
                            "threshold_ppm": 800_000,
                            "locked": False,
                        },
                    ),
                    "/placements/0/bid_micros": (None, 550_000),
                },
            )
        ],
        lambda world: {
            "cpcBid": 0.7,
            "caps": {"clicks": {"cap": "Monthly", "value": 9}},
            "placements": [{"value": world.ids["publisher_id"], "bid": 0.55}],
        },
    ),
    "pause_jobgroup": Case([Row("JOB_GROUP", "jobgroup_id", fields=PAUSED)]),
    "enable_jobgroup": Case(
        [Row("JOB_GROUP", "jobgroup_id", fields=ENABLED)], first=_sent("pause_jobgroup")
    ),
    "delete_jobgroup": Case(
        [Row("JOB_GROUP", "jobgroup_id", "DELETE", {"/cpc_bid_micros": (500_000, GONE)})]
    ),
    "create_feed": Case(
        [Row("FEED", "", "CREATE", {"/url": (ABSENT, "https://feeds.example.com/jobs.xml")})]
    ),
    "update_feed": Case(
        [
            Row(
                "FEED",
                "feed_id",
                fields={
                    "/url": (
                        "https://feeds.example.com/jobs.xml",
                        "https://feeds.example.com/2.xml",
                    )
                },
            ),
            Row("FEED", "feed_id", fields={"/config/auth/password": (ABSENT, ABSENT)}),
        ],
        lambda _: {
            "xmlFeedUrl": "https://feeds.example.com/2.xml",
            "config": {"auth": {"username": "u", "password": "hush-hush"}},
        },
    ),
    "pause_feed": Case([Row("FEED", "feed_id", fields=PAUSED)]),
    "enable_feed": Case([Row("FEED", "feed_id", fields=ENABLED)], first=_sent("pause_feed")),
    "run_feed": Case([Row("FEED", "feed_id")], query="force=true"),
    "delete_feed": Case(
        [Row("FEED", "feed_id", "DELETE", {"/url": ("https://feeds.example.com/jobs.xml", GONE)})]
    ),
    "create_publisher": Case(
        [
            Row("PUBLISHER", "", "CREATE", {"/min_bid_micros": (ABSENT, 250_000)}, of_client=False),
            Row("PUBLISHER", "", fields={f"/passwords/{LOGIN}": (ABSENT, ABSENT)}, of_client=False),
        ],
        lambda world: {
            "id": "Fresh" + world.ids["publisher_id"],
            "minBid": 0.25,
            "deliverFeedByFTP": True,
            "ftpConfig": {
                "credentials": {"host": "ftp.example.com", "username": "u", "password": "hush-hush"}
            },
        },
    ),
    "update_publisher": Case(
        [
            Row(
                "PUBLISHER",
                "publisher_id",
                fields={"/min_bid_micros": (0, 250_000)},
                of_client=False,
            ),
            Row(
                "PUBLISHER",
                "publisher_id",
                fields={f"/passwords/{LOGIN}": (ABSENT, ABSENT)},
                of_client=False,
            ),
        ],
        lambda _: {
            "minBid": 0.25,
            "ftpConfig": {
                "credentials": {"host": "ftp.example.com", "username": "u", "password": "hush-hush"}
            },
        },
    ),
    "pause_publisher": Case([Row("PUBLISHER", "publisher_id", fields=PAUSED, of_client=False)]),
    "enable_publisher": Case(
        [Row("PUBLISHER", "publisher_id", fields=ENABLED, of_client=False)],
        first=_sent("pause_publisher"),
    ),
    "delete_publisher": Case(
        [Row("PUBLISHER", "publisher_id", "DELETE", {"/status": ("A", GONE)}, of_client=False)]
    ),
    "create_publisher_family": Case(
        [
            Row(
                "PUBLISHER_FAMILY",
                "",
                "CREATE",
                {"/publishers": (ABSENT, ["TestExp1"])},
                of_client=False,
            ),
            Row("API_KEY", "", "CREATE", {"/owner": (ABSENT, "partner")}, of_client=False),
            Row("API_CLIENT", "", "CREATE", {"/owner": (ABSENT, "partner")}, of_client=False),
        ]
    ),
    "update_publisher_family": Case(
        [
            Row(
                "PUBLISHER_FAMILY",
                "publisher_family_id",
                fields={"/name": ("", "Vendor")},
                of_client=False,
            )
        ],
        lambda _: {"name": "Vendor"},
    ),
    "delete_publisher_family": Case(
        [
            Row(
                "PUBLISHER_FAMILY",
                "publisher_family_id",
                "DELETE",
                {"/name": ("", GONE)},
                of_client=False,
            ),
            Row("API_KEY", "", of_client=False),
            Row("API_CLIENT", "", of_client=False),
        ]
    ),
    "update_click_definition": Case(
        [
            Row(
                "CLICK_DEFINITION",
                "publisher_id",
                fields={"/rules/bot": (False, True)},
                of_client=False,
            )
        ]
    ),
    "delete_click_definition": Case(
        [
            Row(
                "CLICK_DEFINITION",
                "publisher_id",
                "DELETE",
                {"/enabled": (True, GONE)},
                of_client=False,
            )
        ]
    ),
    "update_click_definition_of_client": Case(
        [Row("CLICK_DEFINITION", "publisher_id", fields={"/rules/bot": (False, True)})]
    ),
    "delete_click_definition_of_client": Case(
        [Row("CLICK_DEFINITION", "publisher_id", "DELETE", {"/enabled": (True, GONE)})]
    ),
    "create_posting_config": Case(
        [Row("POSTING", "", "CREATE", {"/cost_micros": (ABSENT, 220_000_000)})]
    ),
    "update_posting_config": Case(
        [Row("POSTING", "config_id", fields={"/available": (10, 12)})],
        lambda _: {"availableCount": 12},
    ),
    "delete_posting_config": Case(
        [Row("POSTING", "config_id", "DELETE", {"/cost_micros": (220_000_000, GONE)})]
    ),
    "add_posting_jobs": Case(
        _job_of_posting("CREATE", pinned=(ABSENT, False)),
        _refs,
        lambda world: _send(world, OPERATIONS["remove_posting_jobs"], _refs(world)),
    ),
    "set_stage_map": Case(
        [Row("STAGE_MAP", "client_id", fields={"/stages/Met": (ABSENT, "INTERVIEWED")})],
        lambda _: {"stageMap": {"Met": "INTERVIEWED"}},
    ),
    "create_rule": Case([Row("RULE", "", "CREATE", {"/place": (ABSENT, 2)})], _rule),
    "switch_rules": Case(
        [Row("RULE", "rule_id", fields=PAUSED)],
        lambda world: {"ids": [world.ids["rule_id"]], "status": "P"},
    ),
    "order_rules": Case(
        [
            Row("RULE", "another_rule", fields={"/place": (2, 1)}),
            Row("RULE", "rule_id", fields={"/place": (1, 2)}),
        ],
        lambda world: {"ids": [world.ids["another_rule"], world.ids["rule_id"]]},
        _another_rule,
    ),
    "pause_rule": Case([Row("RULE", "rule_id", fields=PAUSED)]),
    "enable_rule": Case([Row("RULE", "rule_id", fields=ENABLED)], first=_sent("pause_rule")),
    "delete_rule": Case([Row("RULE", "rule_id", "DELETE", {"/place": (1, GONE)})]),
    "create_markup": Case([Row("MARKUP", "", "CREATE", {"/ppm": (ABSENT, 125_000)})], _markup),
    "update_markup": Case(
        [Row("MARKUP", "markup_id", fields={"/ppm": (100_000, 125_000)})], lambda _: {"value": 12.5}
    ),
    "set_rates": Case([Row("RATE", "", "CREATE", {"/rate": (ABSENT, "1.0825")}, of_client=False)]),
    "delete_rate": Case(
        [Row("RATE", "rate_id", "DELETE", {"/rate": ("1.25", GONE)}, of_client=False)]
    ),
    "delete_markup": Case([Row("MARKUP", "markup_id", "DELETE", {"/ppm": (100_000, GONE)})]),
    "get_callback_secret": Case(
        [Row("OWN_KEY", "", "CREATE", {"/kid": (ABSENT, 1)}, of_client=False)]
    ),
} | {
    f"{name}{where}": case
    for where in ("", "_at_publisher")
    for name, case in {
        "remove_posting_jobs": Case(_job_of_posting("DELETE", pinned=(False, GONE)), _refs),
        "pin_posting_jobs": Case(_job_of_posting(pinned=(False, True)), _refs),
        "unpin_posting_jobs": Case(
            _job_of_posting(pinned=(True, False)),
            _refs,
            lambda world: _send(world, OPERATIONS["pin_posting_jobs"], _refs(world)),
        ),
        "pause_posting_jobs": Case(_job_of_posting(paused=(False, True)), _refs),
        "enable_posting_jobs": Case(
            _job_of_posting(paused=(True, False)),
            _refs,
            lambda world: _send(world, OPERATIONS["pause_posting_jobs"], _refs(world)),
        ),
    }.items()
}
LEAVES_NONE = {
    "create_token": "it is signed, and kept nowhere",
    "get_publisher": "may make the address of a file, which was settled when the publisher came",
    "get_publisher_feed": "the same",
    "deliver_publisher": "asks for work; each file's delivery tells what came of it",
    "submit_stats_report": "a question; the report is its own record",
    "stream_stats_report": "the same",
    "generate_stats_report": "the same",
    "generate_ip_report": "the same",
    "request_publisher_report": "the same",
    "record_funnel": "tells what happened; the batch is its own record",
}
"""Operations that may write records and change nothing that somebody set."""


def _send(
    world: World, operation: Operation, body: Any = msgspec.UNSET, query: str = "", **headers: str
) -> Reply:
    if body is msgspec.UNSET:
        body = SOUND.get(operation.name, operation.sample) if operation.body else None
    raw = None if operation.body is None else encode(body)
    url = world.url(operation)
    if query:
        url += ("&" if "?" in url else "?") + query
    named = world.office.headers | world.headers(operation) | headers
    reply = call(world.office.app, operation.verb, url, headers=named, raw=raw)
    assert reply.status in {200, 202}, (operation.name, reply.raw)
    return reply


def told(records: Records, after: int = 0, **asked: Any) -> list[Change]:
    """The changes after a number, oldest first."""
    with records.read() as tx:
        return [one for one in changes.page(tx, Asked(**asked), 1_000) if one.no > after][::-1]


def _last(records: Records) -> int:
    with records.read() as tx:
        found = changes.page(tx, Asked(), 1)
    return found[0].no if found else 0


@pytest.fixture
def whole(sqlite_office: Office) -> Office:
    sqlite_office.app = Application(operations(), sqlite_office.desk)
    return sqlite_office


def _fields(change: Change) -> Fields:
    return {one.field: (one.before, one.after) for one in change.fields}


def test_every_operation_that_changes_something_leaves_its_changes(whole: Office) -> None:
    world, records, wrong = build(whole), whole.desk.records, []
    names = {row.name for row in OPERATIONS.values() if row.writes and row.role == "agency"}
    assert names <= CASES.keys() | LEAVES_NONE.keys(), "a new operation: what does it leave?"
    assert CASES.keys() <= names
    assert not CASES.keys() & LEAVES_NONE.keys()
    for number, (name, case) in enumerate(CASES.items()):
        if number % 25 == 24:  # an agency has at most 50 keys
            world = build(whole.another(f"agency{number}"))
        own = build(world.office)
        if case.first:
            case.first(own)
        last = _last(records)
        body = case.body(own) if case.body else msgspec.UNSET
        reply = _send(own, OPERATIONS[name], body, case.query)
        found = told(records, last)
        wrong += [
            f"{name}: {fault}" for fault in _faults(own, OPERATIONS[name], reply, case, found)
        ]
        assert not any("hush-hush" in repr(one) for one in found), name
    assert not wrong, "\n".join(wrong)


def _faults(
    world: World, operation: Operation, reply: Reply, case: Case, found: list[Change]
) -> list[str]:
    faults = []
    expected = sorted((row.kind, row.act) for row in case.rows)
    if sorted((one.kind, one.act) for one in found) != expected:
        return [f"left {[(one.kind, one.act, _fields(one)) for one in found]}"]
    agency, office = world.office.agency_id, world.office
    by = ("API_CLIENT", office.api_client_id, reply.headers["x-request-id"], operation.name)
    for one in found:
        if (one.actor, one.actor_id, one.request_id, one.cause) != by:
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


def test_what_changes_nothing_leaves_nothing(whole: Office) -> None:
    """The looks that may write, and each change asked for once more."""
    world, records = build(whole), whole.desk.records
    _send(world, OPERATIONS["get_callback_secret"])  # which a report with a callback needs
    last = _last(records)
    for name in LEAVES_NONE:
        operation = OPERATIONS[name]
        if operation.role == "agency":
            _send(world, operation)
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
        _send(world, OPERATIONS[name])
        last = _last(records)
        _send(world, OPERATIONS[name])
        assert told(records, last) == [], name


def test_a_request_that_is_sent_twice_leaves_one_change(office: Office) -> None:
    office.app = Application(operations(), office.desk)
    world, records = build(office), office.desk.records
    last = _last(records)
    sent = {"idempotency-key": "k1", "x-request-id": "first-attempt"}
    for request_id in ("first-attempt", "another-one"):
        _send(world, OPERATIONS["create_campaign"], **sent | {"x-request-id": request_id})
    (one,) = told(records, last)
    assert one.request_id == "first-attempt"


def test_what_is_refused_or_rolled_back_leaves_nothing(whole: Office) -> None:
    world, records = build(whole), whole.desk.records
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
    changes.secret(tx, 1, changes.Entity("FEED", "f", client_no=1), "x")
    raise ZeroDivisionError


def test_nobody_is_told_of_another_agencys(whole: Office) -> None:
    world = build(whole)
    other = build(whole.another())
    records = whole.desk.records
    with records.read() as tx:
        of_both = [changes.page(tx, Asked(agency_no=no), 1_000) for no in (1, 2)]
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
        changes.secret(tx, clock.now(), changes.Entity("FEED", "f"), "x")
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
