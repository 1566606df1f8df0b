"""The page of the link that ends mails: one button, for anybody who has the link."""

from dataclasses import replace

from contract.asgi import call
from contract.signed_in import PASSWORD, person
from contract.world import World
from handbill.access.keys import secret
from handbill.api import fronted
from handbill.core.mailings import Choices
from handbill.mailings.ends import KEY, token_of
from handbill.people import choices
from pages.browsing import EVIL, Browser


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
