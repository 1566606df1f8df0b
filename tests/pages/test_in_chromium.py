"""Pages in a real Chromium: accessible, narrow enough for a phone, and nothing from elsewhere."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, sync_playwright

from chromium import ARGUMENTS, PROGRAM, needed
from contract.signed_in import PASSWORD, person
from contract.world import World
from handbill.api import fronted
from handbill.pages.visitors import COOKIE
from pages.browsing import Browser
from pages.served import served
from pages.walking import walked

pytestmark = needed
MAIL = "owner@acme.example"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
_ONLY = {"resultTypes": ["violations"]}
RULES = _ONLY | {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
}
COLOURS = _ONLY | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What another scheme of colours can break: all else of a page is the same in both."""
_LOUD = {"error", "warning"}
_MOST_TABS = 150
_PATIENCE_MS = 120_000
_FOCUSED = """() => {
    const at = document.activeElement;
    if (at === document.body) return "";  // between the last control and the first
    const label = at.labels && at.labels.length ? at.labels[0].textContent : "";
    return at.getAttribute("aria-label") || label || at.textContent;
}"""
AXE = Axe()
_WIDTH = "() => document.documentElement.scrollWidth"
_BENEATH = """() => [...document.querySelectorAll("td[data-title]")].filter(cell => {
    const inside = document.createRange();
    inside.selectNodeContents(cell);
    const wide = parseFloat(getComputedStyle(cell, "::before").width);
    const titled = cell.getBoundingClientRect().left + wide;
    return [...inside.getClientRects()].some(one => one.width && one.left < titled);
}).map(cell => cell.textContent)"""
"""The cells on a phone whose text also stands beneath the title of their column."""
_STANDS = "() => getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    """Where the pages of a small world are."""
    with served(fronted(world.office.desk, world.office.app)) as address:
        yield address


@pytest.fixture(scope="module")
def context(world: World, site: str) -> Iterator[BrowserContext]:
    """A browser in which an operator has signed in, to whom every page is open."""
    person(world.office, "OPERATOR", mail=MAIL, password=PASSWORD)
    assert PROGRAM is not None, "the tests are skipped where there is none"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        made = chromium.new_context(viewport=DESK)  # type: ignore[arg-type]
        made.set_default_timeout(_PATIENCE_MS)
        _sign_in(made.new_page(), site)
        yield made
        chromium.close()


def _reach(page: Page, name: str) -> None:
    """Move by the tab key alone to what has this name."""
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        if name in page.evaluate(_FOCUSED):
            return
    raise AssertionError(f"no way to {name!r} by the keyboard on {page.url}")


def _press(page: Page, name: str, typed: str | None = None) -> None:
    """Go to a control, type over what it says, and press Enter: a page follows."""
    _reach(page, name)
    if typed is not None:
        page.keyboard.press("Control+a")
        page.keyboard.type(typed)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/app/sign-in")
    _reach(page, "Mail")
    page.keyboard.type(MAIL)
    _press(page, "Password", PASSWORD)
    assert page.url == f"{site}/app"
    page.close()


def _violations(page: Page, rules: dict[str, Any]) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.axe_script)
    found = page.evaluate("rules => axe.run(rules).then(told => told.violations)", rules)
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for one in found
        for node in one["nodes"]
    ]


def test_every_page_for_everybody(site: str, context: BrowserContext, world: World) -> None:
    """Axe finds nothing, light or dark; a phone scrolls down only; no other site is asked."""
    faults: dict[str, list[str]] = {}
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url))
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type in _LOUD else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    [cookie] = [one for one in context.cookies() if one["name"] == COOKIE]
    browser = Browser(
        fronted(world.office.desk, world.office.app), {"cookie": f"{COOKIE}={cookie['value']}"}
    )
    kinds = walked(lambda path: browser.get(path).text)
    kinds["sign_in"] = "/app/sign-in"
    kinds["mails"] = "/app/account/mails"
    kinds["end_mails"] = "/app/mails/end?token=x"
    question = f"{world.client}/report-questions/{world.ids['question_id']}/link"
    kinds["shared"] = f"/app/shared/{world.office.ask('POST', question).json['secret']}"
    grounds = set()
    for kind, path in kinds.items():
        answer = page.goto(site + path)
        assert answer is not None, kind
        assert answer.status == 200, (kind, path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            grounds.add(page.evaluate(_STANDS))
            faults[f"{kind}, {scheme}"] = _violations(page, RULES if scheme == "light" else COLOURS)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if page.evaluate(_WIDTH) > PHONE["width"]:
            faults[f"{kind}, narrow"] = [f"{page.evaluate(_WIDTH)} wide"]
        faults[f"{kind}, beneath a title"] = page.evaluate(_BENEATH)
        page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.close()
    assert "\n".join(f"{kind}: {one}" for kind, told in faults.items() for one in told) == ""
    assert len(grounds) == 2, "dark and light differ"
    assert asked, "the pages have been asked for"
    assert {url for url in asked if not url.startswith(f"{site}/app")} == set()
    assert said == []


def test_tasks_by_the_keyboard_alone(site: str, context: BrowserContext, world: World) -> None:
    """After signing in, also by the keyboard: no pointer, no script of ours."""
    office, ids = world.office, world.ids
    group = f"{world.client}/campaigns/{ids['campaign_id']}/jobgroups/{ids['jobgroup_id']}"
    page = context.new_page()
    page.goto(f"{site}/app")
    _press(page, "Skip to the content")
    _press(page, office.get(world.client)["companyName"])
    assert page.url == f"{site}/app{world.client}"

    before = office.get(group)["cpcBid"]
    _press(page, f"Bid of {office.get(group)['name']}", "0.81")
    assert float(office.get(group)["cpcBid"]) == 0.81
    _press(page, "Undo")
    assert office.get(group)["cpcBid"] == before
    _press(page, f"Pause {office.get(group)['name']}")
    assert office.get(group)["activeStatus"] == "P"
    _press(page, "Undo")
    assert office.get(group)["activeStatus"] == "A"

    _press(page, "Feeds")
    _press(page, "Run now")
    runs = f"{world.client}/feeds/{ids['feed_id']}/runs?page=0&limit=10"
    assert len(office.get(runs)["data"]) >= 1
    _press(page, "Rules")
    of_client = {"x-client-id": ids["client_id"]}
    rule = office.ask("GET", f"/rules/{ids['rule_id']}", headers=of_client).json
    _press(page, rule["name"])
    _press(page, "Preview")
    assert page.url.endswith("?try=preview")
    _press(page, "Reports")
    _reach(page, "CSV")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "answer.csv"

    _press(page, "Jobs")
    _press(page, "Reference", ids["job_reference"])
    _press(page, "Why ")
    assert page.url.startswith(f"{site}/app{world.client}/jobs/why?ref=")
    assert page.get_by_role("heading", name="At each publisher").is_visible()
    page.goto(f"{site}/app{group}")
    _press(page, "Value of rule 1", "nurse")
    assert "jobs would be taken" in page.locator(".preview").inner_text()
    office.put(group, {"cpcBid": 0.82})
    _press(page, "Changes")
    _press(page, "Undo change")
    assert office.get(group)["cpcBid"] == before
    page.close()


def test_axe_finds_what_is_wrong(context: BrowserContext) -> None:
    page = context.new_page()
    page.set_content("<html><body><img src='data:,'><input></body></html>")
    assert len(_violations(page, RULES)) > 2
    page.set_content("<html><body><p style='color: #ddd; background: #fff'>pale</p></body></html>")
    (pale,) = _violations(page, COLOURS)
    assert pale.startswith("color-contrast")
    page.close()
