"""What holds for every page: who may see it, its headers, and how refusals are told."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from contract.asgi import call
from contract.world import World
from handbill.host.ids import SeededIds
from handbill.pages import app as pages
from handbill.pages.amounts import amount, plain_number
from handbill.pages.app import PAGES, Pages
from handbill.pages.assets import asset_url
from handbill.pages.forms import TOKEN, Form, form_token
from handbill.pages.frame import calls_of, leave, render
from handbill.pages.rows import PageRow
from handbill.pages.visitors import cookie_name, credential_of, return_path
from pages.browsing import EVIL, Browser, Seen

POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
OURS = "https://ours.example"
COOKIE = cookie_name(OURS)
SESSION = {"cookie": f"{COOKIE}=hbs_of_somebody"}
CREDENTIAL = {"authorization": "Bearer hbs_of_somebody"}


def test_the_start_page_is_made_of_the_public_operations(browser: Browser, world: World) -> None:
    page = browser.get("/app")
    assert page.status == 200
    assert page.all("//h1") == ["Today"]
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-request-id"] in page.text
    shown = page.all("//details[@class='made']//code")
    assert any("/overview?days=" in curl and "$TOKEN" in curl for curl in shown)
    assert not any(secret in page.text for secret in world.office.headers.values())


def test_who_is_not_signed_in_sees_nothing(browser: Browser) -> None:
    """Neither without a credential nor with a wrong one, and the same answer to both."""
    for page in (one for one in PAGES if "GET" in one.verbs and not one.is_public):
        path = "/app" + page.path.replace("{", "").replace("}", "")
        for headers in ({}, {"x-api-key": "hb_nosuchkey000_x"}):
            seen = Browser(browser.app, headers).get(path)
            assert (seen.status, seen.all("//h1")) == (401, ["You are not signed in"])


def test_what_is_not_there_is_404(browser: Browser) -> None:
    for path in ("/app/nothing", "/app/", "/app/clients/x/y/z", "/app/static/base.css", "/app/%00"):
        seen = browser.get(path)
        assert (seen.status, seen.all("//h1")) == (404, ["There is no such page"]), path
        assert seen.headers["content-security-policy"] == POLICY
    assert browser.get("/application").headers["content-type"].startswith("application/json")
    seen = browser.post("/app", {})
    assert (seen.status, set(seen.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_the_address_of_a_form_leads_to_its_page(world: World, browser: Browser) -> None:
    """It stays in the browser where the form was wrong."""
    group = "/campaigns/c/jobgroups/g"
    for form, page in (
        ("/jobgroups", ""),
        (f"{group}/filter", group),
        ("/feeds/f", "/feeds"),
        ("/reports/questions", "/reports"),
    ):
        seen = browser.get(f"/app{world.client}{form}")
        assert (seen.status, seen.headers["location"]) == (303, f"/app{world.client}{page}")
    assert browser.get("/app/fixes").headers["location"] == "/app"


def test_what_answers_a_form_leads_back_to_its_page(world: World, browser: Browser) -> None:
    at = f"/app{world.client}/feeds/nothing"
    back = "//a[text()='Back to the page']/@href"
    here = {"referer": f"http://api/app{world.client}/feeds?page=1"}
    seen = browser.post(at, {"do": "run"}, **here)
    assert (seen.status, seen.all(back)) == (404, [f"/app{world.client}/feeds?page=1"])
    elsewhere = browser.post(at, {"do": "run"}, referer="https://elsewhere.example/app/../x")
    assert (elsewhere.status, elsewhere.all(back)) == (404, [])


@pytest.mark.parametrize(
    "query",
    ["days=x", "days=-1", "days=99999999999", "page=0", "page=%00", "days=%ff", "=&&;", "days=٣"],
)
def test_no_query_breaks_a_page(browser: Browser, query: str) -> None:
    assert browser.get(f"/app?{query}").status == 200


def test_files_are_named_by_their_content_and_kept(browser: Browser) -> None:
    for name in ("base.css", "icon.svg"):
        seen = browser.get(asset_url(name))
        assert seen.status == 200
        assert seen.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert seen.headers["x-content-type-options"] == "nosniff"
    assert browser.get(asset_url("base.css").replace(".css", "0.css")).status == 404


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/app", "/app"),
        ("/app/clients/x?days=7", "/app/clients/x?days=7"),
        ("https://elsewhere.example/app", "/app"),
        ("//elsewhere.example/app", "/app"),
        ("/app//elsewhere.example", "/app"),
        ("/\\elsewhere.example", "/app"),
        ("/application", "/app"),
        ("/app/../clients", "/app"),
        ("javascript:alert(1)", "/app"),
        ("/app\r\nx: y", "/app"),
        ("http://[", "/app"),
        ("", "/app"),
    ],
)
def test_signing_in_leads_back_into_the_pages_only(asked: str, led: str) -> None:
    assert return_path(asked) == led


ME = {
    "name": "Ada",
    "mail": "ada@acme.example",
    "role": "TRADER",
    "mayWrite": True,
    "publisherFamilyId": None,
    "session": {"renewalDue": False},
}


class Stand:
    """The pages before an API that answers what it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answer: Response = JSONResponse({"result": "7"})
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        rows = [
            PageRow("form", "/form", self.form, ("GET", "POST")),
            PageRow("bug", "/bug", self.bug),
        ]
        monkeypatch.setattr(pages, "PAGES", rows)
        self.browser = Browser(Pages(self.api, SeededIds(1), OURS), SESSION)

    async def api(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if scope["path"] == "/people/me":
            await JSONResponse(ME)(scope, receive, send)
            return
        self.asked.append((scope["method"], scope["path"], headers))
        await self.answer(scope, receive, send)

    async def form(self, request: Request) -> Response:
        await calls_of(request).ask(request.method, "/clients", {"name": "<script>"})
        return leave(request, "/app/form", "It is done.", "12")

    async def bug(self, request: Request) -> Response:
        raise ZeroDivisionError

    def post(self, fields: dict[str, str] | None = None, **headers: Any) -> Seen:
        token = {TOKEN: form_token(CREDENTIAL, SeededIds(2))}
        return self.browser.post("/app/form", token | (fields or {}), **headers)


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    return Stand(monkeypatch)


def test_the_api_is_asked_with_the_sessions_credential(stand: Stand) -> None:
    seen = stand.post(origin="http://api")
    assert (seen.status, seen.headers["location"]) == (303, "/app/form")
    [(verb, path, headers)] = stand.asked
    assert (verb, path, headers["authorization"]) == ("POST", "/clients", "Bearer hbs_of_somebody")
    assert headers["x-request-id"] == seen.headers["x-request-id"]
    assert "cookie" not in headers


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"origin": "http://api"}, True),
        ({"origin": "https://ours.example"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "https://elsewhere.example"}, False),
        ({"origin": "https://ours.example.elsewhere.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://["}, False),
        ({}, False),
    ],
)
def test_forms_of_other_sites_change_nothing(
    stand: Stand, headers: dict[str, Any], accepted: bool
) -> None:
    assert stand.post(**headers).status == (303 if accepted else 403)
    assert (len(stand.asked) == 1) is accepted


