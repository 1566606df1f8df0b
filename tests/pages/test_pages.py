"""Every page in one world whose every text is hostile: what it shows, and what it withstands."""

import re
from urllib.parse import quote

import pytest
from starlette.types import Receive, Scope, Send

from contract.office import Office
from contract.test_roles import session_of
from contract.world import World
from handbill.api import fronted
from handbill.clients import service as clients
from handbill.control import service as control
from handbill.core.persons import ROLES, PersonRole
from handbill.kit.instants import MINUTE
from handbill.pages.app import PAGES
from handbill.pages.rows import PageRow
from pages.browsing import EVIL, Browser
from pages.walking import walked

QUERIES = (
    "",
    "days=x&page=-1&show=%00&figures=&ref=%ff",
    "days=99999&page=99999&show=spent%27&any=%3Cscript%3E",
    "page=1&page=2&ref=../..%2f&days=&&==;",
)
NO_PROGRAMS = {"account", "mails", "sign_in_provider"}  # of persons alone
LOOKS = [
    page
    for page in PAGES
    if "GET" in page.verbs and not page.is_public and page.name not in NO_PROGRAMS
]
POSTS = [page for page in PAGES if "POST" in page.verbs and not page.is_public]


def _by_name(pages: list[PageRow]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=[page.name for page in pages])


@pytest.fixture(scope="module")
def evil(world: World) -> World:
    """The world with a text in every place that would be a script if it were not escaped."""
    office, ids = world.office, world.ids
    group = f"{world.client}/campaigns/{ids['campaign_id']}/jobgroups/{ids['jobgroup_id']}"
    office.put(f"{world.client}/campaigns/{ids['campaign_id']}", {"name": EVIL})
    rules = [{"field": "title", "operator": "NOT_CONTAINS", "data": EVIL}]
    office.put(group, {"name": EVIL, "filters": {"operator": "AND", "rules": rules}})
    office.put(f"/publishers/{ids['publisher_id']}", {"name": EVIL})
    job = quote(ids["job_reference"], safe="")
    office.put(f"{world.client}/jobs/{job}", {"title": EVIL, "company": EVIL, "city": EVIL})
    return world


def path_of(page: PageRow, world: World, **instead: str) -> str:
    ids = world.ids | instead
    return "/app" + re.sub(
        r"{(\w+)}", lambda slot: quote(ids.get(slot[1], "x"), safe=""), page.path
    )


def _query_of(page: PageRow, world: World) -> str:
    return f"ref={quote(world.ids['job_reference'], safe='')}" if page.name == "why" else ""


@pytest.mark.parametrize("role", ROLES)
def test_no_link_leads_where_its_role_may_not_go(evil: World, role: PersonRole) -> None:
    office = evil.office
    browser = Browser(fronted(office.desk, office.app), session_of(evil, role))

    def opened(path: str) -> str:
        seen = browser.get(path)
        if seen.status == 303:
            seen = browser.get(seen.headers["location"])
        assert seen.status == 200, path
        return seen.text

    found = walked(opened)
    assert ("client" in found) is (role != "PUBLISHER")
    if role == "EMPLOYER":
        assert found.keys() == {"today", "client", "jobs", "reports", "account", "mails"}
    assert ("people" in found, "health" in found) == (
        role in {"OWNER", "OPERATOR"},
        role == "OPERATOR",
    )


@_by_name(LOOKS)
def test_all_texts_are_texts(
    page: PageRow, evil: World, browser: Browser, operator: Browser
) -> None:
    seen = (operator if page.for_whom == "operators" else browser).get(
        f"{path_of(page, evil)}?{_query_of(page, evil)}"
    )
    assert seen.status == 200
    assert EVIL not in seen.text
    assert seen.all("//script[not(@src)]") == []
    assert seen.all("//@style") == []
    loaded = seen.all("//*[not(self::a)]/@src | //link/@href | //form/@action | //@hx-get")
    assert loaded
    assert all(one.startswith("/app") for one in loaded)
    assert [name for name in seen.all("//@*[starts-with(name(), 'on')]") if name] == []
    assert len(seen.all("//h1")) == 1
    assert len(seen.all("//main")) == 1
    ids = seen.all("//@id")
    assert len(ids) == len(set(ids))


