"""Rules, reports, changes and integration: what their pages ask, offer and hand out."""

import csv
import io
from decimal import Decimal
from typing import Any, get_args

import pytest

from contract.world import World
from handbill.kit.jsons import encode
from handbill.pages.calls import Called, Reply
from handbill.pages.csvs import csv_file
from handbill.pages.views import reports, rules
from handbill.stats.overviews import By
from pages.browsing import EVIL, Browser


def test_a_file_has_exact_figures_and_no_formulas() -> None:
    rows: list[list[Any]] = [
        ["=1+1", 5],
        [" -x", -3],
        ["a,b\n", None],
        ["\uff1d1", "-0.5"],
        ["\u200b=1", "x;=1"],
    ]
    made = csv_file("spend", ["Name", "Spend"], rows)
    text = bytes(made.body).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["Name", "Spend"],
        ["'=1+1", "5"],
        ["' -x", "-3"],
        ["a,b\n", ""],
        ["'\uff1d1", "-0.5"],
        ["'\u200b=1", "x;=1"],
    ]
    assert '"x;=1"' in text, "a reader that parts at ; starts no cell with ="
    assert made.headers["content-disposition"] == 'attachment; filename="spend.csv"'


def test_a_rule_is_switched_and_tried(world: World, browser: Browser) -> None:
    path = f"/app{world.client}/rules/{world.ids['rule_id']}"
    of_client = {"x-client-id": world.ids["client_id"]}

    def status() -> str:
        told = world.office.ask("GET", f"/rules/{world.ids['rule_id']}", headers=of_client)
        return str(told.json["status"])

    for does, then in (("pause", "P"), ("enable", "A")):
        assert browser.post(f"{path}/change", {"do": does}).status == 303
        assert status() == then
        assert browser.get(path).all("//button/text()")[0] == ("Enable" if then == "P" else "Pause")
    preview = browser.get(f"{path}?try=preview")
    assert preview.status == 200
    assert preview.all("//section[@aria-labelledby='preview']//strong")
    backtest = browser.get(f"{path}?try=backtest")
    assert backtest.status == 200
    assert "runs from" in backtest.all("//section[@aria-labelledby='backtest']//p")[0]
    gone = browser.post(f"{path}/change", {"run": "no such run"})
    assert gone.status in {303, 404}


def test_a_rule_that_names_what_was_deleted_can_still_be_tried(
    world: World, browser: Browser
) -> None:
    group = f"{world.client}/campaigns/{world.ids['campaign_id']}/jobgroups"
    assert world.office.ask("DELETE", f"{group}/{world.ids['jobgroup_id']}").status == 200
    seen = browser.get(f"/app{world.client}/rules/{world.ids['rule_id']}?try=preview")
    assert seen.status == 200
    assert seen.all("//section[@aria-labelledby='preview']")
    assert "deleted" not in seen.text


@pytest.mark.parametrize("level", ["CLIENT", "CAMPAIGN", "JOBGROUP", "JOB", EVIL])
def test_a_report_is_a_page_and_a_file(world: World, browser: Browser, level: str) -> None:
    seen = browser.get(f"/app{world.client}/reports?level={level}&days=7")
    assert seen.status == 200
    workbook, link = seen.all("//section[@aria-labelledby='answer']//p[@class='export']/a/@href")
    file = browser.get(link)
    assert browser.get(workbook).reply.raw.startswith(b"PK"), "an XLSX file is a zip archive"
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    heading = next(csv.reader(io.StringIO(file.text)))
    assert heading == seen.all("//section[@aria-labelledby='answer']//thead//th")
    assert seen.headers["content-security-policy"] == file.headers["content-security-policy"]


def test_the_tag_has_the_clients_id(world: World, browser: Browser) -> None:
    seen = browser.get(f"/app{world.client}/integrate")
    pixel = world.office.get(world.client)["pixelId"]
    tags = seen.all("//section[@aria-labelledby='pixel']//pre")
    assert [
        f'data-c="{pixel}" data-a="{kind}"' in tag for kind, tag in zip("123", tags, strict=True)
    ] == [True] * 3


def test_changes_are_told_and_undone(world: World, browser: Browser) -> None:
    path = f"/publishers/{world.ids['publisher_id']}"
    before = world.office.get(path)["name"]
    world.office.put(path, {"name": "Another name"})
    seen = browser.get("/app/changes")
    assert "name: " in seen.all("//tbody/tr[1]/td[3]")[0]
    assert "→ Another name" in seen.all("//tbody/tr[1]/td[3]")[0]
    [undo] = seen.all("//tbody/tr[1]//form/@action")
    assert browser.post(undo, {"back": "/app/changes"}).headers["location"] == "/app/changes"
    assert world.office.get(path)["name"] == before


