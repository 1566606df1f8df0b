"""Every query parameter of every operation acts, and what it cannot mean is refused by its name."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest

from contract.office import Office, operation_of
from contract.world import FEED, World, build
from handbill.api import operations
from handbill.feeds import service as feeds
from handbill.http.app import Application
from handbill.http.operations import Operation
from handbill.wire.queries import Paged, parameters

PARAMETERS = [
    (row, name)
    for row in operations()
    if row.role != "partner"  # asked for with a partner's credentials: test_family_figures.py
    for name in parameters(row.query)
]
SHOWN_ELSEWHERE = (
    {
        ("run_feed", "force"): "acts on the run that it asks for: flows/test_feed_imports.py",
        ("list_recent_events", "limit"): "events show once judged: flows/test_recent_events.py",
        ("list_rule_runs", "page"): "rules run at their tick: rooms/test_rules.py",
        ("list_rule_runs", "limit"): "rules run at their tick: rooms/test_rules.py",
        ("list_client_runs", "page"): "rules run at their tick: rooms/test_rules.py",
        ("list_client_runs", "limit"): "rules run at their tick: rooms/test_rules.py",
        ("get_overview", "also"): "it tells of totals: contract/test_overview.py",
        ("list_needs", "page"): "control sees what stands still: contract/test_needs.py",
        ("list_needs", "limit"): "control sees what stands still: contract/test_needs.py",
        ("list_deliveries", "page"): "a fetcher delivers: flows/test_deliveries.py",
        ("list_deliveries", "limit"): "a fetcher delivers: flows/test_deliveries.py",
    }
    | {
        ("list_job_figures", name): "jobs have figures once judged: rooms/test_job_figures.py"
        for name in ("page", "limit", "days", "show", "sort", "metrics")
    }
    | {
        ("list_job_lines", name): "jobs are listed once published: contract/test_job_lines.py"
        for name in ("show", "sort", "cursor")
    }
    | {
        ("list_bids", name): "a tick logs bids: contract/test_bids.py"
        for name in ("page", "limit", "publisherId", "from", "to")
    }
    | {
        (f"explain_{of}", "publisherId"): "of its caps: contract/test_explained_entities.py"
        for of in ("client", "campaign", "jobgroup")
    }
    | {
        (row.name, name): "named changes: contract/test_changes_listed.py"
        for row in operations()
        if row.path.endswith("/changes")
        for name in parameters(row.query)
        if name != "client_id" and (row.name, name) != ("list_changes", "limit")
    }
)
"""Parameters that change no answer here, and why."""


@pytest.fixture(scope="module")
def market(module_office: Office) -> tuple[World, World]:
    """A world with two of everything that is listed, and another client's."""
    office = module_office
    office.app = Application(operations(), office.desk)
    own, other = build(office), build(office)
    ids, client = own.ids, own.client
    office.ask("POST", "/api-keys")
    office.ask("POST", "/api-clients")
    office.new("/people", {"mail": "second@acme.example", "role": "ANALYST"})
    office.new("/publisher-families", {"publishers": [ids["publisher_id"]]})
    office.group(f"{client}/campaigns/{ids['campaign_id']}")
    office.new(f"{client}/feeds", FEED)
    office.new(f"{client}/report-questions", {"name": "second"})
    at = f"{client}/publishers/{ids['publisher_id']}/configs"
    config = office.get(f"{at}/{ids['config_id']}")
    office.new(at, config)
    posted = f"{client}/configs/{ids['config_id']}/jobs"
    office.put(f"{at}/{ids['config_id']}", {"availableCount": 3})
    for ref in ("paused", "pinned", "waiting", "stopped"):
        job = {"refNumber": ref, "title": "t", "description": "d", "url": "https://e.example.com/1"}
        office.new(f"{client}/jobs", job)
        assert office.ask("POST", posted, [ref]).status == 200
    office.put(f"{posted}/pause", ["paused"])
    office.put(f"{posted}/pin", ["pinned"])
    office.put(f"{client}/jobs/stopped/pause")
    headers = {"x-client-id": ids["client_id"]}
    scope = {"clientId": "client_id", "campaignId": "campaign_id", "jobGroupId": "jobgroup_id"}
    rule = (
        operation_of("POST", "/rules")[0].sample
        | {name: ids[slot] for name, slot in scope.items()}
        | {"name": "two"}
    )
    assert office.ask("POST", "/rules", rule, headers=headers).status == 200
    entity = {"clientId": ids["client_id"], "entityId": ids["campaign_id"], "level": "Campaign"}
    office.new("/markups", {"effectiveFrom": 1_793_577_600, "value": 5, "entities": [entity]})
    theirs = f"{other.client}/publishers/{ids['publisher_id']}/click-definition"
    office.put(theirs, {"preset": "2"})
    with office.desk.records.write() as tx:
        begun = feeds.begin_run(tx, office.desk.ids, office.clock.now(), ids["feed_id"])
        assert begun is not None
        feeds.end_run(tx, *begun[1:], "FAILED", office.clock.now())
    office.ask("POST", f"{client}/feeds/{ids['feed_id']}/run")
    return own, other