@_by_name([page for page in LOOKS if "{client_id}" in page.path])
def test_a_clients_page_names_it(page: PageRow, evil: World, browser: Browser) -> None:
    seen = browser.get(f"{path_of(page, evil)}?{_query_of(page, evil)}")
    [name] = seen.all("//p[@class='client']")
    assert name.startswith(EVIL)


@_by_name(LOOKS)
def test_no_query_breaks_it(
    page: PageRow, evil: World, browser: Browser, operator: Browser
) -> None:
    for query in QUERIES:
        seen = (operator if page.for_whom == "operators" else browser).get(
            f"{path_of(page, evil)}?{query}"
        )
        assert seen.status in {200, 400, 404}, query
        assert EVIL not in seen.text


@_by_name([page for page in PAGES if "{" in page.path and not page.is_public])
def test_what_is_anothers_is_not_there(page: PageRow, evil: World, browser: Browser) -> None:
    """Foreign and unknown ids get the same answer."""
    other = _other(evil.office)
    headings = []
    for client_id in (other, "no such client"):
        unknown = {"publisher_id": "Nobody", "change_id": "999999999"}
        path = path_of(page, evil, client_id=client_id, **unknown)
        seen = browser.get(path) if "GET" in page.verbs else browser.post(path, {"do": "pause"})
        headings.append((seen.status, seen.all("//h1")))
    assert headings[0] == headings[1]
    assert headings[0][0] == 404


_OTHERS: dict[int, str] = {}


def _other(office: Office) -> str:
    """The id of another agency's client."""
    if id(office) not in _OTHERS:
        _OTHERS[id(office)] = office.another("beta").client().rpartition("/")[2]
    return _OTHERS[id(office)]


def test_a_bid_is_set_and_undone(evil: World, browser: Browser) -> None:
    world, ids = evil, evil.ids
    group = f"{world.client}/campaigns/{ids['campaign_id']}/jobgroups/{ids['jobgroup_id']}"
    of = {"campaign": ids["campaign_id"], "jobgroup": ids["jobgroup_id"]}
    at = f"/app{world.client}/jobgroups"
    before = world.office.get(group)
    done = browser.post(at, of | {"bid": "0.75"})
    assert (done.status, done.headers["location"]) == (303, f"/app{world.client}")
    assert float(world.office.get(group)["cpcBid"]) == 0.75
    flash = done.headers["set-cookie"].partition(";")[0]
    offered = browser.get(f"/app{world.client}", cookie=flash)
    [undo] = offered.tree.xpath("//*[@role='status']//form/@action")
    back = browser.post(undo, {"back": f"/app{world.client}"})
    assert back.headers["location"] == f"/app{world.client}"
    after = world.office.get(group)
    assert {**after, "lastUpdated": ""} == {**before, "lastUpdated": ""}


@pytest.mark.parametrize(("name", "value"), [("bid", "a lot"), ("cap", "-1"), ("bid", EVIL)])
def test_a_wrong_amount_is_told_at_its_field(
    evil: World, browser: Browser, name: str, value: str
) -> None:
    of = {"campaign": evil.ids["campaign_id"], "jobgroup": evil.ids["jobgroup_id"]}
    seen = browser.post(f"/app{evil.client}/jobgroups", of | {name: value})
    assert seen.status == 400
    assert seen.all("//input[@aria-invalid='true']/@value") == [value]
    assert len(seen.all("//*[@class='fault']")) == 1
    assert seen.headers["x-request-id"] in seen.all("//*[@role='alert']")[0]


def _tick(world: World) -> None:
    """What control notes after a change."""
    desk = world.office.desk
    world.office.clock.forward(MINUTE)
    with desk.records.read() as tx:
        found = clients.client_at_work(tx, world.ids["client_id"])
    assert found is not None
    control.tick(desk.records, found[0], desk.clock.now(), desk.settings.ceiling_ppm)


