"""What is wrong with a form is told in the words of its page, never by codes or as of JSON."""

import re

import pytest

from contract.signed_in import person, session
from contract.world import World
from handbill.api import fronted
from handbill.pages.amounts import amount, plain_number
from handbill.pages.faults import NUMBER
from pages.browsing import Browser, Seen

CODE = re.compile(r"\b[A-Z]{3,}(?:_[A-Z]+)*\b")
DAY = "must be a day, as yyyy-mm-dd or mm/dd/yyyy"


def _faults(seen: Seen) -> list[str]:
    assert seen.status == 400
    return seen.all("//*[@class='fault']")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", NUMBER),
        ("0,5", NUMBER),
        ("1e9", NUMBER),
        ("$0.60", NUMBER),
        ("-1", "must not be negative"),
        ("0.1234567", "must have at most 6 decimals"),
        ("10000000000000", "must be at most 10^12"),
    ],
)
@pytest.mark.parametrize("name", ["bid", "cap"])
def test_a_wrong_amount(world: World, browser: Browser, name: str, typed: str, told: str) -> None:
    of = {"campaign": world.ids["campaign_id"], "jobgroup": world.ids["jobgroup_id"]}
    seen = browser.post(f"/app{world.client}/jobgroups", of | {name: typed})
    assert _faults(seen) == [told]
    assert seen.all("//input[@aria-invalid='true']/@value") == [typed]


def test_what_is_no_number_is_left_to_the_api() -> None:
    assert [str(amount(text)) for text in ("1,500.00", "1 500", "-2", "1,50", "9" * 19)] == [
        "1500.00",
        "1500",
        "-2",
        "1,50",
        "9" * 19,
    ]
    assert [type(plain_number(text)) for text in ("1,085", "-1.5")] == [
        str,
        type(plain_number("1")),
    ]


@pytest.mark.parametrize(
    ("field", "operator", "data", "told"),
    [
        ("cpcBid", "GREATER_THAN", "0,5", NUMBER),
        ("cpcBid", "CONTAINS", "0.5", "a number is compared by “is”, “is more than”"),
        ("title", "GREATER_THAN", "5", "a text is compared by “is”, “is not”"),
        ("postedDate", "AFTER", "1.12.2026", DAY),
        ("postedDate", "BETWEEN", "2026-12-01", "must be two values with a comma between them"),
        ("title", "CONTAINS", "", "must not be empty"),
        ("title", "IN", " , ,", "must be a list of 1 to 1000 texts"),
    ],
)
def test_a_wrong_filter(
    world: World, browser: Browser, field: str, operator: str, data: str, told: str
) -> None:
    fields = {"any": "AND", "field0": field, "operator0": operator, "data0": data}
    [fault] = _faults(browser.post(f"{_group(world)}/filter", fields))
    assert fault.startswith(told)
    assert CODE.findall(fault) == []


def test_a_filter_of_no_rules(world: World, browser: Browser) -> None:
    seen = browser.post(f"{_group(world)}/filter", {"any": "AND", "field0": "", "do": "save"})
    assert seen.all("//*[@role='alert']/p") == [
        "Nothing was changed. Choose a field for at least one rule."
    ]


def test_a_comma_at_the_end_of_a_list_takes_no_jobs_without_a_value(
    world: World, browser: Browser
) -> None:
    group = _group(world)
    before = world.office.get(group.removeprefix("/app"))["filters"]
    fields = {"any": "AND", "field0": "city", "operator0": "IN", "data0": "Austin, , Dallas,"}
    assert browser.post(f"{group}/filter", fields | {"do": "save"}).status == 303
    [rule] = world.office.get(group.removeprefix("/app"))["filters"]["rules"]
    assert rule["data"] == ["Austin", "Dallas"]
    world.office.put(group.removeprefix("/app"), {"filters": before})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"act": "add-markup", "value": "2,5", "effectiveFrom": ""}, [NUMBER, DAY]),
        ({"act": "add-markup", "value": "-2", "effectiveFrom": "31.12.2026"}, [DAY]),
        (
            {"act": "set-rate", "date": "x", "from": "EUR", "to": "USD", "rate": "1,1"},
            [DAY, NUMBER],
        ),
    ],
)
def test_wrong_settings(
    world: World, browser: Browser, fields: dict[str, str], told: list[str]
) -> None:
    of = {"client": world.ids["client_id"]} if fields["act"] == "add-markup" else {}
    found = _faults(browser.post("/app/settings", fields | of))
    assert [one for one in found if one in told] == told
    assert CODE.findall(" ".join(found)) == []


