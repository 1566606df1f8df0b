"""Pages in a real Chromium: accessible, narrow enough for a phone, and nothing from elsewhere."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, sync_playwright

from chromium import ARGUMENTS, PROGRAM, needed
from contract.world import World
from handbill.api import fronted
from pages.browsing import Browser
from pages.served import served
from pages.walking import walked

pytestmark = needed
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
_WIDTH = "() => document.documentElement.scrollWidth"
_STANDS = "() => getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    """Where the pages of a small world are."""
    with served(fronted(world.office.desk, world.office.app)) as address:
        yield address


@pytest.fixture(scope="module")
def context(world: World) -> Iterator[BrowserContext]:
    """A browser whose visitor may do everything."""
    assert PROGRAM is not None, "the tests are skipped where there is none"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        made = chromium.new_context(extra_http_headers=world.office.headers, viewport=DESK)
        yield made
        chromium.close()


def _violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for one in found
        for node in one["nodes"]
    ]


def test_every_page_for_everybody(site: str, context: BrowserContext, browser: Browser) -> None:
    """Axe finds nothing, light or dark; a phone scrolls down only; no other site is asked."""
    faults: dict[str, list[str]] = {}
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url))
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    kinds = walked(lambda path: browser.get(path).text)
    grounds = set()
    for kind, path in kinds.items():
        answer = page.goto(site + path)
        assert answer is not None, kind
        assert answer.status == 200, (kind, path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            grounds.add(page.evaluate(_STANDS))
            faults[f"{kind}, {scheme}"] = _violations(page)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if page.evaluate(_WIDTH) > PHONE["width"]:
            faults[f"{kind}, narrow"] = [f"{page.evaluate(_WIDTH)} wide"]
        page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.close()
    assert "\n".join(f"{kind}: {one}" for kind, told in faults.items() for one in told) == ""
    assert len(grounds) == 2, "dark and light differ"
    assert asked, "the pages have been asked for"
    assert {url for url in asked if not url.startswith(f"{site}/app")} == set()
    assert said == []


def test_axe_finds_what_is_wrong(context: BrowserContext) -> None:
    page = context.new_page()
    page.set_content("<html><body><img src='data:,'><input></body></html>")
    assert len(_violations(page)) > 2
    page.close()
