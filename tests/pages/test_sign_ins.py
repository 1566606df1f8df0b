"""Somebody signs in by the agency's own provider, as a browser does; an owner sets it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from msgspec import structs

from contract.conftest import opened
from contract.office import OPERATIONS, Office
from contract.signed_in import PASSWORD, person
from handbill.host.egress import Egress
from handbill.http.app import Application
from handbill.kit.instants import SECOND
from handbill.store.records import Records
from identity_provider import CLIENT, SECRET, IdentityProvider, providing
from pages.browsing import Seen
from pages.test_people import MAIL, Tab

FLOW = "handbill_sign_in"


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with providing() as made:
        yield made


@pytest.fixture
def office(sqlite_records: Records, tmp_path: Path, idp: IdentityProvider) -> Iterator[Office]:
    for made in opened(sqlite_records, tmp_path):
        place = f"127.0.0.1:{idp.port}"
        settings = structs.replace(made.desk.settings, egress_allow=(place,))
        desk = replace(made.desk, settings=settings, egress=Egress((place,)))
        idp.now = lambda: desk.clock.now() // SECOND  # noqa: B023 - there is one
        yield Office(desk, "acme", made.headers, Application(OPERATIONS, desk))
        desk.egress.close()


@pytest.fixture
def tab(office: Office) -> Tab:
    person(office, "OWNER", password=PASSWORD)
    return Tab(office)


def _provide(tab: Tab, idp: IdentityProvider, **more: str) -> Seen:
    fields = {"issuer": idp.issuer, "clientId": CLIENT, "clientSecret": SECRET} | more
    return tab.send("/app/sign-in-provider", act="set", **fields)


def _cookies(seen: Seen) -> dict[str, str]:
    """What the answer has the browser keep; empty: forget."""
    pairs = re.findall(r"(handbill_\w+)=\"?([^;\"]*)", seen.headers.get("set-cookie", ""))
    return dict(pairs)


def _begun(tab: Tab, path: str = "/app/sign-in/with?agencyId=acme") -> tuple[str, str]:
    """The provider's address, and the cookie."""
    seen = tab.get(path)
    assert seen.status == 200, seen.text
    cookie = seen.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "max-age=600"))
    [address] = seen.all("//main//a[contains(@href, '/authorize?')]/@href")
    assert _cookies(seen)[FLOW]
    return address, _cookies(seen)[FLOW]


def _back(tab: Tab, answer: dict[str, str], flow: str, agency_id: str = "acme") -> Seen:
    """The browser comes back from the provider's site."""
    path = f"/app/signed-in/{agency_id}?{urlencode(answer)}"
    headers = {"cookie": f"{FLOW}={flow}"} if flow else {}
    return tab.browser.get(path, **headers, **{"sec-fetch-site": "cross-site"})


def test_an_owner_sets_it_and_its_people_sign_in(
    office: Office, tab: Tab, idp: IdentityProvider
) -> None:
    assert tab.sign_in().status == 303
    grants = "admins = OWNER\r\nads team = trader\n"
    assert _provide(tab, idp, roleClaim="groups", grants=grants, createsPeople="on").status == 303
    shown = tab.get("/app/sign-in-provider")
    assert shown.all("//textarea") == ["admins = OWNER ads team = TRADER"]
    assert "/app/signed-in/acme" in shown.text
    assert SECRET not in shown.text
    stranger = Tab(office)
    idp.claims = {"groups": ["ads team"], "email": "new@acme.example"}
    address, flow = _begun(stranger, "/app/sign-in/with?agencyId=acme&back=/app/publishers")
    seen = _back(stranger, idp.authorize(address), flow)
    assert (seen.status, seen.headers["location"]) == (303, "/app/publishers"), seen.text
    secret = _cookies(seen)["handbill_session"]
    assert _cookies(seen)[FLOW] == "", "it is used once"
    stranger.browser.headers = {"cookie": f"handbill_session={secret}"}
    page = stranger.get("/app/publishers")
    assert (page.status, page.all("//p[@class='visitor']")) == (200, ["Ada"])
    assert tab.send("/app/sign-in-provider", act="remove").status == 303
    assert tab.get("/app/sign-in-provider").all("//textarea") == [""]


def test_what_is_wrong_with_it_is_told_at_its_field(tab: Tab, idp: IdentityProvider) -> None:
    tab.sign_in()
    seen = _provide(tab, idp, roleClaim="groups", grants="ads = KING", clientId="")
    assert seen.status == 400
    assert seen.all("//*[@id='clientId-wrong']")
    assert seen.all("//*[@id='grants-wrong']")
    assert SECRET not in seen.text


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/app/../x", "javascript:1"]
)
def test_signing_in_leads_nowhere_else(tab: Tab, idp: IdentityProvider, back: str) -> None:
    tab.sign_in()
    _provide(tab, idp)
    idp.claims = {"email": MAIL}
    address, flow = _begun(
        tab, f"/app/sign-in/with?{urlencode({'agencyId': 'acme', 'back': back})}"
    )
    assert _back(tab, idp.authorize(address), flow).headers["location"] == "/app"
    address, flow = _begun(tab)
    planted = f"{flow.partition('|')[0]}|{urlencode({'': back})[1:]}"
    assert _back(tab, idp.authorize(address), planted).headers["location"] == "/app"


def test_every_failure_is_the_same_page_with_its_id(tab: Tab, idp: IdentityProvider) -> None:
    tab.sign_in()
    _provide(tab, idp)
    idp.claims = {"email": MAIL}
    address, flow = _begun(tab)
    answer = idp.authorize(address)
    failed = [
        _back(tab, answer, ""),
        _back(tab, answer, "no.flow"),
        _back(tab, answer, flow, "other"),
        _back(tab, answer | {"state": "another"}, flow),
        _back(tab, {"error": "access_denied", "state": answer["state"]}, flow),
        _back(tab, {}, flow),
        _back(tab, answer | {"code": "x" * 5_000}, flow),
        tab.browser.get("/app/signed-in/acme?code=a&code=b&state=x", cookie=f"{FLOW}={flow}"),
        tab.get("/app/sign-in/with?agencyId=nobody"),
        tab.get("/app/sign-in/with"),
    ]
    for seen in failed:
        assert seen.all("//h1") == ["Sign-in failed"], seen.text
        assert 400 <= seen.status < 500
        assert seen.headers["x-request-id"] in seen.text
        assert "handbill_session" not in _cookies(seen)
        assert answer["code"] not in seen.text
    assert _back(tab, answer, flow).status == 303