def test_a_group_is_paused_and_enabled_by_its_fix(evil: World, browser: Browser) -> None:
    ids = evil.ids
    group = f"{evil.client}/campaigns/{ids['campaign_id']}/jobgroups/{ids['jobgroup_id']}"
    of = {"campaign": ids["campaign_id"], "jobgroup": ids["jobgroup_id"]}
    browser.post(f"/app{evil.client}/jobgroups", of | {"do": "pause"})
    assert evil.office.get(group)["activeStatus"] == "P"
    _tick(evil)
    [form] = browser.get(f"/app{group}").tree.xpath("//form[@action='/app/fixes'][1]")
    fields = {one.get("name"): one.get("value") for one in form.xpath(".//input")}
    assert fields["of"] == group
    wrong = browser.post("/app/fixes", fields | {"code": "ANOTHER"})
    assert (wrong.status, evil.office.get(group)["activeStatus"]) == (303, "P")
    assert browser.post("/app/fixes", fields).headers["location"] == f"/app{group}"
    assert evil.office.get(group)["activeStatus"] == "A"
    for of_what in ("/../agencies/x", "https://elsewhere.example", "/clients/x/../../y", ""):
        assert browser.post("/app/fixes", fields | {"of": of_what}).status in {303, 404}


def test_what_needs_somebody_is_mended_on_today(evil: World, browser: Browser) -> None:
    office, headers = evil.office, {"x-client-id": evil.ids["client_id"]}
    rule = evil.ids["rule_id"]
    office.ask("PUT", "/rules/status", {"ids": [rule], "status": "P"}, headers=headers)
    today = browser.get("/app")
    links = "//section[@aria-labelledby='needs']//tbody//a/@href"
    assert f"/app{evil.client}/rules/{rule}" in today.all(links)
    [form] = today.tree.xpath("//form[@action='/app/needs'][.//input[@value='RULE_PAUSED']]")
    fields = {one.get("name"): one.get("value") for one in form.xpath(".//input")}
    wrong = browser.post("/app/needs", fields | {"id": "another"})
    assert (wrong.status, _status_of(evil, rule)) == (303, "P")
    assert browser.post("/app/needs", fields).headers["location"] == "/app"
    assert _status_of(evil, rule) == "A"
    after = browser.get("/app").all(links)
    assert f"/app{evil.client}/rules/{rule}" not in after


def _status_of(world: World, rule: str) -> str:
    headers = {"x-client-id": world.ids["client_id"]}
    found = world.office.ask("GET", "/rules?page=0&limit=10", headers=headers).json["data"]
    return next(str(one["status"]) for one in found if one["id"] == rule)


def test_a_filter_is_previewed_and_saved(evil: World, browser: Browser) -> None:
    ids = evil.ids
    group = f"{evil.client}/campaigns/{ids['campaign_id']}/jobgroups/{ids['jobgroup_id']}"
    before = evil.office.get(group)["filters"]
    fields = {"any": "OR", "field0": "country", "operator0": "IN", "data0": "US, CA"}
    fields |= {"field1": "", "operator1": "EQUAL", "data1": "left out"}
    fields |= {"field2": "cpcBid", "operator2": "GREATER_THAN", "data2": "0.5", "do": "preview"}
    seen = browser.post(f"/app{group}/filter", fields)
    assert seen.status == 200
    assert "1 job would be taken" in seen.all("//*[@class='preview']")[0]
    assert seen.all("//input[@name='data0']/@value") == ["US, CA"]
    assert evil.office.get(group)["filters"] == before
    wrong = browser.post(f"/app{group}/filter", fields | {"data2": "many"})
    assert wrong.status == 400
    assert wrong.all("//input[@aria-invalid='true']/@name") == ["data2"]
    assert browser.post(f"/app{group}/filter", fields | {"do": "save"}).status == 303
    saved = evil.office.get(group)["filters"]
    assert (saved["operator"], [one["field"] for one in saved["rules"]]) == (
        "OR",
        ["country", "cpcBid"],
    )
    evil.office.put(group, {"filters": before})