def test_a_wrong_invitation(world: World) -> None:
    office = world.office
    owner = Browser(
        fronted(office.desk, office.app),
        session(office, person(office, "OWNER", mail="boss@acme.example")),
    )
    asked = {"act": "invite", "mail": "new@acme.example", "role": "EMPLOYER"}
    assert _faults(owner.post("/app/people", asked)) == [
        "choose the clients that the employer may see"
    ]
    clients = {"role": "TRADER", "clients": world.ids["client_id"]}
    assert _faults(owner.post("/app/people", asked | clients)) == [
        "only an employer has clients of its own"
    ]


def test_a_bid_per_apply_is_set_where_applies_are_paid(world: World, browser: Browser) -> None:
    office, ids = world.office, world.ids
    at, of = f"/app{world.client}", {"campaign": ids["campaign_id"], "jobgroup": ids["jobgroup_id"]}
    group = _group(world).removeprefix("/app")
    before = office.get(group)
    field = "//input[@name='applyBid']/@value"
    office.put(group, {"cpaBid": 0})
    assert browser.get(at).all(field) == []
    office.new("/publishers", {"id": "ByApply", "bidType": "CPA"})
    office.put(group, {"placements": [*before["placements"], {"value": "ByApply"}], "cpaBid": 5})
    assert "5" in browser.get(at).all(field)
    wrong = browser.post(f"{at}/jobgroups", of | {"applyBid": "-4"})
    assert _faults(wrong) == ["must not be negative"]
    assert wrong.all("//input[@aria-invalid='true']/@name") == ["applyBid"]
    assert browser.post(f"{at}/jobgroups", of | {"applyBid": "12.5"}).status == 303
    assert float(office.get(group)["cpaBid"]) == 12.5
    assert office.get(group)["cpcBid"] == before["cpcBid"]
    office.put(group, {"placements": before["placements"], "cpaBid": before["cpaBid"]})


def _shown(seen: Seen) -> dict[str, str]:
    [form] = seen.tree.xpath("//form[.//button[@value='save'][@name='do']]")
    return {name: value or "" for name, value in form.form_values()}


@pytest.mark.parametrize("kind", ["filter", "mapping"])
def test_what_somebody_else_has_set_meanwhile_is_not_replaced_unseen(
    world: World, browser: Browser, kind: str
) -> None:
    """Two tabs show the same; what the first saves is told to the second, which then may."""
    page = _group(world)
    page = page if kind == "filter" else f"/app{world.client}/feeds/{world.ids['feed_id']}/mapping"
    to = f"{page}/filter" if kind == "filter" else page
    name = "data0" if kind == "filter" else "schemaMappingsTitle"
    one, other = _shown(browser.get(page)), _shown(browser.get(page))
    assert browser.post(to, one | {"do": "save", name: "first"}).status == 303
    seen = browser.post(to, other | {"do": "save", name: "second"})
    assert (seen.status, _shown(seen)[name]) == (400, "second")
    assert "Somebody has changed this" in seen.all("//*[@role='alert']/p")[0]
    assert _shown(browser.get(page))[name] == "first"
    assert browser.post(to, _shown(seen) | {"do": "save"}).status == 303
    assert _shown(browser.get(page))[name] == "second"
    assert (
        browser.post(to, _shown(browser.get(page)) | {"do": "save", name: one[name]}).status == 303
    )


def _group(world: World) -> str:
    ids = world.ids
    return f"/app{world.client}/campaigns/{ids['campaign_id']}/jobgroups/{ids['jobgroup_id']}"
