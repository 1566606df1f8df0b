"""``make screenshots``: every kind of page of the demo, wide and narrow, light and dark.

Plays the demo into build/screenshots with a fixed seed, or serves the one that is there. Signs in
as its owner by the link that it prints, and follows the pages' own links; then as others, for what
only they are shown.
"""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

from chromium import ARGUMENTS, PROGRAM
from handbill.demo.market import EMPLOYERS
from handbill.demo.past import AGENCY
from pages.walking import walked

ROOT = Path(__file__).parents[2]
SHOWN = ROOT / "docs" / "screenshots"
BUILT = ROOT / "build" / "screenshots"
_SEED = "1"
_WIDTHS = {1280: 800, 390: 844}
_SCHEMES = ("light", "dark")
_COLOURS = 128
_TALLEST = 2_800
_SIGN_IN = re.compile(r"^Sign in +(\S+/app)/join/(\S+)", re.MULTILINE)
_WITH_MORE = {"jobgroup": "figures=yes", "rule": "try=preview"}


class Other(NamedTuple):
    """Somebody whom pages show what the owner is not shown. ``pages``: by their pictures' names,
    each as the owner's page of that kind, or a path.
    """

    role: str
    pages: Mapping[str, str]


_OTHERS = (
    Other("operator", {"health": "/app/health"}),
    Other(
        "employer",
        {f"employer_{kind}": kind for kind in ("today", "client", "jobs", "reports")},
    ),
    Other("publisher", {"partner": "/app"}),
)


@contextmanager
def _demo(folder: Path) -> Iterator[tuple[str, str]]:
    """The address of a demo's pages, and its owner's invitation."""
    command = [sys.executable, "-m", "handbill", "demo", "--data", str(folder), "--seed", _SEED]
    command += ["--stay", "--api-port", "0", "--edge-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as demo:
        assert demo.stdout is not None, "it is a pipe"
        said = ""
        try:
            while (found := _SIGN_IN.search(said)) is None:
                line = demo.stdout.readline()
                if not line:
                    raise SystemExit(f"the demo has not started:\n{said}")
                said += line
            yield found[1], found[2]
        finally:
            demo.terminate()


def _sign_in(page: Page, home: str, invitation: str) -> None:
    page.goto(f"{home}/join/{invitation}")
    page.fill("input[type=password]", secrets.token_urlsafe(24))
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _pages(page: Page, home: str) -> dict[str, str]:
    """Each kind of page with its address: of the largest client, with all that it can show."""
    site = home.removesuffix("/app")
    largest = page.get_by_role("link", name=EMPLOYERS[0].body["companyName"]).first
    begin = largest.get_attribute("href")
    assert begin is not None, "a link leads somewhere"
    found = walked(lambda path: _read(page, site + path), begin)
    for kind, query in _WITH_MORE.items():
        if kind in found:
            found[kind] = f"{found[kind].partition('?')[0]}?{query}"
    return found


def _read(page: Page, url: str) -> str:
    answer = page.context.request.get(url)
    assert answer.ok, (url, answer.status)
    return answer.text()


def _shot(page: Page, name: str) -> None:
    """The page as it stands, at each width and in each scheme."""
    for width, height in _WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in _SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            tall = min(page.evaluate("() => document.documentElement.scrollHeight"), _TALLEST)
            clip = {"x": 0, "y": 0, "width": width, "height": max(tall, height)}
            png = page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]
            image = Image.open(BytesIO(png)).convert("RGB")
            image = image.quantize(_COLOURS, kmeans=1, dither=Image.Dither.NONE)
            is_shown = width == max(_WIDTHS) and scheme == "light"
            at = (SHOWN if is_shown else BUILT) / f"{name}-{width}-{scheme}.png"
            image.save(at, optimize=True)


def _belongs_to(role: str, found: Mapping[str, str]) -> list[str]:
    """To whom somebody of the role belongs, as options of ``person invite``."""
    if role == "publisher":
        publisher = found["publisher"].split("/")[3].partition("?")[0]
        made = _handbill(
            "publisher-family", "create", "--agency", AGENCY, "--publishers", publisher
        )
        return ["--family", made["publisherFamilyId"]]
    if role == "operator":
        return []
    return ["--agency", AGENCY, "--client", found["client"].split("/")[3].partition("?")[0]]


def _handbill(*command: str) -> Any:
    """The answer of a command on the demo's folder."""
    arguments = [sys.executable, "-m", "handbill", *command]
    arguments += ["--data", str(BUILT / "demo"), "--json"]
    return json.loads(subprocess.run(arguments, check=True, stdout=subprocess.PIPE).stdout)


def _taken_of(other: Other, context: BrowserContext, home: str, found: Mapping[str, str]) -> None:
    mail = f"{other.role}-{secrets.token_hex(4)}@demo.example"
    of = ["person", "invite", mail, "--role", other.role, *_belongs_to(other.role, found)]
    page = context.new_page()
    _sign_in(page, home, _handbill(*of)["link"].rpartition("/")[2])
    for name, kind in other.pages.items():
        page.goto(home.removesuffix("/app") + found.get(kind, kind))
        _shot(page, name)


def _taken(context: BrowserContext, home: str, invitation: str) -> Mapping[str, str]:
    page = context.new_page()
    site = home.removesuffix("/app")
    page.goto(f"{home}/sign-in")
    _shot(page, "sign_in")
    _sign_in(page, home, invitation)
    found = _pages(page, home)
    for kind, path in found.items():
        page.goto(site + path)
        _shot(page, kind)
    return found


def main() -> None:
    """Take all pictures."""
    if PROGRAM is None:
        raise SystemExit("Chromium is needed: install your system's package")
    for folder in (SHOWN, BUILT):
        folder.mkdir(parents=True, exist_ok=True)
    with _demo(BUILT / "demo") as (home, invitation), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        taken = _taken(chromium.new_context(), home, invitation)
        for other in _OTHERS:
            _taken_of(other, chromium.new_context(), home, taken)
        chromium.close()
    sizes = [sum(one.stat().st_size for one in at.glob("*.png")) for at in (SHOWN, BUILT)]
    count = len(taken) + 1 + sum(len(one.pages) for one in _OTHERS)
    sys.stdout.write(
        f"{count} pages: {sizes[0] // 1000} kB in {SHOWN.relative_to(ROOT)}, "
        f"{sizes[1] // 1000} kB in {BUILT.relative_to(ROOT)}\n"
    )


if __name__ == "__main__":
    main()