def test_a_filter_within_a_filter_is_told_in_words(evil: World, browser: Browser) -> None:
    ids = evil.ids
    group = f"{evil.client}/campaigns/{ids['campaign_id']}/jobgroups/{ids['jobgroup_id']}"
    before = evil.office.get(group)["filters"]
    leaf = {"field": "city", "operator": "EQUAL", "data": "Austin"}
    inner = {"operator": "OR", "rules": [leaf, leaf | {"data": "Dallas"}]}
    evil.office.put(group, {"filters": {"operator": "AND", "rules": [inner, leaf]}})
    seen = browser.get(f"/app{group}")
    assert seen.status == 200
    assert "Now: (City is Austin or City is Dallas) and City is Austin." in seen.all("//p")
    assert seen.all("//form[@class='builder']") == []
    evil.office.put(group, {"filters": before})


def test_a_feed_is_run_switched_and_mapped(evil: World, browser: Browser) -> None:
    feed = f"{evil.client}/feeds/{evil.ids['feed_id']}"
    runs = f"{feed}/runs?page=0&limit=10"
    assert browser.post(f"/app{feed}", {"do": "run"}).status == 303
    assert evil.office.get(runs)["data"]
    shown = browser.get(f"/app{evil.client}/feeds")
    assert shown.all("//section/p[1]") == ["Active. A run is under way."]
    browser.post(f"/app{feed}", {"do": "pause"})
    assert evil.office.get(feed)["active"] is False
    browser.post(f"/app{feed}", {"do": "enable"})
    assert evil.office.get(feed)["active"] is True
    mapped = {name: text for name, text in evil.office.get(feed)["schemaMappings"].items() if text}
    fields = {name: text for name, text in mapped.items() if isinstance(text, str)}
    more = fields | {"schemaMappingsCity": "town", "do": "save"}
    assert browser.post(f"/app{feed}/mapping", more).status == 303
    assert evil.office.get(feed)["schemaMappings"]["schemaMappingsCity"] == "town"
    away = browser.post(f"/app{feed}/mapping", fields | {"schemaMappingsCity": "kept", "do": "try"})
    assert (away.status, away.all("//input[@id='schemaMappingsCity']/@value")) == (200, ["kept"])
    assert "The feed cannot be fetched" in away.all("//*[@class='preview']")[0]
    wrong = browser.post(f"/app{feed}/mapping", fields | {"schemaMappingsTitle": "", "do": "save"})
    assert wrong.status == 400
    assert wrong.all("//input[@aria-invalid='true']/@name") == ["schemaMappingsTitle"]


def test_a_job_is_found_by_its_reference(evil: World, browser: Browser) -> None:
    path, ref = f"/app{evil.client}/jobs", evil.ids["job_reference"]
    found = browser.get(f"{path}?ref={quote(ref, safe='')}")
    assert found.all("//tbody/tr/td[1]") == [ref]
    none = browser.get(f"{path}?ref=nothing")
    assert none.all("//tbody//td") == ["No job of this client has the reference nothing."]
    for show in ("spent", "no-apply"):
        seen = browser.get(f"{path}?show={show}&days=7")
        assert seen.all("//tbody//td") == ["There are none in these days."]


def test_the_number_of_calls_does_not_grow_with_the_clients(evil: World) -> None:
    """Of 60 clients, a page shows 25, by a bounded number of calls."""
    office = evil.office
    for number in range(40):
        office.client(companyName=f"c{number}")
    counted: list[str] = []

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        counted.append(scope["path"])
        await office.app(scope, receive, send)

    front = fronted(office.desk, counting)  # type: ignore[arg-type]
    seen = Browser(front, office.headers).get("/app")
    assert seen.status == 200
    assert len(seen.all("//section[@aria-labelledby='clients']//tbody/tr")) == 25
    assert len(counted) <= 160
    assert seen.all("//a[@rel='next']/@href") == ["/app?page=1"]


def test_older_changes_follow_the_newest(evil: World, browser: Browser) -> None:
    for number in range(51):
        evil.office.put(evil.client, {"applyConvWindow": 20 + number % 2})
    first = browser.get("/app/changes")
    [older] = first.all("//a[.='Older changes']/@href")
    second = browser.get(older)
    assert second.status == 200
    shown = [set(seen.all("//tbody//button/@aria-label")) for seen in (first, second)]
    assert shown[0]
    assert not shown[0] & shown[1]
    assert first.all("//tbody/tr/td[2]")[0].startswith(f"Client {EVIL}")
