"""Charts: well-formed, escaped, with gaps where nothing is known, at any size of figure."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from markupsafe import Markup

from handbill.pages.charts import bars, lines, scatter, sentences
from handbill.pages.charts.bars import Bar, StripMark
from handbill.pages.charts.marks import FigureRow, Number, part_of, picture
from handbill.pages.charts.scatter import Point
from handbill.pages.drawing import spend_by_day

EVIL = "<script>alert(1)</script>\"'&"
HUGE = 10**400
VALUES: dict[str, list[Number | None]] = {
    "none at all": [],
    "one": [5],
    "missing": [None, None],
    "with a gap": [1, None, 3, 4],
    "zeros": [0, 0],
    "negative": [-5, 3, -1],
    "huge": [HUGE, -HUGE, 1],
    "exact": [Decimal("0.000001"), Decimal("12.5")],
}
Chart = Callable[[list[Number | None]], Markup]


def _days(values: list[Number | None]) -> list[str]:
    return [f"{EVIL}{place}" for place, _ in enumerate(values)]


def _bars(values: list[Number | None]) -> list[Bar]:
    return [Bar(EVIL, value, EVIL, EVIL) for value in values]


def _first(values: list[Number | None]) -> Number:
    return next((value for value in values if value is not None), 0)


CHARTS: dict[str, Chart] = {
    "sparkline": lambda values: lines.sparkline("c", EVIL, EVIL, values),
    "days_line": lambda values: lines.days_line("c", EVIL, EVIL, _days(values), _series(values)),
    "steps": lambda values: lines.steps(
        "c", EVIL, EVIL, [(at, value) for at, value in enumerate(values)], (0, 10), (EVIL, EVIL)
    ),
    "bullet": lambda values: bars.bullet(
        "c", EVIL, EVIL, _first(values), values[0] if values else None, _first(values[1:])
    ),
    "stacked": lambda values: bars.stacked(
        "c", EVIL, EVIL, _days(values), [_series(values)] * 9, _series(values)
    ),
    "funnel": lambda values: bars.funnel("c", EVIL, EVIL, _bars(values)),
    "split": lambda values: bars.split("c", EVIL, EVIL, _bars(values)),
    "strip": lambda values: bars.strip(
        "c",
        EVIL,
        EVIL,
        [StripMark(EVIL, ("good", "bad", "open")[at % 3]) for at, _ in enumerate(values)],
    ),
    "scatter": lambda values: scatter.scatter(
        "c", EVIL, EVIL, [Point(EVIL, one, one, one, EVIL) for one in values], (EVIL, EVIL)
    ),
}


def _series(values: list[Number | None]) -> FigureRow:
    return FigureRow(EVIL, values, [EVIL] * len(values))


def parsed(drawn: Markup) -> Any:
    return etree.fromstring(f"<div>{drawn}</div>")


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("values", VALUES)
def test_a_chart_is_sound_for_any_figures(chart: str, values: str) -> None:
    """Parsed as XML, so that a text that were markup would be an element or break it."""
    tree = parsed(CHARTS[chart](VALUES[values]))
    kinds = {element.tag for element in tree.iter()}
    assert not kinds & {"script", "style", "a", "image", "use", "foreignObject"}
    names = {name for element in tree.iter() for name in element.attrib}
    assert not [name for name in names if name == "style" or name.startswith("on")]
    (named,) = tree.xpath("//svg[@role='img']")
    ids = named.get("aria-labelledby").split()
    told = [tree.xpath(f"//*[@id='{one}']")[0].text for one in ids]
    assert told == [EVIL, EVIL]
    every = tree.xpath("//@id")
    assert len(every) == len(set(every))
    for element in tree.iter():
        for name in {"x", "y", "width", "height", "cx", "cy", "r", "d"} & set(element.attrib):
            for figure in re.findall(r"-?[\d.]+(?:E[+-]?\d+)?", element.get(name)):
                assert -1000 <= Decimal(figure) <= 1000, (element.tag, name)


def test_a_missing_value_leaves_a_gap() -> None:
    paths = parsed(lines.sparkline("c", "t", "d", [1, 2, None, 4, 4])).xpath("//path/@d")
    assert paths == ["M100.0 75.0L300.0 50.0", "M700.0 0.0L900.0 0.0"]
    (alone,) = parsed(lines.sparkline("c", "t", "d", [None, 2, None])).xpath("//path")
    assert (alone.get("class"), alone.get("d")) == ("line dot", "M500.0 0.0h0")


def test_bars_are_stacked_from_zero_and_hang_below_it() -> None:
    drawn = bars.stacked(
        "c", "t", "d", ["Mon", "Tue"], [FigureRow("a", [30, -20]), FigureRow("b", [50, None])]
    )
    boxes = parsed(drawn).xpath("//svg[@role='img']/rect[contains(@class, 'fill ')]")
    found = [(one.get("x"), one.get("y"), one.get("height"), one[0].text) for one in boxes]
    assert found == [
        ("50.0", "50.0", "30.0", "Mon, a: 30"),
        ("50.0", "0.0", "50.0", "Mon, b: 50"),
        ("550.0", "80.0", "20.0", "Tue, a: -20"),
    ]


@pytest.mark.parametrize(
    ("cap", "line"),
    [
        ({}, ["a day&#39;s part of the budget, $110.00"]),
        ({"share": 90}, ["today&#39;s share of the budget, $90.00"]),
        ({"endDate": None}, []),
    ],
)
def test_spend_stands_beside_what_the_budget_has_for_a_day(
    cap: dict[str, Any], line: list[str]
) -> None:
    days = {"startDate": "11/01/2026", "endDate": "11/30/2026"}
    budget = {"period": "Monthly", "value": 3300, "used": 20, "pace": 90, "share": None}
    series = [{"name": "Board", "values": {"spent": [10, 20]}, "total": {"spent": 30}}]
    told = {"currency": "USD", "endDate": "11/29/2026", "series": series}
    drawn, says = spend_by_day(told, told, budget | days | cap)
    assert says == "Spend is 10 % under plan."
    assert re.findall("The dashed line is ([^<]*)[.]<", drawn) == line
    assert len(parsed(drawn).xpath("//path[@class='line plan' or @class='plan']")) == len(line)


def test_series_differ_by_more_than_colour() -> None:
    drawn = bars.split("c", "t", "d", [Bar(name, 1, "1") for name in "abcdef"])
    tree = parsed(drawn)
    over = tree.xpath("//svg[@role='img']/rect/@fill")
    assert over == [f"url(#c-{number})" for number in range(1, 6)]
    assert {f"url(#{one})" for one in tree.xpath("//pattern/@id")} == set(over)
    assert [one.xpath("string()").strip() for one in tree.xpath("//li")] == [
        f"{name}1" for name in "abcdef"
    ]


def test_steps_stand_from_one_instant_to_the_next() -> None:
    points = [(0, 2), (5, 4), (8, None)]
    (path,) = parsed(lines.steps("c", "t", "d", points, (0, 10), ("a", "b"))).xpath("//path/@d")
    assert path == "M0.0 50.0H500.0V0.0M500.0 0.0H800.0"
    begun_before = [(-5, 2), (4, 1)]
    (path,) = parsed(lines.steps("c", "t", "d", begun_before, (0, 10), ("a", "b"))).xpath(
        "//path/@d"
    )
    assert path == "M0.0 0.0H400.0V50.0M400.0 50.0H1000.0"


def test_a_bullet_shows_spend_pace_and_cap() -> None:
    tree = parsed(bars.bullet("c", "t", "d", 50, 75, 100))
    assert tree.xpath("//rect[@class='bar']/@width") == ["500.0"]
    assert tree.xpath("//rect[@class='cap']/@width") == ["1000.0"]
    assert tree.xpath("//path[@class='pace']/@d") == ["M750.0 0v100"]
    assert parsed(bars.bullet("c", "t", "d", 0, None, None)).xpath("//rect/@class") == [
        "track",
        "bar",
    ]


def test_a_failed_run_is_crossed() -> None:
    tree = parsed(bars.strip("c", "t", "d", [StripMark("ok", "good"), StripMark("no", "bad")]))
    assert tree.xpath("//rect/@class") == ["run good", "run bad"]
    assert len(tree.xpath("//path[@class='cross']")) == 1


def test_the_area_of_a_point_is_its_size() -> None:
    points = [Point("a", 1, 1, 100, "a"), Point("b", 2, 2, 25, "b"), Point("c", None, 1, 1, "c")]
    tree = parsed(scatter.scatter("c", "t", "d", points, ("x", "y")))
    assert tree.xpath("//circle/@r") == ["16.0", "8.0"]


def test_sentences_say_what_pictures_show() -> None:
    assert sentences.beside("Spend", 88, 100, "plan") == "Spend is 12 % under plan."
    assert sentences.beside("Spend", Decimal("100.4"), 100, "plan") == "Spend is on plan."
    assert sentences.beside("Spend", 300, 100, "plan") == "Spend is 200 % over plan."
    assert sentences.beside("Spend", 3, 0, "plan") == "Spend has no plan to compare with."
    assert sentences.beside("CPA", None, 3, "plan") == "CPA is not known."
    series = FigureRow("Spend", [1, 9, None, 4], ["$1", "$9", "–", "$4"])
    days = ["Mon", "Tue", "Wed", "Thu"]
    assert sentences.of_days(days, series) == (
        "Spend was highest on Tue: $9. On Thu: $4. 1 of 4 days has no figure."
    )
    assert sentences.of_days(["Mon"], FigureRow("Applies", [0], ["0"])) == (
        "Applies: none in these days."
    )
    assert sentences.of_days(["Mon"], FigureRow("Spend", [None])) == (
        "Spend has no figures in these days."
    )
    stages = [Bar("clicks", 200, "200"), Bar("starts", None, "–"), Bar("applies", 5, "5")]
    assert sentences.of_stages(stages) == "200 clicks, 5 applies: 2.5 %."
    assert sentences.of_stages(stages[:1]) == "200 clicks."
    assert sentences.of_stages([]) == "Nothing has come in these days."
    runs = [StripMark("1", "bad"), StripMark("2", "good")]
    assert sentences.of_runs(runs) == "1 of 2 runs failed; the last one succeeded."
    assert sentences.of_runs([]) == "There are no runs yet."


def test_a_scale_keeps_to_its_ends() -> None:
    assert part_of(-1, 0, 10) == 0
    assert part_of(11, 0, 10) == 1
    assert part_of(7, 7, 7) == Decimal("0.5")


@pytest.mark.parametrize("name", ["", "A", "1a", "a b", 'a"', "a" * 62])
def test_a_picture_has_a_name_that_is_an_id(name: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        picture(name, "t", "d", "", kind="k")


def test_a_sentence_tells_the_dearest_and_the_cheapest() -> None:
    size = "The larger a point, the larger its spend."
    assert sentences.of_costs([("A", Decimal("3.707")), ("B", 12), ("C", None)], "USD") == (
        f"An apply costs most at B, $12.00, and least at A, $3.71. {size}"
    )
    assert sentences.of_costs([("A", 5), ("B", 5)], "EUR") == f"An apply costs €5.00. {size}"
    assert sentences.of_costs([("A", None)], "USD") == "No cost per apply is known."


def test_a_sentence_tells_how_many_clicks_were_valid() -> None:
    some = [Bar("Valid", 4_102, "4,102"), Bar("Bot", 589, "589"), Bar("Latent", None, "–")]
    assert sentences.of_classes(some) == "Valid: 4,102 of 4,691, 87.4 %."
    assert sentences.of_classes([Bar("Valid", 0, "0")]) == "Nothing has come in these days."