def test_a_markup_is_changed_in_its_place(world: World, browser: Browser) -> None:
    of, at = world.ids["markup_id"], f"/markups/{world.ids['markup_id']}"
    before = world.office.get(at)
    form = browser.get("/app/settings").tree.xpath(f"//form[.//input[@value='{of}']][.//label]")[0]
    fields = {one.get("name"): one.get("value") for one in form.xpath(".//input")}
    assert browser.post("/app/settings", fields | {"act": "change-markup"}).status == 303
    same = {name: value for name, value in before.items() if name != "lastUpdated"}
    assert world.office.get(at).items() >= same.items(), "saved as it was shown, it stays"
    more = fields | {"act": "change-markup", "value": "12.5", "name": EVIL}
    assert browser.post("/app/settings", more).status == 303
    after = world.office.get(at)
    assert (float(after["value"]), after["name"]) == (12.5, EVIL)
    wrong = browser.post("/app/settings", more | {"value": "a lot"})
    assert (wrong.status, wrong.all("//input[@aria-invalid='true']/@value")) == (400, ["a lot"])
    assert wrong.all("//input[@id='value']/@value") == [""], "the form for a new one stays empty"


def test_a_question_is_saved_shared_and_deleted(world: World, browser: Browser) -> None:
    at = f"/app{world.client}/reports"
    every = f"{world.client}/report-questions?page=0&limit=9"
    asked = {"act": "save", "by": "campaign", "days": "7"}
    before = world.office.get(every)["data"]
    wrong = browser.post(f"{at}/questions", asked | {"name": ""})
    assert (wrong.status, wrong.all("//input[@aria-invalid='true']/@name")) == (400, ["name"])
    assert browser.post(f"{at}/questions", asked | {"name": EVIL}).status == 303
    (saved,) = [one for one in world.office.get(every)["data"] if one not in before]
    assert f"{at}?level=CAMPAIGN&days=7" in browser.get(at).all("//tbody//a/@href")
    of = {"of": saved["id"]}
    late = browser.post(f"{at}/questions", of | {"act": "share", "last": "91"})
    assert (late.status, late.all("//input[@aria-invalid='true']/@value")) == (400, ["91"])
    assert late.all("//*[@class='fault']") == ["must be at most 90"]
    made = browser.post(f"{at}/questions", of | {"act": "share", "last": "1"})
    [url] = made.all("//*[@role='status']//code")
    anybody = Browser(browser.app)
    link = url[url.index("/app/shared/") :]
    seen = anybody.get(link)
    assert (seen.status, seen.all("//h1"), EVIL in seen.text) == (200, [EVIL], False)
    assert seen.all("//form") == []
    for by in get_args(By):
        other = f"{world.client}/report-questions/" + world.office.new(
            every.partition("?")[0], {"name": "by", "by": by}
        )
        secret = world.office.ask("POST", f"{other}/link").json["secret"]
        assert anybody.get(f"/app/shared/{secret}").status == 200, by
        assert world.office.ask("DELETE", other).status == 200
    assert seen.headers["x-robots-tag"] == "noindex, nofollow"
    assert seen.headers["referrer-policy"] == "no-referrer"
    assert url not in browser.get(at).text
    assert browser.post(f"{at}/questions", of | {"act": "end"}).status == 303
    ended, unknown = anybody.get(link), anybody.get("/app/shared/unknown")
    assert (ended.status, ended.all("//h1")) == (unknown.status, unknown.all("//h1"))
    assert ended.status == 404
    assert browser.post(f"{at}/questions", of | {"act": "delete"}).status == 303
    assert world.office.get(every)["data"] == before


