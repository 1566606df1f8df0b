"""Somebody signs in by the pages, minds people and leaves: as a browser does, with its cookie."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.conftest import opened
from contract.office import Office
from contract.signed_in import PASSWORD, code_of, person, second_factor
from handbill.api import fronted
from handbill.pages.app import Pages
from handbill.pages.forms import FIELDS_WRONG
from handbill.pages.views import changing
from handbill.pages.visitors import COOKIE
from handbill.people import invitations
from handbill.store.records import Records
from pages.browsing import Browser, Seen

MAIL = "owner@acme.example"
HERE = {"origin": "http://api"}


class Tab:
    """A browser's tab: it keeps the cookie, and sends the form of the page that it shows."""

    def __init__(self, office: Office) -> None:
        self.browser = Browser(fronted(office.desk, office.app))

    def get(self, path: str) -> Seen:
        return self._kept(self.browser.get(path))

    def send(self, path: str, **fields: str) -> Seen:
        shown = self.get(path)
        found = shown.all("//input[@name='form_token']/@value")
        token = {"form_token": found[0]} if found else {}
        return self._kept(self.browser.post(path, token | fields, **HERE))

    def _kept(self, seen: Seen) -> Seen:
        for secret in re.findall(rf'{COOKIE}="?([^";]*)', seen.headers.get("set-cookie", "")):
            self.browser.headers = {"cookie": f"{COOKIE}={secret}"} if secret else {}
        return seen

    def sign_in(self, mail: str = MAIL, password: str = PASSWORD, **more: str) -> Seen:
        return self.send("/app/sign-in", mail=mail, password=password, **more)


@pytest.fixture
def office(sqlite_records: Records, tmp_path: Path) -> Iterator[Office]:
    yield from opened(sqlite_records, tmp_path)


@pytest.fixture
def tab(office: Office) -> Tab:
    return Tab(office)


def _invite(tab: Tab, mail: str, role: str) -> str:
    """The path of the page that the link leads to."""
    seen = tab.send("/app/people", act="invite", mail=mail, role=role, name="", clients="")
    assert seen.status == 200, seen.text
    [link] = seen.all("//div[@role='status']//code")
    return "/app/join/" + link.rpartition("/")[2]