def test_a_form_must_come_from_a_page_of_this_session(stand: Stand) -> None:
    others = form_token({"authorization": "Bearer hbs_of_another"}, SeededIds(1))
    for token in ("", ".", "x.y", others, "é.é"):
        seen = stand.post({TOKEN: token}, origin="http://api")
        assert (seen.status, seen.all("//h1")) == (403, ["This form cannot be accepted"])
    assert stand.asked == []


def test_no_hidden_field_is_told_as_typed(stand: Stand) -> None:
    templates = Path(pages.__file__).parent / "templates"
    hidden = re.compile(r'type="hidden" name="(\w+)"')
    names = {
        name for page in templates.rglob("*.html") for name in hidden.findall(page.read_text())
    }
    assert {"uri", "secret", "person"} <= names
    signed_out = Browser(stand.browser.app, {})
    seen = signed_out.post("/app/form", dict.fromkeys(names, "1"), origin="http://api")
    assert (seen.status, seen.all("//dt")) == (401, [])


def test_what_was_typed_is_kept_where_the_form_cannot_be_shown(stand: Stand) -> None:
    fields = {"effectiveFrom": EVIL, "password": "hidden-1", "clientSecret": "hidden-2", "act": "x"}
    typed = {"effective from": " ".join(EVIL.split())}
    stand.answer = JSONResponse({"message": "the session has ended"}, 401)
    ended = stand.post(fields, origin="http://api")
    stale = stand.post(fields | {TOKEN: "x.y"}, origin="http://api")
    for seen, status, title in (
        (ended, 401, "You are signed out"),
        (stale, 403, "This form cannot be accepted"),
    ):
        assert (seen.status, seen.all("//h1")) == (status, [title])
        assert dict(zip(seen.all("//dt"), seen.all("//dd"), strict=True)) == typed
        assert EVIL not in seen.text
        assert "hidden-" not in seen.text
    signed_out = Browser(stand.browser.app, {})
    assert signed_out.post("/app/form", fields, origin="http://api").all("//dt") == [*typed]
    for headers in ({"origin": "https://elsewhere.example"}, {}):
        seen = signed_out.post("/app/form", fields, **headers)
        assert (seen.status, seen.all("//dt")) == (403, []), "another site may have written it"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("1,500.25", "1500.25"),
        ("1 500 000", "1500000"),
        ("12.5", "12.5"),
        ("1,50", None),
        ("1,5000", None),
        ("12,5", None),
        ("1,500 000", None),
        (",500", None),
        ("1e9", None),
        ("-1", "-1"),
        ("", None),
    ],
)
def test_thousands_may_be_apart_and_no_comma_is_a_point(text: str, sent: str | None) -> None:
    assert amount(text) == (text if sent is None else Decimal(sent))
    assert plain_number(text) == (Decimal(text) if text in {"12.5", "-1"} else text)


def test_a_form_has_a_size(stand: Stand) -> None:
    assert stand.post({"a": "x" * 300_000}, origin="http://api").status == 413
    many = {f"n{number}": "" for number in range(2_001)}
    assert stand.post(many, origin="http://api").status == 413
    assert stand.asked == []