def test_jobs_come_by_their_spend_and_with_their_titles() -> None:
    of = dict.fromkeys(reports._FIGURES, 0)
    lines = [
        of | {"jobId": "", "refNumber": "", "jobTitle": "", "spent": 3},
        of | {"jobId": "1", "refNumber": "A", "jobTitle": "Nurse", "spent": 1, "clicks": 2},
        of | {"jobId": "2", "refNumber": "B", "jobTitle": "", "spent": 1, "clicks": 4},
        of | {"jobId": "", "refNumber": "", "jobTitle": ""},
    ]
    call = Called("POST", "/stats/stream", b"", "", 200, 1, 1)
    told = reports.told_lines(Reply(200, {}, encode({"stats": lines}), None, call), "JOB")
    assert [row[:4] for row in reports._rows(told, "JOB")] == [
        ["No job", "–", 3, 0],
        ["2", "B", 1, 4],
        ["Nurse", "A", 1, 2],
    ]
    assert reports._heading("JOB")[:3] == ["Job", "Reference", "Spend"]


def test_what_a_link_shows_of_no_campaign_has_a_name() -> None:
    series: list[Any] = [
        {"name": "Autumn", "total": {"spent": 0, "clicks": 0}},
        {"name": "", "total": {"spent": 3, "clicks": 0}},
    ]
    others = {"count": 2, "total": {"spent": 1, "clicks": 1}}
    of: Any = {"by": "campaign", "series": series, "others": others}
    assert [name for name, _ in reports.shared_rows(of)] == ["Autumn", "No campaign", "2 others"]
    of = {"by": "jobgroup", "series": series[1:], "others": None}
    assert [name for name, _ in reports.shared_rows(of)] == ["No job group"]
    series[1]["total"]["spent"] = 0
    assert reports.shared_rows(of) == [], "and only where it has figures"


def test_views_without_a_click_are_no_line_of_a_report() -> None:
    of = dict.fromkeys(reports._FIGURES, 0) | {"clientId": "c", "allViews": 4}
    assert not reports.is_told(of | {"publisherId": ""}, "client")
    assert reports.is_told(of | {"publisherId": "Talent"}, "client")
    assert reports.is_told(of | {"publisherId": "", "applies": 1}, "client")
    assert reports.is_told(of | {"jobId": "j"}, "job")
    assert not reports.is_told(of | {"jobId": ""}, "job")


def test_a_rule_says_all_its_figures() -> None:
    """Also those with decimals, and amounts in the agency's currency."""
    spent: dict[str, Any] = {"parameter": "spent", "condition": "greater than", "unit": "$"}
    spent |= {"value": Decimal("12.5"), "conditionDuration": "last_7_days"}
    rate = spent | {"parameter": "cta", "unit": "%", "value": Decimal("0.25")}
    clicks = spent | {"parameter": "clicks", "unit": "#", "value": 1000}
    rule: Any = {"conditionOp": "OR", "conditions": [spent, rate, clicks]}
    assert rules.words_of(rule, "EUR") == (
        "spent greater than €12.50 in last 7 days or cta greater than 0.25 % in last 7 days "
        "or clicks greater than 1,000 in last 7 days"
    )
    lowered = {"action": "decrease", "parameter": "cpc bid", "value": Decimal("12.5"), "unit": "%"}
    rule |= {"adminActions": None, "actions": lowered, "repeatActionDuration": None}
    assert rules.deed_of(rule, "EUR") == "decrease cpc bid by 12.5 %"
    rule |= {"actions": lowered | {"unit": "$"}, "repeatActionDuration": {"value": 1}}
    assert rules.deed_of(rule, "EUR") == "decrease cpc bid by €12.50, every 1 day"
    assert rules.deed_of(rule | {"adminActions": {"type": "pause"}}, "EUR") == "pause"


def test_what_a_rule_has_done_and_what_not_is_told() -> None:
    act = {"name": "Nurses", "id": "g", "action": "pause", "skip": None, "undone": True}
    bid = act | {"action": "cpc bid", "before": Decimal("0.8"), "after": Decimal("0.7")}
    at_board = bid | {"undone": False, "publisherId": "Board"}
    cooling = act | {"skip": "COOL_DOWN", "description": "a rule acted on it"}
    entities: list[Any] = [
        {"name": "Nurses", "matched": True, "acts": [act, bid, at_board, cooling]},
        {"name": "Cooks", "matched": True, "acts": [], "description": "too early"},
        {"name": "", "id": "g2", "matched": True, "acts": [cooling]},
        {"name": "Drivers", "matched": False, "acts": [], "description": "not met"},
    ]
    assert rules.acts_of(entities, "USD") == [
        "pause Nurses, undone",
        "cpc bid of Nurses: $0.80 → $0.70, undone",
        "cpc bid of Nurses at Board: $0.80 → $0.70",
        "not Cooks: too early",
        "not g2: a rule acted on it",
    ]
