"""Feeds through the API: created, shown, changed, switched, run and deleted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.office import Body, Office
from handbill.feeds.work import SCHEDULE, TASKS
from handbill.host.clock import SetClock
from handbill.host.egress import Egress
from handbill.host.settings import Settings
from handbill.kit.instants import DAY
from handbill.store.blobs import open_blobs
from handbill.store.index import EdgeIndex
from handbill.work.loop import Worker
from handbill.work.tools import Tools
from sites import MAPPINGS, Site, document, item, serving

_SAMPLE_KEYS = [
    "clientId",
    "source",
    "config",
    "createdOn",
    "lastUpdated",
    "active",
    "schemaMappings",
    "urlParamsToStrip",
    "id",
    "deleted",
    "schemaValueOverrides",
    "schemaValueDefaults",
    "mandatoryFields",
]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def worker(office: Office, site: Site, tmp_path: Path) -> Iterator[Worker]:
    """Runs imports, and nothing of what follows them."""
    desk = office.desk
    egress = Egress((f"127.0.0.1:{site.port}",))
    index = EdgeIndex(tmp_path / "index", writable=True)
    tools = Tools(
        desk.records,
        open_blobs(str(tmp_path / "blobs")),
        index,
        desk.clock,
        desk.ids,
        egress,
        Settings(data=str(tmp_path)),
        tmp_path / "scratch",
    )
    yield Worker(tools, "worker-0", TASKS, SCHEDULE)
    egress.close()
    index.close()


def new_feed(office: Office, client: str, site: Site, **more: Any) -> str:
    body = {"xmlFeedUrl": site.url(), "schemaMappings": MAPPINGS} | more
    return f"{client}/feeds/" + office.new(f"{client}/feeds", body)


def last_run(office: Office, feed: str) -> Body:
    runs: list[Body] = office.get(f"{feed}/runs?page=0&limit=10")["data"]
    return runs[0]


def test_a_new_feed_is_run_at_once(office: Office, site: Site, worker: Worker) -> None:
    client = office.client()
    site.pages["/feed.xml"] = document(item("1"), item("2", title=""), item("3", shift="night"))
    feed = new_feed(office, client, site)
    worker.run_due()
    jobs = office.get(f"{client}/jobs?page=1&limit=10")
    assert jobs["summary"] == 3
    assert [job["valid"] for job in jobs["data"]] == [True, False, True]
    assert office.get(f"{client}/idx-mappings") == {"shift": "cif1"}
    run = last_run(office, feed)
    assert (run["status"], run["percent"], run["line"]) == ("SUCCESS", 100, 0)
    assert run["counts"]["added"] == 3
    assert run["faultCounts"] == {"missing": 1}
    assert run["faults"] == [
        {"job": "2", "field": "title", "line": 4, "reason": "missing", "message": "is empty"}
    ]
    assert office.get(f"{feed}/runs/{run['id']}") == run


def test_a_feed_is_shown_as_the_sample_has_it(office: Office, site: Site, worker: Worker) -> None:
    client = office.client()
    auth = {"username": "u", "password": "secret"}
    feed = new_feed(
        office,
        client,
        site,
        urlParamsToStrip=["utm_source"],
        config={"auth": auth},
        schemaValueDefaults={"country": "US"},
        schemaValueOverrides={"company": "Mills"},
    )
    shown = office.get(feed)
    assert list(shown) == _SAMPLE_KEYS
    assert shown["source"] == site.url()
    assert shown["config"] == {}
    assert shown["schemaMappings"]["schemaMappingsTitle"] == "title"
    assert shown["schemaMappings"]["schemaMappingsZip"] is None
    assert shown["mandatoryFields"] == [
        "source",
        "job",
        "title",
        "description",
        "url",
        "referencenumber",
    ]
    assert office.get(f"{client}/feeds?page=0&limit=10") == {"data": [shown]}
    # What is shown can be sent back, and changes nothing.
    worker.run_due()
    office.put(feed, shown)
    assert office.get(feed) == shown
    worker.run_due()
    assert len(office.get(f"{feed}/runs?page=0&limit=10")["data"]) == 1
    office.ask("POST", f"{feed}/run")
    # Not even what is never shown.
    worker.run_due()
    assert site.asked[-1]["Authorization"] == "Basic dTpzZWNyZXQ="
    office.put(feed, {"config": {"auth": None, "userAgent": "Mills/2"}})
    worker.run_due()
    assert "Authorization" not in site.asked[-1]
    assert site.asked[-1]["User-Agent"] == "Mills/2"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"schemaMappings": {"schemaMappingsTittle": "x"}}, "/schemaMappings/schemaMappingsTittle"),
        ({"schemaMappings": {"schemaMappingsUrl": "x"}}, "/schemaMappings/schemaMappingsUrl"),
        ({"xmlFeedUrl": "string"}, "/xmlFeedUrl"),
        ({"xmlFeedUrl": "ftp://feeds.example/x"}, "/xmlFeedUrl"),
        ({"xmlFeedUrl": "file:///etc/passwd"}, "/xmlFeedUrl"),
        ({"xmlFeedUrl": "https://u:p@feeds.example/x"}, "/xmlFeedUrl"),
        ({"xmlFeedUrl": 7}, "/xmlFeedUrl"),
        ({"xmlFeedUrl": None}, "/xmlFeedUrl"),
        ({"schemaMappings": {"schemaMappingsTitle": "t"}}, "/schemaMappings/schemaMappingsURL"),
        ({"schemaMappings": {"schemaMappingsTitle": "a b"}}, "/schemaMappings/schemaMappingsTitle"),
        ({"schemaMappings": {"schemaMappingsTitle": 7}}, "/schemaMappings/schemaMappingsTitle"),
        *(
            ({"schemaMappings": {"schemaMappingsCity": path}}, "/schemaMappings/schemaMappingsCity")
            for path in ("/t", "//t", "./t", "t/text()", "t[1]", "t/", "@a/t", "t/@")
        ),
        ({"schemaValueOverrides": {"cpc": "lots"}}, "/schemaValueOverrides/cpc"),
        ({"schemaValueDefaults": {"url": "jobs/1"}}, "/schemaValueDefaults/url"),
        ({"schemaMappings": []}, "/schemaMappings"),
        (
            {"schemaMappings": MAPPINGS | {"schemaMappingAdditional": {"n": "two words"}}},
            "/schemaMappings/schemaMappingAdditional/n",
        ),
        (
            {"schemaMappings": MAPPINGS, "mandatoryFields": ["zip"]},
            "/schemaMappings/schemaMappingsZip",
        ),
        ({"mandatoryFields": ["salary"]}, "/mandatoryFields/0"),
        (
            {"schemaValueOverrides": {"referencenumber": "x"}},
            "/schemaValueOverrides/referencenumber",
        ),
        ({"schemaValueDefaults": {"two words": "x"}}, "/schemaValueDefaults/two words"),
        ({"urlParamsToStrip": "utm_source"}, "/urlParamsToStrip"),
        ({"config": {"auth": {"username": "u"}}}, "/config/auth/password"),
        ({"config": {"auth": {"username": "u:v", "password": "p"}}}, "/config/auth/username"),
        ({"schemaMappingPublisher": 7}, "/schemaMappingPublisher"),
    ],
)
def test_what_is_refused(module_office: Office, body: Body, field: str) -> None:
    client = module_office.client()
    whole = {"xmlFeedUrl": "https://feeds.example/x.xml", "schemaMappings": {}} | body
    assert field in module_office.faults("POST", f"{client}/feeds", whole)
    assert module_office.get(f"{client}/feeds?page=0&limit=10") == {"data": []}


def test_updates(office: Office, site: Site, worker: Worker) -> None:
    client = office.client()
    site.pages["/feed.xml"] = document(item("1"))
    feed = new_feed(office, client, site)
    worker.run_due()
    before = office.get(feed)
    assert office.put(feed, {}) == {"result": before["id"], "message": "Feed updated"}
    worker.run_due()
    assert len(office.get(f"{feed}/runs?page=0&limit=10")["data"]) == 1
    office.put(feed, {"schemaValueOverrides": {"company": "Mills"}})
    office.put(feed, {"schemaMappingPublisher": "boards", "urlParamsToStrip": ["x"]})
    shown = office.get(feed)
    assert shown["schemaMappings"]["schemaMappingPublisher"] == "boards"
    assert shown["schemaMappings"]["schemaMappingsTitle"] == "title"
    worker.run_due()
    assert office.get(f"{client}/jobs/1")["company"] == "Mills"
    office.put(feed, {"schemaValueOverrides": None, "urlParamsToStrip": None})
    cleared = office.get(feed)
    assert (cleared["schemaValueOverrides"], cleared["urlParamsToStrip"]) == ({}, [])
    assert "/schemaMappings/schemaMappingsURL" in office.faults(
        "PUT", feed, {"schemaMappings": {"schemaMappingsTitle": "t"}}
    )
    assert "/xmlFeedUrl" in office.faults("PUT", feed, {"xmlFeedUrl": "string"})
    assert "/xmlFeedUrl" in office.faults("PUT", feed, {"xmlFeedUrl": None})


def test_pause_enable_and_schedule(office: Office, site: Site, worker: Worker) -> None:
    client = office.client()
    site.pages["/feed.xml"] = document(item("1"))
    feed = new_feed(office, client, site)
    for _ in range(2):
        assert office.put(f"{feed}/pause") == {"result": True, "message": "Feed paused"}
    assert office.get(feed)["active"] is False
    worker.run_due()
    assert office.get(f"{feed}/runs?page=0&limit=10")["data"] == []
    # Asked for, a paused feed is run all the same.
    assert office.ask("POST", f"{feed}/run").status == 200
    worker.run_due()
    assert last_run(office, feed)["counts"]["added"] == 1
    for _ in range(2):
        assert office.put(f"{feed}/enable") == {"result": True, "message": "Feed enabled"}
    worker.run_due()
    assert len(office.get(f"{feed}/runs?page=0&limit=10")["data"]) == 2
    # A day later its time has come.
    clock = office.desk.clock
    assert isinstance(clock, SetClock)
    clock.forward(DAY)
    with office.desk.records.write() as tx:
        SCHEDULE[0][2](tx, clock.now())
    worker.run_due()
    token = office.ask("POST", "/token", {"client_id": office.api_client_id}).json
    office.headers["x-authorization-key"] = token["access_token"]
    assert len(office.get(f"{feed}/runs?page=0&limit=10")["data"]) == 3


def test_run_now_and_force(office: Office, site: Site, worker: Worker) -> None:
    client = office.client()
    site.pages["/feed.xml"] = document(item("1"), item("2"), item("3"))
    feed = new_feed(office, client, site)
    worker.run_due()
    site.pages["/feed.xml"] = document(item("1"))
    started = office.ask("POST", f"{feed}/run")
    assert started.json["message"] == "Feed run started"
    waiting = office.get(f"{feed}/runs/{started.json['result']}")
    assert (waiting["status"], waiting["endedOn"]) == ("QUEUED", None)
    worker.run_due()
    failed = office.get(f"{feed}/runs/{started.json['result']}")
    assert (failed["status"], failed["reason"]) == ("FAILED", "lost_jobs")
    assert (
        failed["message"]
        == "The feed lost 2 of its 3 jobs; run it with ?force=true to accept that."
    )
    assert office.get(f"{client}/jobs?page=1&limit=10")["summary"] == 3
    office.ask("POST", f"{feed}/run?force=true")
    worker.run_due()
    assert last_run(office, feed)["counts"]["left"] == 2
    assert office.get(f"{client}/jobs?page=1&limit=10")["summary"] == 1


def test_deleted_feeds_are_gone_with_their_jobs(office: Office, site: Site, worker: Worker) -> None:
    client = office.client()
    site.pages["/feed.xml"] = document(item("1"))
    feed = new_feed(office, client, site)
    worker.run_due()
    assert office.ask("DELETE", feed).json == {"result": True, "message": "Feed deleted"}
    assert office.get(f"{client}/jobs?page=1&limit=10")["summary"] == 0
    for verb, path in (
        ("GET", feed),
        ("PUT", feed),
        ("DELETE", feed),
        ("PUT", f"{feed}/pause"),
        ("POST", f"{feed}/run"),
        ("GET", f"{feed}/runs?page=0&limit=1"),
    ):
        assert office.ask(verb, path, {} if verb == "PUT" else None).status == 404
    worker.run_due()
    assert office.get(f"{client}/feeds?page=0&limit=10") == {"data": []}


def test_feeds_of_others_are_unknown(office: Office, site: Site) -> None:
    client, other = office.client(), office.client(companyName="Other")
    feed = new_feed(office, client, site)
    feed_id = feed.rsplit("/", 1)[1]
    foreign = office.another()
    for asker, path in (
        (office, f"{other}/feeds/{feed_id}"),
        (foreign, feed),
        (foreign, f"{foreign.client()}/feeds/{feed_id}"),
        (office, f"{client}/feeds/none"),
        (office, f"{feed}/runs/none"),
    ):
        assert asker.ask("GET", path).status == 404


def test_a_password_is_asked_for_again_at_another_place(
    office: Office, site: Site, worker: Worker
) -> None:
    client = office.client()
    auth = {"username": "u", "password": "secret"}
    feed = new_feed(office, client, site, config={"auth": auth})
    worker.run_due()
    assert site.asked[-1]["Authorization"] == "Basic dTpzZWNyZXQ="
    moves: list[dict[str, Any]] = [
        {"xmlFeedUrl": url}
        for url in (
            "https://evil.example/feed.xml",
            site.url().replace("http:", "https:"),
            "http://127.0.0.1/feed.xml",
            "http://localhost.example/feed.xml",
        )
    ]
    moves.append({"xmlFeedUrl": "https://evil.example/", "config": {"userAgent": "x"}})
    for verb in ("PUT", "PATCH"):
        for move in moves:
            refused = office.ask(verb, feed, move)
            assert refused.status == 400, move
            assert [one["field"] for one in refused.json["errors"]] == ["/config/auth/password"]
    office.put(feed, {"xmlFeedUrl": site.url("/other.xml")})  # the same place
    worker.run_due()
    assert site.asked[-1]["Authorization"] == "Basic dTpzZWNyZXQ="
    office.put(feed, {"xmlFeedUrl": "https://evil.example/feed.xml", "config": {"auth": None}})
    office.put(feed, {"xmlFeedUrl": site.url()})
    worker.run_due()
    assert "Authorization" not in site.asked[-1], "a password came back"
