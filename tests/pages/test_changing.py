"""Changes that are made on pages, and files that pages give: order of rules, workbooks."""

import asyncio
import io
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from lxml import etree

from contract.world import FEED, World
from handbill.access.keys import secret
from handbill.clients import service as clients
from handbill.contract.rules.routes import OPERATIONS as RULES
from handbill.control import rows as control_rows
from handbill.core.listing_tokens import is_test, listing_opener, terms_of
from handbill.core.pacing.bids import BidLine, Inputs, decided
from handbill.core.pacing.plans import CopyDemand
from handbill.groups import service as groups
from handbill.kit.money import PPM
from handbill.pages.calls import Calls
from handbill.pages.views import jobgroups, settings
from handbill.pages.views.feeds import says_of_preview
from handbill.pages.views.reports import is_told
from handbill.pages.workbooks import workbook_file
from handbill.publishers import service as publishers
from pages.browsing import Browser

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _ids(world: World) -> list[str]:
    headers = {"x-client-id": world.ids["client_id"]}
    found = world.office.ask("GET", "/rules?page=0&limit=10", headers=headers).json["data"]
    return [one["id"] for one in found]


def test_rules_are_moved(world: World, browser: Browser) -> None:
    ids = world.ids
    scope = {"clientId": "client_id", "campaignId": "campaign_id", "jobGroupId": "jobgroup_id"}
    body = RULES[0].sample | {name: ids[slot] for name, slot in scope.items()}
    headers = {"x-client-id": ids["client_id"]}
    world.office.ask("POST", "/rules", body | {"name": "second"}, headers=headers)
    first, second = _ids(world)
    at = f"/app{world.client}/rules"
    buttons = browser.get(at).all("//section[@aria-labelledby='rules']//tbody//button/@aria-label")
    assert [one.rpartition(" ")[2] for one in buttons] == ["later", "earlier"]
    done = browser.post(f"{at}/order", {"rule": second, "do": "earlier"})
    assert (done.status, done.headers["location"], _ids(world)) == (303, at, [second, first])
    for asked in ({"rule": second, "do": "earlier"}, {"rule": "x", "do": "later"}, {"rule": first}):
        assert browser.post(f"{at}/order", asked).status == 303
    assert _ids(world) == [second, first]
    browser.post(f"{at}/order", {"rule": second, "do": "later"})
    assert _ids(world) == [first, second]


def test_what_rules_may_do_is_set_and_what_they_hold_is_lifted(
    world: World, browser: Browser
) -> None:
    at, headers = f"/app{world.client}/rules", {"x-client-id": world.ids["client_id"]}
    before = world.office.ask("GET", "/rules/control", headers=headers).json["control"]
    for mode in ("OFF", "ACT", before):
        done = browser.post(f"{at}/control", {"mode": mode})
        assert (done.status, done.headers["location"]) == (303, at)
        seen = browser.get(at)
        assert seen.all("//select[@id='mode']/option[@selected]/@value") == [mode]
        told = world.office.ask("GET", "/rules/control", headers=headers).json
        assert told["control"] == mode
    assert browser.post(f"{at}/control", {"mode": "x"}).status == 303
    (hold,) = world.office.get(f"{world.client}/holds")["data"]
    [label] = browser.get(at).all("//section[@aria-labelledby='holds']//button/@aria-label")
    assert label == f"Lift the hold of {hold['name']} by {hold['ruleName']}"
    for _ in range(2):
        assert browser.post(f"{at}/lift", {"hold": hold["id"]}).status == 303
    assert world.office.get(f"{world.client}/holds")["data"] == []
    assert "Nothing is held." in browser.get(at).text