def test_signing_in_leads_to_where_one_wanted_to_go(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    wanted = tab.get("/app/people")
    assert wanted.status == 401
    [way] = wanted.all("//main//a[starts-with(@href, '/app/sign-in')]/@href")
    [back] = tab.get(way).all("//form[@method='post']//input[@name='back']/@value")
    seen = tab.sign_in(back=back)
    assert (seen.status, seen.headers["location"]) == (303, "/app/people")
    cookie = seen.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/app"))
    page = tab.get("/app/people")
    assert (page.status, page.all("//tbody//th")) == (200, [MAIL])
    assert page.all("//p[@class='visitor']") == [MAIL]


def test_a_second_factor_is_begun_used_and_ended(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    tab.sign_in()
    wrong = tab.send("/app/account", act="begin", ownPassword="not this one")
    assert (wrong.status, len(wrong.all("//span[@id='ownPassword-wrong']"))) == (400, 1)
    offered = tab.send("/app/account", act="begin", ownPassword=PASSWORD)
    assert offered.all("//div[@role='img']/svg/path/@d")
    assert "style=" not in offered.text
    hidden = {name: offered.all(f"//input[@name='{name}']/@value")[0] for name in ("secret", "uri")}
    again = tab.send("/app/account", act="confirm", code="000", **hidden)
    assert (again.status, len(again.all("//span[@id='code-wrong']"))) == (400, 1)
    assert again.all("//div[@role='img']/svg/path/@d") == offered.all("//div[@role='img']//path/@d")
    secret = base64.b32decode(hidden["secret"])
    code = code_of(secret, office.clock.now())
    codes = tab.send("/app/account", act="confirm", code=code, **hidden).all("//li/code")
    assert len(codes) == 10
    assert hidden["secret"] not in tab.get("/app/account").text
    assert tab.send("/app/account", act="sign-out").status == 303
    refused = tab.sign_in(code=code)
    assert (refused.status, code in refused.text) == (401, False)
    assert tab.sign_in(code=codes[0]).status == 303
    ending = {"ownPassword": PASSWORD, "code": codes[1]}
    assert tab.send("/app/account", act="end", **ending).status == 303
    assert tab.sign_in().status == 303


def test_a_code_sent_again_leaves_no_doubt_about_the_second_factor(
    office: Office, tab: Tab
) -> None:
    """By a reload, or a second click while the first answer was on its way."""
    person(office, "OWNER", password=PASSWORD)
    tab.sign_in()
    offered = tab.send("/app/account", act="begin", ownPassword=PASSWORD)
    fields = {name: offered.all(f"//input[@name='{name}']/@value")[0] for name in ("secret", "uri")}
    code = code_of(base64.b32decode(fields["secret"]), office.clock.now())
    confirmed = {"act": "confirm", "code": code} | fields
    assert tab.send("/app/account", **confirmed).all("//ul[@class='codes']/li")
    again = tab.send("/app/account", **confirmed)
    assert again.status == 400
    assert again.all("//*[@role='alert']/p")[0].startswith("The second factor is in force already.")
    assert again.all("//button[@value='end']"), "not what begins it"
    assert fields["secret"] not in again.text


def test_what_is_no_secret_of_ours_is_not_drawn(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    tab.sign_in()
    for uri in ("https://x.example", "otpauth://totp/" + "x" * 5_000):
        seen = tab.send("/app/account", act="confirm", code="1", secret="x", uri=uri)
        assert (seen.status, seen.all("//svg")) == (400, [])


def test_an_owner_ends_anothers_second_factor(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    bob = person(office, "TRADER", mail="bob@acme.example", password=PASSWORD)
    second_factor(office, bob)
    tab.sign_in()
    ending = "//button[@value='second-factor']"
    assert tab.get("/app/people").all(ending) == ["Yes, end second factor"]
    assert tab.send("/app/people", act="second-factor", person=bob.id).status == 303
    assert tab.get("/app/people").all(ending) == []


def test_what_is_wrong_is_told_and_typed_text_stays(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    seen = tab.sign_in(password="wrong wrong wrong")
    assert seen.status == 401
    assert "not right" in seen.all("//div[@role='alert']/p")[0]
    assert seen.all("//input[@id='mail']/@value") == [MAIL]
    assert "wrong wrong" not in seen.text
    assert "set-cookie" not in seen.headers


def test_over_tls_the_cookie_belongs_to_this_host_alone(office: Office) -> None:
    """Another host of the domain can plant a cookie of any name but one that begins like this."""
    person(office, "OWNER", password=PASSWORD)
    browser = Browser(Pages(office.app, office.desk.ids, "https://ads.example"))
    fields = {"mail": MAIL, "password": PASSWORD}
    seen = browser.post("/app/sign-in", fields, origin="https://ads.example")
    name, _, rest = seen.headers["set-cookie"].partition("=")
    secret, _, said = rest.partition("; ")
    assert (seen.status, name) == (303, "__Host-handbill_session")
    marks = {mark.lower() for mark in said.split("; ")}
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= marks
    assert not any(mark.startswith("domain") for mark in marks)
    browser.headers = {"cookie": f"{COOKIE}={secret}"}
    assert browser.get("/app").status == 401
    browser.headers = {"cookie": f"{name}={secret}"}
    page = browser.get("/app/account")
    [token] = set(page.all("//input[@name='form_token']/@value")[:1])
    fields = {"act": "sign-out", "form_token": token}
    left = browser.post("/app/account", fields, origin="https://ads.example")
    assert "secure" in left.headers["set-cookie"].lower()
    assert left.headers["set-cookie"].startswith(name)


def test_another_site_cannot_sign_anybody_in(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    fields = {"mail": MAIL, "password": PASSWORD}
    seen = tab.browser.post("/app/sign-in", fields, origin="https://elsewhere.example")
    assert (seen.status, "set-cookie" in seen.headers) == (403, False)


def test_an_invited_person_joins_and_may_what_the_role_allows(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    tab.sign_in()
    path, guest = _invite(tab, "bob@acme.example", "ANALYST"), Tab(office)
    short = guest.send(path, password="short")
    assert (short.status, len(short.all("//span[@id='password-wrong']"))) == (400, 1)
    assert guest.send(path, password=PASSWORD).status == 303
    assert "People" not in guest.get("/app").all("//nav//a")
    assert "People" in tab.get("/app").all("//nav//a")
    assert guest.get("/app/people").status == 403
    assert Tab(office).send(path, password=PASSWORD).status == 404


def test_people_are_minded(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    bob = person(office, "TRADER", mail="bob@acme.example", password=PASSWORD)
    other = Tab(office)
    other.sign_in("bob@acme.example")
    tab.sign_in()
    assert tab.send("/app/people", act="role", person=bob.id, role="ANALYST").status == 303
    assert "analyst" in tab.get("/app/people").text
    forged = tab.send("/app/people", act="role", person="me", role="OWNER")
    kept = re.findall('handbill_flash="?([^;"]*)', forged.headers["set-cookie"])
    assert b"Nothing was changed." in base64.urlsafe_b64decode(kept[0])
    assert tab.send("/app/people", act="sign-out", person=bob.id).status == 303
    assert other.get("/app").status == 401
    assert tab.send("/app/people", act="remove", person=bob.id).status == 303
    assert tab.get("/app/people").all("//tbody//th") == [MAIL]
    taken = tab.send("/app/people", act="invite", mail=MAIL, role="TRADER", clients="")
    assert taken.all("//span[@id='mail-wrong']") == ["is a person's already"]
    assert taken.all("//*[@role='alert']/p[1]") == [FIELDS_WRONG]
    strange = {"mail": "e@acme.example", "role": "EMPLOYER", "clients": "nobody"}
    unknown = tab.send("/app/people", act="invite", name="Eve", **strange)
    assert (unknown.status, len(unknown.all("//span[@id='clients-wrong']"))) == (404, 1)
    assert unknown.all("//input[@name='name']/@value") == ["Eve"]


def test_all_clients_are_offered_and_whose_are_deleted_is_told(
    office: Office, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without asking for their figures."""
    monkeypatch.setattr(changing, "_MOST_CLIENTS", 2)
    person(office, "OWNER", password=PASSWORD)
    clients = [office.client(companyName=f"Co {number}") for number in range(5)]
    gone = clients[0].rpartition("/")[2]
    person(office, "EMPLOYER", gone, mail="e@acme.example")
    assert office.ask("DELETE", clients[0]).status == 200
    tab.sign_in()
    seen = tab.get("/app/people")
    assert seen.all("//select[@id='clients']/option") == ["Co 1", "Co 2", "Co 3", "Co 4"]
    assert "/overview" not in seen.text
    assert seen.all("//tbody/tr[th='e@acme.example']/td[3]") == ["none any more"]


def test_an_employers_clients_are_chosen_by_name(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    client_id = office.client(companyName="Bright Co").rpartition("/")[2]
    office.client(companyName="Other Co")
    tab.sign_in()
    chosen = {"act": "invite", "role": "EMPLOYER", "clients": client_id}
    wrong = tab.send("/app/people", mail="nobody", name="", **chosen)
    assert wrong.all("//select[@id='clients']/option[@selected]") == ["Bright Co"], "it is kept"
    tab.send("/app/people", mail="eve@acme.example", name="Eve", **chosen)
    seen = tab.get("/app/people")
    assert seen.all("//tbody/tr[th='eve@acme.example']/td[3]") == ["Bright Co"]
    assert seen.all("//select[@id='clients']/option[@selected]") == []


def test_the_account_changes_and_is_left(office: Office, tab: Tab) -> None:
    person(office, "OWNER", password=PASSWORD)
    tab.sign_in()
    assert tab.send("/app/account", act="name", name="<b>Ada").status == 303
    assert tab.get("/app/account").all("//p[@class='visitor']") == ["<b>Ada"]
    new = "ein anderes langes wort"
    wrong = tab.send("/app/account", act="password", formerPassword="no", password=new)
    assert (wrong.status, len(wrong.all("//span[@id='formerPassword-wrong']"))) == (400, 1)
    tab.send("/app/account", act="password", formerPassword=PASSWORD, password=new)
    assert tab.send("/app/account", act="sign-out").headers["location"] == "/app/sign-in"
    assert tab.browser.headers == {}
    assert tab.get("/app").status == 401
    assert tab.sign_in(password=new).status == 303


def test_the_first_owner_sets_up(office: Office, tab: Tab) -> None:
    desk = office.desk
    with desk.records.write() as tx:
        link = invitations.set_up_link(tx, desk.ids, desk.clock.now(), "http://api")
    assert link is not None
    path = link.removeprefix("http://api")
    first = {"mail": MAIL, "password": PASSWORD, "agencyId": "acme", "currency": "USD"}
    assert tab.send(path, **first).headers["location"] == "/app"
    assert tab.get("/app/people").all("//tbody//th") == [MAIL]
    again = Tab(office).send(path, **first)
    assert again.status == 404
    (told,) = again.all("//*[@role='alert']/p[1]")
    assert "sign in, or ask an owner to invite you" in told
    assert again.all("//input[@name='mail']/@value") == [MAIL], "what was typed stays"
