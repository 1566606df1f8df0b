"""Pixels: the picture always comes, and only what is genuine is counted."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from door import CLIENT_ID, KEY, LISTING, NOW, PIXEL, Door, at_the_door
from handbill.core.listing_tokens import SealedClick, click_id, listing_token
from handbill.core.received import ReceivedConversion, conversion_of
from handbill.kit.instants import DAY, SECOND

PIXEL_ID = "82sla77g7gbqtehxa5upanlw3e"
CLICK = SealedClick(b"r" * 16, NOW - DAY, LISTING)
CLICK_ID = click_id(CLICK, 1, KEY)
SCRIPT = Path(__file__).parents[2] / "src" / "handbill" / "tracking" / "px.js"


def _target(**fields: str) -> str:
    return "/px.gif?" + urlencode({"c": PIXEL, "a": "3"} | fields)


@pytest.mark.parametrize("action", [1, 2, 3])
def test_a_report_with_a_click_is_attributed(tmp_path: Path, action: int) -> None:
    async def scenario(door: Door) -> None:
        target = _target(
            a=str(action), r="REF 1", jClickId=CLICK_ID, jobApplicationId="ap-ü", candidateId="c&1"
        )
        said = await door.ask(target)
        assert (said.status, len(said.body), said.body[:6]) == (200, 43, b"GIF89a")
        assert said.headers["content-type"] == "image/gif"
        assert said.headers["cache-control"] == "no-store"
        assert door.events() == [conversion_of(CLICK, NOW, 7, action, "pixel", "c&1", "ap-ü")]

    at_the_door(scenario, tmp_path)


def test_names_in_the_query_are_read_in_any_case(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        target = f"/px.gif?C={PIXEL}&A=3&jclickid={CLICK_ID}&JobApplicationID=X1"
        assert (await door.ask(target)).status == 200
        (event,) = door.events()
        assert isinstance(event, ReceivedConversion)
        assert (event.click_random, event.application_id) == (CLICK.random, "X1")

    at_the_door(scenario, tmp_path)


def test_without_a_click_it_is_organic(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for target in (_target(), _target(jClickId="")):
            assert (await door.ask(target)).status == 200
        for event in door.events():
            assert isinstance(event, ReceivedConversion)
            assert (event.client_no, event.action, event.source) == (7, 3, "pixel")
            assert (event.click_random, event.click_at, event.bid_micros) == (b"", 0, 0)
        assert len(door.events()) == 2

    at_the_door(scenario, tmp_path)


def test_what_a_page_was_meant_to_fill_in_says_nothing(tmp_path: Path) -> None:
    """Else all who apply would be one application, and no click would be known."""

    async def scenario(door: Door) -> None:
        for unsaid in ("undefined", "{{application_id}}", "%%ID%%", " null ", "[object Object]"):
            await door.ask(_target(jClickId=CLICK_ID, jobApplicationId=unsaid, candidateId=unsaid))
        await door.ask(_target(jClickId=f"{CLICK_ID}", jobApplicationId="[A-7]"))
        await door.ask(_target(jClickId="${jClickId}", a=" 3 "))
        escaped = _target(jClickId=CLICK_ID, jobApplicationId="x").replace("&", "&amp;")
        await door.ask(escaped)
        *unsaid_ones, bracketed, organic, meant = door.events()
        assert unsaid_ones == [conversion_of(CLICK, NOW, 7, 3, "pixel")] * 5
        assert bracketed == conversion_of(CLICK, NOW, 7, 3, "pixel", "", "[A-7]")
        assert isinstance(organic, ReceivedConversion)
        assert organic.click_random == b""
        assert meant == conversion_of(CLICK, NOW, 7, 3, "pixel", "", "x")

    at_the_door(scenario, tmp_path)


def test_the_click_may_come_as_a_cookie(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        cookies = {"Cookie": f"a=b; jClickId={CLICK_ID}; c=d"}
        await door.ask(_target(), headers=cookies)
        await door.ask(_target(jClickId=""), headers=cookies)
        assert door.events() == [conversion_of(CLICK, NOW, 7, 3, "pixel")] * 2

    at_the_door(scenario, tmp_path)


def test_the_query_is_believed_before_the_cookie(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        cookies = {"Cookie": f"jClickId={CLICK_ID}"}
        assert (await door.ask(_target(jClickId="forged"), headers=cookies)).status == 200
        assert door.events() == []

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    "target",
    [
        "/px.gif",
        "/px.gif?",
        f"/px.gif?c={PIXEL}",
        "/px.gif?a=1",
        _target(c="nobody"),
        _target(c=""),
        _target(c="x" * 600),
        _target(a="0"),
        _target(a="4"),
        _target(a="01"),
        _target(a="APPLY"),
        _target(jClickId="forged"),
        _target(jClickId=CLICK_ID[:-1]),
        _target(jClickId=click_id(CLICK, 1, b"other" * 6)),
        _target(jClickId=listing_token(LISTING, 1, KEY)),
        _target(jobApplicationId="x" * 256),
        _target(candidateId="a\0b"),
        _target(candidateId="a\nb"),
        "/px.gif?" + "&".join(f"x{number}=1" for number in range(100)),
        "/px.gif?%ff%fe=%zz&&&=;",
    ],
)
def test_what_cannot_be_counted_still_gets_its_picture(tmp_path: Path, target: str) -> None:
    async def scenario(door: Door) -> None:
        said = await door.ask(target)
        assert (said.status, len(said.body), said.headers["cache-control"]) == (200, 43, "no-store")
        assert door.events() == []
        assert door.edge.counts.bad_pixels == 1

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    ("method", "headers"), [("HEAD", {}), ("GET", {"Sec-Purpose": "prefetch;prerender"})]
)
def test_nobody_saw_it_so_it_is_not_counted(
    tmp_path: Path, method: str, headers: dict[str, str]
) -> None:
    async def scenario(door: Door) -> None:
        assert (await door.ask(_target(jClickId=CLICK_ID), method, headers)).status == 200
        assert door.events() == []

    at_the_door(scenario, tmp_path)


def test_a_click_under_a_new_key_is_believed(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.index.put_keys({2: b"n" * 32})
        door.clock.forward(SECOND)
        await door.ask(_target(jClickId=click_id(CLICK, 2, b"n" * 32)))
        assert len(door.events()) == 1

    at_the_door(scenario, tmp_path)


def test_the_script_is_kept_by_browsers(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        said = await door.ask("/px.js?v=1")
        assert said.body == SCRIPT.read_bytes()
        assert said.headers["content-type"] == "text/javascript; charset=utf-8"
        assert said.headers["cache-control"] == "public, max-age=3600"
        again = await door.ask("/px.js", headers={"If-None-Match": said.headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        head = await door.ask("/px.js", "HEAD")
        assert head.headers["content-length"] == str(len(said.body))

    at_the_door(scenario, tmp_path)


# A page for the script: ``shown`` is what it leaves behind.
_PAGE = """
const page = JSON.parse(process.argv[1]), images = [], warned = [];
const jar = {}, kept = {...page.storage};
const listeners = {};
globalThis.location = new URL(page.url);
globalThis.localStorage = {getItem: n => kept[n] ?? null, setItem: (n, v) => { kept[n] = v; }};
globalThis.window = globalThis;
console.warn = text => { warned.push(text); };
globalThis.Image = function () { images.push(this); };
for (const [name, value] of Object.entries(page.cookies)) jar[name] = {value, domain: ""};
globalThis.document = {
  referrer: page.referrer, prerendering: page.prerendering,
  currentScript: {
    src: page.script, getAttribute: n => page.attributes[n.toLowerCase()] ?? null,
  },
  addEventListener: (name, listener) => { listeners[name] = listener; },
  get cookie() { return Object.entries(jar).map(([n, c]) => n + "=" + c.value).join("; "); },
  set cookie(text) {
    const parts = text.split("; "), [name, value] = parts[0].split("=");
    const rest = Object.fromEntries(parts.slice(1).map(p => p.split("=")));
    if (page.suffixes.includes(rest.domain)) return;
    if (rest["max-age"] === "0") delete jar[name];
    else jar[name] = {value, domain: rest.domain ?? "", age: rest["max-age"]};
  },
};
require(page.path);
const before = images.length;
if (listeners.prerenderingchange) listeners.prerenderingchange();
console.log(JSON.stringify({warned, images: images.map(i => i.src), before, jar, kept}));
"""


def _play(**changed: object) -> dict[str, object]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no JavaScript engine here")
    page = {
        "path": str(SCRIPT),
        "url": "https://jobs.acme.co.uk/apply?x=1&jClickId=CLICK-1_a",
        "script": "https://edge.example.test/px.js?v=2",
        "referrer": "https://board.test/?q=a b",
        "attributes": {"data-c": PIXEL_ID, "data-a": "2", "data-r": "REF/1"},
        "cookies": {},
        "storage": {},
        "suffixes": ["uk", "co.uk"],
        "prerendering": False,
    } | changed
    done = subprocess.run(
        [node, "-e", _PAGE, json.dumps(page)], capture_output=True, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_script_keeps_the_click_and_reports_it() -> None:
    shown = _play()
    loc = quote("https://board.test/?q=a b", safe="")
    assert shown["images"] == [
        f"https://edge.example.test/px.gif?c={PIXEL_ID}&a=2&r=REF%2F1&jClickId=CLICK-1_a&loc={loc}"
    ]
    jar = {"jClickId": {"value": "CLICK-1_a", "domain": "acme.co.uk", "age": "63072000"}}
    assert shown["jar"] == jar, "on the registrable domain, and no probe is left"
    assert shown["kept"] == {"jClickId": "CLICK-1_a"}


def test_the_script_finds_the_click_of_an_earlier_page() -> None:
    later = "https://www.acme.co.uk/thanks"
    attributes = {"data-c": PIXEL_ID, "data-a": "3", "data-jobapplicationid": "ap 1"}
    by_cookie = _play(url=later, cookies={"jClickId": "C1"}, referrer="", attributes=attributes)
    assert by_cookie["images"] == [
        f"https://edge.example.test/px.gif?c={PIXEL_ID}&a=3&jClickId=C1&jobApplicationId=ap%201"
    ]
    by_storage = _play(url=later, storage={"jClickId": "C2"}, referrer="", attributes=attributes)
    assert "jClickId=C2" in str(by_storage["images"])
    organic = _play(url=later, referrer="", attributes=attributes)
    assert "jClickId" not in str(organic["images"])


def test_the_script_waits_until_the_page_is_seen() -> None:
    shown = _play(prerendering=True)
    assert shown["before"] == 0
    assert len(shown["images"]) == 1  # type: ignore[arg-type]


def test_the_script_says_what_is_wrong_with_its_tag() -> None:
    for attributes, told in (
        ({"data-c": "P", "data-a": "1"}, 'data-c="P" is not a pixel id'),
        ({"data-a": "1"}, 'data-c="" is not a pixel id'),
        ({"data-c": PIXEL_ID, "data-a": "9"}, 'data-a="9" is not 1 (view)'),
    ):
        shown = _play(attributes=attributes)
        assert shown["images"] == []
        assert told in str(shown["warned"])
    assert _play()["warned"] == []


def test_an_organic_report_names_its_job_where_we_know_it(tmp_path: Path) -> None:
    """By the reference; one that nobody knows, and one beside a click, change nothing."""

    async def scenario(door: Door) -> None:
        job = bytes.fromhex(hashlib.md5(f"{CLIENT_ID}$REF 1".encode()).hexdigest())
        door.index.put_urls([(job, b"https://jobs.example/1")])
        for reference in ("REF 1", "unknown", ""):
            await door.ask(_target(r=reference))
        await door.ask(_target(r="REF 1", jClickId=CLICK_ID))
        assert [getattr(event, "job_id", None) for event in door.events()] == [
            job,
            b"",
            b"",
            LISTING.job_id,
        ]

    at_the_door(scenario, tmp_path)