def test_a_callback_that_was_given_up_is_sent_again(world: World, browser: Browser) -> None:
    at = f"/app{world.client}/integrate"
    [form] = browser.get(at).tree.xpath("//form[contains(@action, 'callbacks')]")
    fields = {one.get("name"): one.get("value") for one in form.xpath(".//input")}
    for _ in range(2):
        done = browser.post(form.get("action"), fields)
        assert (done.status, done.headers["location"]) == (303, at)
    assert world.office.get("/callbacks?page=0&limit=9")["data"][0]["state"] == "SENDING"
    assert browser.get(at).all("//form[contains(@action, 'callbacks')]") == []
    assert browser.post(form.get("action"), fields | {"callback": "x"}).status == 404


def test_a_test_link_is_made_for_a_placement(world: World, browser: Browser) -> None:
    at, ref = f"/app{world.client}/integrate", world.ids["job_reference"]
    [place] = browser.get(at).all("//select[@name='place']/option/@value")
    made = browser.get(f"{at}?{urlencode({'place': place, 'job': ref})}")
    [link] = made.all("//a[@target='_blank']/@href")
    token = link.rpartition("/c/")[2].encode()
    with world.office.desk.records.read() as tx:
        packed = listing_opener(secret(tx, "listing"))(token)
    assert is_test(packed)
    assert terms_of(packed)[1][4:6] == (0, 0), "it has neither bid nor price"
    wrong = browser.get(f"{at}?{urlencode({'place': place, 'job': 'nothing'})}")
    assert wrong.all("//input[@aria-invalid='true']/@value") == ["nothing"]
    assert wrong.all("//a[@target='_blank']") == []


def test_a_click_of_which_nothing_is_known_is_told_on_the_page(
    world: World, browser: Browser
) -> None:
    """A conversion may name it: it is listed as parked, with its click."""
    at = f"/app{world.client}/integrate"
    for click in ("ab" * 16, "x"):
        page = browser.get(f"{at}?click={click}")
        assert (page.status, len(page.all("//*[@id='click']"))) == (200, 1)
        assert "Nothing is known of this click" in page.text
    assert "Nothing is known" not in browser.get(at).text


def _cells(raw: bytes) -> list[tuple[str, str | None]]:
    """Each cell's kind and value; texts are in the cells' order among the shared ones."""
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        texts = etree.fromstring(book.read("xl/sharedStrings.xml"))
        shared = ["".join(map(str, one.itertext())) for one in texts.iter(f"{SHEET}si")]
        sheet = etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert list(sheet.iter(f"{SHEET}f")) == [], "nothing is a formula"
    cells = []
    for cell in sheet.iter(f"{SHEET}c"):
        value = cell.findtext(f"{SHEET}v")
        is_text = cell.get("t") == "s" and value is not None
        cells.append(("text", shared[int(value or 0)]) if is_text else ("number", value))
    return cells


def test_a_workbook_has_texts_as_texts_and_numbers_as_numbers() -> None:
    rows: list[list[Any]] = [
        ["=1+1", Decimal("12.345678"), 7, "2026-11-29"],
        ["https://x.example", None, 0, None],
    ]
    heading = ["Name", "Spend", "Clicks", "Day"]
    made = asyncio.run(workbook_file("n", heading, rows, frozenset({"Spend"}), "EUR"))
    assert made.headers["content-disposition"] == 'attachment; filename="n.xlsx"'
    assert _cells(bytes(made.body)) == [
        ("text", "Name"),
        ("text", "Spend (EUR)"),
        ("text", "Clicks"),
        ("text", "Day"),
        ("text", "=1+1"),
        ("number", "12.345678"),
        ("number", "7"),
        ("number", "46355"),
        ("text", "https://x.example"),
        ("number", "0"),
    ]


def test_a_line_of_nothing_without_figures_is_left_out() -> None:
    nothing = {"campaignId": "", "publisherId": "", "allViews": 3, "spent": 0, "clicks": 0}
    assert not is_told(nothing, "campaign")
    assert is_told(nothing | {"applies": 1}, "campaign")
    assert is_told(nothing | {"publisherId": "board"}, "campaign")