def _asked(market: World, operation: Operation, query: dict[str, Any]) -> Any:
    path = market.url(operation).partition("?")[0]
    body = None
    if operation.name == "get_jobs_in_bulk":
        reference = quote(market.ids["job_reference"], safe="")
        body = [market.office.get(f"{market.client}/jobs/{reference}")["jobId"]]
    headers = market.headers(operation)
    return market.office.ask(operation.verb, f"{path}?{urlencode(query)}", body, headers)


def _values(market: tuple[World, World], operation: Operation, name: str) -> list[Any]:
    """Values that must make a difference."""
    schema = parameters(operation.query)[name].schema
    if schema["type"] == "boolean":
        return ["true", "false"]
    if "enum" in schema:
        return list(schema["enum"])
    if schema["type"] == "integer":
        return [schema["minimum"], schema["minimum"] + 1]
    if name in {"from", "to"}:
        return ["11/01/2026", "11/02/2026"]
    if name == "also":
        return ["1", "7"]
    if name == "metrics":
        return ["clicks", "applies"]
    return [world.ids["client_id"] for world in market]


@pytest.mark.parametrize(
    ("operation", "name"), PARAMETERS, ids=lambda given: getattr(given, "name", given)
)
def test_each_parameter_acts(market: tuple[World, World], operation: Operation, name: str) -> None:
    if (operation.name, name) in SHOWN_ELSEWHERE:
        return
    own = market[0]
    sound: dict[str, Any] = dict(own.query(operation))
    if issubclass(operation.query, Paged):
        sound = {"page": parameters(operation.query)["page"].schema["minimum"], "limit": 1}
    answers = []
    for value in _values(market, operation, name):
        reply = _asked(own, operation, sound | {name: value})
        assert reply.status == 200, reply.raw
        answers.append(reply.json.get("data") if "page" in sound else reply.json)
    assert answers[0] != answers[1], f"{operation.name}: {name} changes nothing"


@pytest.mark.parametrize(
    ("operation", "name"), PARAMETERS, ids=lambda given: getattr(given, "name", given)
)
def test_what_a_parameter_cannot_mean_is_refused_by_its_name(
    market: tuple[World, World], operation: Operation, name: str
) -> None:
    own = market[0]
    sound: dict[str, Any] = dict(own.query(operation))
    right = str(_values(market, operation, name)[0])
    wrong = ["", "\0"]
    schema = parameters(operation.query)[name].schema
    if schema["type"] != "string" or "enum" in schema:
        wrong += ["null", "yes", "-1", "1.5", f"{right},{right}", "9" * 30]
        wrong += [] if "enum" in schema else [f" {right}"]  # blanks around a word mean nothing
    for text in wrong:
        reply = _asked(own, operation, sound | {name: text})
        assert reply.status == 400, (text, reply.raw)
        assert [fault["field"] for fault in reply.json["errors"]] == [f"/{name}"]
    twice = urlencode([*(sound | {name: right}).items(), (name, right)])
    path = own.url(operation).partition("?")[0]
    reply = own.office.ask(operation.verb, f"{path}?{twice}", [], own.headers(operation))
    assert {"field": f"/{name}", "message": "is given twice"} in reply.json["errors"]


def test_the_links_of_a_page_ask_as_it_was_asked(market: tuple[World, World]) -> None:
    own = market[0]
    path = f"{own.client}/publishers/{own.ids['publisher_id']}/jobs"
    reply = own.office.ask("GET", f"{path}?page=0&limit=1&pinned=FALSE")
    assert f'<{path}?pinned=false&page=1&limit=1>; rel="next"' in reply.headers["link"]


def test_a_link_of_a_page_gets_the_same_page(market: tuple[World, World]) -> None:
    """Whatever a parameter is read as, it is written as it can be read again."""
    own, followed = market[0], set()
    for operation, name in PARAMETERS:
        if issubclass(operation.query, Paged) and name not in {"page", "limit"}:
            first = {"page": parameters(operation.query)["page"].schema["minimum"], "limit": 1}
            value = _values(market, operation, name)[0]
            reply = _asked(own, operation, first | {name: value})
            url = reply.headers["link"].partition(">")[0].removeprefix("<")
            headers = own.headers(operation)
            again = own.office.ask(operation.verb, url, None, headers)
            assert (again.status, again.raw) == (200, reply.raw), url
            followed.add(name)
    assert {"metrics", "from"} <= followed