def test_what_is_no_form_cannot_be_read(stand: Stand) -> None:
    other = stand.post(None, origin="http://api", **{"content-type": "multipart/form-data"})
    sent = {"content-type": "application/x-www-form-urlencoded", "origin": "http://api"}
    raw = call(stand.browser.app, "POST", "/app/form", headers=SESSION | sent, raw=b"a=\xff")
    assert (other.status, raw.status, stand.asked) == (400, 400, [])


def test_a_page_of_a_form_is_asked_for_its_head_as_for_the_page(browser: Browser) -> None:
    """Programs that look at a link before people do would see it broken."""
    for path in ("/app/sign-in", "/app/join/hbl_x", "/app/set-up/hbl_x"):
        assert call(browser.app, "HEAD", path).status == browser.get(path).status == 200


@pytest.mark.parametrize(
    ("sent_from", "led"),
    [
        ("http://api/app/clients/x?days=7", "/app/clients/x?days=7"),
        ("http://[", "/app"),
        ("", "/app"),
    ],
)
def test_a_form_after_the_sessions_end_leads_back_to_its_page(
    stand: Stand, sent_from: str, led: str
) -> None:
    """Not to where it was sent: a page that only takes forms cannot be shown."""
    stand.answer = _declining(401)
    seen = stand.post(origin="http://api", referer=sent_from)
    [way] = seen.all("//main//a[starts-with(@href, '/app/sign-in')]/@href")
    assert parse_qs(urlsplit(way).query) == {"back": [led]}


def _declining(status: int, **more: Any) -> Response:
    body = {"message": "No <b>room</b>", "requestId": "r1"} | more
    headers = {"retry-after": "7"} if status in {429, 503} else {}
    return JSONResponse(body, status, headers)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 429, 500, 503])
def test_what_the_api_refuses_is_told_as_a_page(stand: Stand, status: int) -> None:
    faults = [{"field": "/days", "message": "must be <less>"}]
    stand.answer = _declining(status, **({"errors": faults} if status == 400 else {}))
    seen = stand.browser.get("/app/form")
    assert seen.status == status
    assert seen.headers["x-request-id"] in seen.text
    assert seen.headers.get("retry-after") == ("7" if status in {429, 503} else None)
    if status == 400:
        assert "days must be <less>" in seen.all("//li")


def test_a_bug_is_told_with_its_id_and_logged(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    seen = stand.browser.get("/app/bug")
    assert (seen.status, seen.all("//h1")) == (500, ["Something went wrong here"])
    [noted] = [one for one in caplog.records if one.name == "handbill.pages"]
    assert noted.__dict__["requestId"] == seen.headers["x-request-id"]
    assert "ZeroDivisionError" not in seen.text


def test_what_a_change_came_to_is_told_once(monkeypatch: pytest.MonkeyPatch, stand: Stand) -> None:
    left = stand.post(origin="http://api").headers["set-cookie"]
    flash = left.partition(";")[0]
    assert "HttpOnly" in left

    async def view(request: Request) -> Response:
        return render(request, "told.html", title="A page", text="")

    monkeypatch.setattr(pages, "PAGES", [PageRow("told", "/told", view)])
    browser = Browser(Pages(stand.api, SeededIds(1), OURS), {})

    def told(cookies: str) -> Seen:
        return browser.get("/app/told", cookie=cookies)

    seen = told(f"{SESSION['cookie']}; {flash}")
    assert seen.all("//*[@role='status']/p") == ["It is done."]
    assert seen.all("//form/@action") == ["/app/changes/12/undo"]
    assert 'handbill_flash=""' in seen.headers["set-cookie"]
    for other in (f"{COOKIE}=hbs_of_another; {flash}", SESSION["cookie"] + "; handbill_flash=W10="):
        assert told(other).all("//*[@role='status']") == []


def test_faults_are_told_at_their_fields() -> None:
    """Those of a part at the field that has it; others at the top."""
    from handbill.pages.calls import Called, Declined, Reply

    faults = {"/cpcBid": "too high", "/caps/budget/value": "too low", "/name/0": "odd", "/x": "no"}
    errors = [{"field": at, "message": text} for at, text in faults.items()]
    body = {"message": "Bad request", "requestId": "r1", "errors": errors}
    reply = Reply(400, {}, b"", body, Called("PUT", "/x", b"", "", 400, 1.0, 0))
    form = Form.declined(
        {"cpcBid": "9", "cap": "1", "name": "n"}, Declined(reply), {"/caps/budget": "cap"}
    )
    assert form.faults == {"cpcBid": "too high", "cap": "too low", "name": "odd"}
    said = "Nothing was changed. X no. Correct the marked fields."
    assert (form.message, form.request_id, form.typed["cpcBid"]) == (said, "r1", "9")


def test_doubled_credentials_are_none() -> None:
    """The API refuses them, and pages choose none of them."""
    both = [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")]
    assert credential_of(Request({"type": "http", "headers": both}), OURS) == {}
    assert credential_of(Request({"type": "http", "headers": both[:1]}), OURS) == {
        "authorization": "Bearer a"
    }