def _log_bid(world: World, group: str, publisher: str) -> None:
    """A bid of 0.66 USD there, set as 0.60 EUR, as control logs it."""
    step = Inputs(
        base_micros=660_000,
        source="PLACEMENT",
        min_bid_micros=0,
        whole_micros=10_000,
        markdown_ppm=0,
        unit_micros=10_000,
        former_micros=0,
        rule_ppm=PPM,
        target=None,
        views=(),
        life=CopyDemand(0, 0),
        elasticity_ppm=PPM,
        matching_jobs=1,
        start_ppm=0,
        rate_picos=1_100_000_000_000,
        said_micros=600_000,
    )
    desk = world.office.desk
    with desk.records.write() as tx:
        client = clients.client_at_work(tx, world.ids["client_id"])
        assert client is not None
        of_group = groups.group_of(tx, client[0].no, group.rpartition("/")[2])
        at = publishers.publisher_of(tx, client[0].agency_no, publisher)
        line = (of_group.no, at.no), BidLine(step, decided(step))
        control_rows.log(tx, client[0].no, desk.clock.now(), [line])


def test_placements_show_the_bid_that_their_publisher_takes(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = world.office
    kinds: dict[str, dict[str, Any]] = {
        "CPC": {},
        "CPA": {},
        "Organic": {},
        "PPP": {},
        "FLAT_CPC": {"flatBidValue": 0.35, "currency": "EUR"},
    }
    for kind, more in kinds.items():
        office.new("/publishers", {"id": f"Of{kind}", "bidType": kind} | more)
    for id_ in ("Euro", "Gone"):
        office.new("/publishers", {"id": id_, "currency": "EUR"})
    places: list[dict[str, Any]] = [{"value": f"Of{kind}"} for kind in kinds]
    places[0]["bid"] = 0.7
    places += [{"value": "Euro", "bid": 0.6, "currency": "EUR"}, {"value": "Gone"}]
    campaign = f"{world.client}/campaigns/{world.ids['campaign_id']}"
    group = office.group(campaign, name="bids", placements=places, cpaBid=9)
    _log_bid(world, group, "Euro")
    assert office.ask("DELETE", "/publishers/Gone").status == 200
    of_publisher = ["– unpaid", "– per posting", "€0.35 flat price"]
    told = ["$0.70", "$9.00 per apply", *of_publisher, "€0.60", "– deleted"]
    cells = "//section[@aria-labelledby='placements']//td[1]"
    assert browser.get(f"/app{group}").all(cells) == told
    changes = browser.get(f"/app{group}").all("//section[@aria-labelledby='bids']//td")
    links = browser.get(f"/app{group}").all("//section[@aria-labelledby='placements']//th/a/@href")
    assert links == [f"/app/publishers/{one['value']}" for one in places[:-1]], "one is deleted"
    assert changes[1:4] == ["$0.66", "$0.66", "€0.60"], "a price is in the publisher's currency"
    monkeypatch.setattr(jobgroups, "_MOST_LOOKED_UP", 1)
    for at_once in (1_000, 1):
        monkeypatch.setattr(jobgroups, "_LISTED_AT_ONCE", at_once)
        assert browser.get(f"/app{group}").all(cells) == told
    office.put(group, {"placements": [{"value": "OfCPC"}]})
    changes = browser.get(f"/app{group}").all("//section[@aria-labelledby='bids']//td")
    assert changes[1:4] == ["$0.66", "$0.66", "0.6"], "it is no placement any more"
    office.put(group, {"cpcBid": 0, "placements": [{"value": "Euro"}]})
    assert browser.get(f"/app{group}").all(cells) == ["– each job’s own"]
    assert office.ask("DELETE", group).status == 200
    for id_ in (*(f"Of{kind}" for kind in kinds), "Euro"):
        assert office.ask("DELETE", f"/publishers/{id_}").status == 200


def test_a_feed_is_shown_before_its_first_run(world: World, browser: Browser) -> None:
    client = world.office.client()
    world.office.new(f"{client}/feeds", FEED)
    seen = browser.get(f"/app{client}/feeds")
    assert seen.all("//tbody//td") == ["It has not run yet."]


def test_click_definitions_of_all_publishers_are_reached(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_PUBLISHERS_AT_ONCE", 1)
    asked, definitions_of = list[int](), settings._definitions_of

    async def counted(calls: Calls, publishers: Sequence[Any]) -> Any:
        asked.append(len(publishers))
        return await definitions_of(calls, publishers)

    monkeypatch.setattr(settings, "_definitions_of", counted)
    office, new = world.office, ("Former", "Last")
    for id_ in new:
        office.new("/publishers", {"id": id_})
    last = office.get("/publishers?page=0&limit=1000")["data"][-1]
    office.put(f"/publishers/{last['id']}/click-definition", {"preset": "3"})
    path, found = "/app/settings", []
    every = office.get("/publishers?page=0&limit=1000")["data"]
    for _ in every:
        seen = browser.get(path)
        found += seen.all("//section[@aria-labelledby='definitions']//tbody/tr/th")
        following = seen.all("//nav[@aria-label='Pages of click definitions']/a[@rel='next']/@href")
        path = following[0].partition("#")[0] if following else ""
    assert (path, found[-1]) == ("", last["name"])
    assert asked == [1] * len(every), "a page asks about its publishers"
    asked.clear()
    file = browser.get("/app/settings?csv=definitions").text.splitlines()
    assert [line.partition(",")[0] for line in file[1:]] == found
    assert asked == [1] * len(every), "their file asks about all, some at a time"
    asked.clear()
    assert browser.get("/app/settings?csv=keys").status == 200
    assert asked == [], "other files ask about none"
    for id_ in new:
        assert office.ask("DELETE", f"/publishers/{id_}").status == 200


def test_a_report_is_given_as_a_workbook(world: World, browser: Browser) -> None:
    at = f"/app{world.client}/reports?level=JOB&days=7"
    [link] = browser.get(at).all("//a[.='Excel']/@href")
    seen = browser.get(link)
    assert seen.status == 200
    assert seen.headers["content-type"].endswith("spreadsheetml.sheet")
    titles = [value for kind, value in _cells(seen.reply.raw) if kind == "text"]
    assert titles[:5] == ["Job", "Reference", "Spend (USD)", "Clicks", "Starts"]


def test_keys_and_rates_are_made_and_ended(world: World, browser: Browser) -> None:
    at, office = "/app/settings", world.office
    made = browser.post(at, {"act": "add-key"})
    [key] = made.all("//*[@role='status']//code")
    assert key.startswith("hb_")
    assert key not in browser.get(at).text
    prefix = key.split("_")[1]
    assert browser.post(at, {"act": "end-key", "of": prefix}).status == 303
    keys = office.get("/api-keys?page=0&limit=100")["data"]
    assert [bool(one["revokedOn"]) for one in keys if one["prefix"] == prefix] == [True]

    rate = {"act": "set-rate", "date": "2026-10-28", "from": "EUR", "to": "USD", "rate": "lots"}
    wrong = browser.post(at, rate)
    assert wrong.status == 400
    assert wrong.all("//input[@aria-invalid='true']/@value") == ["lots"]
    assert wrong.all("//input[@name='date']/@value") == ["2026-10-28"]
    assert browser.post(at, rate | {"rate": "1.0825"}).status == 303
    rates = office.get("/rates?page=0&limit=10")["data"]
    [own] = [one for one in rates if one["date"] == "10/28/2026" and one["from"] == "EUR"]
    assert (own["from"], float(own["rate"])) == ("EUR", 1.0825)
    assert browser.post(at, {"act": "end-rate", "of": own["id"]}).status == 303
    assert own not in office.get("/rates?page=0&limit=10")["data"]
    for act in ("end-key", "end-markup", "end-program", "end-rate"):
        assert browser.post(at, {"act": act, "of": "none"}).status in {400, 404}
    assert browser.post(at, {"act": "x", "of": "none"}).status == 303


def test_markups_and_click_definitions_are_made_and_ended_after_a_question(
    world: World, browser: Browser
) -> None:
    at, office, ids = "/app/settings", world.office, world.ids
    asked = {"act": "add-markup", "name": "Extra", "client": ids["client_id"]}
    asked |= {"effectiveFrom": "2026-12-01", "value": "much"}
    wrong = browser.post(at, asked)
    assert (wrong.status, wrong.all("//input[@aria-invalid='true']/@value")) == (400, ["much"])
    assert wrong.all("//input[@id='name']/@value") == ["Extra"]
    assert browser.post(at, asked | {"value": "2.5"}).status == 303
    [made] = [
        one for one in office.get("/markups?page=0&limit=99")["data"] if one["name"] == "Extra"
    ]
    assert (float(made["value"]), made["entities"][0]["clientId"]) == (2.5, ids["client_id"])
    path = "//details[summary]//form[.//input[@name='of' and @value=$of]]"
    forms = browser.get(at).tree.xpath(path, of=made["id"])
    offered = [form.xpath(".//button/@value") for form in forms]
    assert offered == [["change-markup"], ["end-markup"]]
    assert browser.post(at, {"act": "end-markup", "of": made["id"]}).status == 303
    set_to = {"act": "set-definition", "publisher": ids["publisher_id"], "preset": "3"}
    assert browser.post(at, set_to).status == 303
    one = f"/publishers/{ids['publisher_id']}/click-definition"
    assert office.get(one)["duplicate"] == 3_600
    of = {"act": "end-definition", "of": ids["publisher_id"]}
    assert browser.post(at, of | {"client": ""}).status == 303
    assert office.ask("GET", one).status == 404
    assert office.ask("GET", f"{world.client}{one}").status == 200


def test_settings_name_clients_and_write_days_as_all_pages_do(
    world: World, browser: Browser
) -> None:
    office, ids = world.office, world.ids
    of = {"clientId": ids["client_id"], "placementId": ids["publisher_id"]}
    below = of | {"level": "JobGroup", "entityId": ids["jobgroup_id"]}
    asked = {"name": "Both", "value": 3, "effectiveFrom": "2026-12-01"}
    both = [{"clientId": ids["client_id"], "level": "Client"}, below]
    markup = office.new("/markups", asked | {"entities": both})
    rate = {"act": "set-rate", "date": "2026-10-29", "from": "jpy", "to": "usd"}
    assert browser.post("/app/settings", rate | {"rate": "0.0000640825"}).status == 303
    seen = browser.get("/app/settings")
    name = office.get(world.client)["companyName"]
    [told] = seen.all("//tr[th='Both']/td[3]")
    assert told == f"{name}; a job group of {name} at {ids['publisher_id']}"
    assert seen.all("//tr[td='JPY']/*")[:4] == ["2026-10-29", "JPY", "USD", "0.0000640825"]
    [line] = [one for one in seen.all("//section[h2='Click definitions']//tbody/tr") if name in one]
    assert ids["client_id"] not in line
    assert office.ask("DELETE", f"/markups/{markup}").status == 200
    assert (
        browser.post("/app/settings", {"act": "end-rate", "of": "2026-10-29-JPY-USD"}).status == 303
    )


def test_a_mapping_by_which_no_job_is_valid_is_told() -> None:
    of = {"status": "SUCCESS", "message": "", "counts": {"total": 5, "valid": 0}}
    assert says_of_preview(of) == "It can be read, but no job of it is valid."
    assert says_of_preview(of | {"counts": {"total": 5, "valid": 1}}) == "It can be imported."
    assert says_of_preview(of | {"status": "FAILED", "message": "it is empty"}) == "It is empty."
