"""The page where a person chooses its mails, and that of the link that ends them."""

from dataclasses import replace

from contract.asgi import call
from contract.signed_in import PASSWORD, person, session
from contract.world import World
from handbill.access.keys import secret
from handbill.api import fronted
from handbill.core.mailings import Choices
from handbill.core.persons import PersonRole
from handbill.mailings.ends import KEY, token_of
from handbill.pages.visitors import COOKIE
from handbill.people import choices
from pages.browsing import EVIL, Browser, Seen

MAILS = "/app/account/mails"
HERE = {"sec-fetch-site": "same-origin"}


def _link(world: World, mail: str) -> tuple[str, int]:
    office = world.office
    reader = person(office, "TRADER", mail=mail, password=PASSWORD)
    with office.desk.records.write() as tx:
        choices.choose(tx, office.desk.clock.now(), reader, Choices(weekly=True))
        token = token_of(reader.no, "WEEKLY", secret(tx, KEY))
    return f"/app/mails/end?token={token}", reader.no


def _chosen(world: World, person_no: int) -> bool:
    with world.office.desk.records.read() as tx:
        return choices.of(tx, person_no).weekly


def test_the_link_shows_a_button_and_the_button_ends_the_mails(
    world: World, browser: Browser
) -> None:
    anybody = replace(browser, headers={})
    link, no = _link(world, "reader@acme.example")
    for _ in range(2):
        page = anybody.get(link)
        assert (page.status, _chosen(world, no)) == (200, True), "a scanner follows links"
    (action,) = page.all("//form/@action")
    assert page.all("//form//button") == ["End these mails"]
    assert "reader@acme.example" not in page.text
    for _ in range(2):
        page = anybody.post(action, {})
        assert (page.status, page.all("//h1")) == (200, ["These mails have ended"])
        assert "weekly report" in page.text
        assert "reader@acme.example" not in page.text
        assert not _chosen(world, no)


def test_a_mail_program_ends_them_by_one_click(world: World) -> None:
    """RFC 8058: a form from anywhere, as multipart too, beside whatever cookies there are."""
    app = fronted(world.office.desk, world.office.app)
    for kind, body in (
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=x", b"--x--"),
    ):
        link, no = _link(world, f"{kind[:5]}@acme.example")
        headers = {
            "content-type": kind,
            "origin": "https://mail.example",
            "cookie": "handbill_session=hbs_x",
        }
        assert call(app, "POST", link, headers=headers, raw=body).status == 200
        assert not _chosen(world, no)


def test_a_wrong_link_ends_nothing(world: World, browser: Browser) -> None:
    anybody = replace(browser, headers={})
    for wrong in ("", "x", "A" * 500, "%00", EVIL):
        page = anybody.post(f"/app/mails/end?token={wrong}", {})
        assert (page.status, page.all("//h1")) == (404, ["This link ends no mails"]), wrong
        assert "<script>alert" not in anybody.get(f"/app/mails/end?token={wrong}").text


def _signed_in(world: World, role: PersonRole, mail: str, *clients: str) -> Browser:
    office = world.office
    one = person(office, role, *clients, mail=mail, password=PASSWORD)
    headers = session(office, one)
    secret = headers["authorization"].partition(" ")[2]
    return Browser(fronted(office.desk, office.app), {"cookie": f"{COOKIE}={secret}"})


def _send(browser: Browser, path: str, **fields: str) -> Seen:
    [token] = browser.get(path).all("//main//form[1]//input[@name='form_token']/@value")
    return browser.post(path, {"form_token": token, **fields}, **HERE)


def test_a_person_chooses_its_mails_and_sees_them_again(world: World) -> None:
    trader = _signed_in(world, "TRADER", "chooser@acme.example")
    assert "/app/account/mails" in trader.get("/app/account").text
    page = trader.get(MAILS)
    assert (page.status, page.all("//input[@checked]/@name")) == (200, [])
    assert "sends no mail yet" in page.text
    chosen = {
        "weeklyReport": "yes",
        "feedFailedAlert": "yes",
        "underPaceAlert": "80",
        "noAppliesAlert": "",
        "zone": "Europe/Berlin",
        "hour": "6",
        "clients": world.ids["client_id"],
    }
    assert _send(trader, MAILS, **chosen).status == 303
    page = trader.get(MAILS)
    assert page.all("//input[@checked]/@name") == ["weeklyReport", "feedFailedAlert"]
    for name in ("underPaceAlert", "noAppliesAlert", "zone", "hour"):
        assert page.all(f"//input[@name='{name}']/@value") == [chosen[name]]
    assert page.all("//option[@selected]/@value") == [world.ids["client_id"]]
    assert "<script>alert" not in page.text


def test_what_is_wrong_is_told_at_its_field_and_kept(world: World) -> None:
    trader = _signed_in(world, "TRADER", "mistaken@acme.example")
    fields = {"weeklyReport": "yes", "zone": "Mars", "hour": "9", "underPaceAlert": "often"}
    page = _send(trader, MAILS, **fields)
    assert page.status == 400
    assert page.all("//input[@aria-invalid]/@name") == ["underPaceAlert", "zone"]
    assert page.all("//input[@name='hour']/@value") == ["9"]
    assert page.all("//input[@checked]/@name") == ["weeklyReport"]
    assert trader.get(MAILS).all("//input[@checked]/@name") == []


def test_an_employer_is_offered_what_it_may_be_told(world: World) -> None:
    employer = _signed_in(world, "EMPLOYER", "employer@mills.example", world.ids["client_id"])
    page = employer.get(MAILS)
    assert page.all("//input[@type='checkbox']/@name") == [
        "weeklyReport",
        "dailyDigest",
        "feedFailedAlert",
    ]
    assert page.all("//input[@name='underPaceAlert']") == []
    assert _send(employer, MAILS, dailyDigest="yes", noAppliesAlert="3").status == 303
    assert employer.get(MAILS).all("//input[@checked]/@name") == ["dailyDigest"]
