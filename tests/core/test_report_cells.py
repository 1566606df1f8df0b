"""Cells of CSV: none starts a formula, wherever a spreadsheet parts them."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from handbill.kit.cells import neutral
from handbill.stats.files import part_file


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@A1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
        "\n=1",
        "  =1",
        "\t1",
        "\u200b=1",
        "\u22121",
        "\ufe62x",
        "\u207b1",
        "\u00ad=1",  # a soft hyphen
        "\u202e=1",  # turns what follows
        "\u2800\u3164=1",  # shown as blanks
        "\U000e0020\ufe0f=1",
        "\x7f\x85=1",
    ],
)
def test_a_formula_is_made_text(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "Nurse", "a=b", "1-2", " plain", "\u00e9", "\u2013 x", "\u00ad"]
)
def test_text_stays(text: str) -> None:
    assert neutral(text) == text


def test_a_cell_is_quoted_where_any_reader_would_part_it(tmp_path: Path) -> None:
    path = tmp_path / "part.csv"
    row = ["x;=1+1", 'a "b", c', "plain", 3, Decimal("1.50"), None, "t\tab", "two\nlines"]
    with part_file(path, ["a", "b", "c", "d", "e", "f", "g", "h"], "CSV", compressed=False) as put:
        put(row)
    raw = path.read_text()
    assert raw.splitlines()[1].startswith('"x;=1+1","a ""b"", c",plain,3,1.50,,"t\tab","two')
    with path.open(newline="") as file:
        read = list(csv.reader(file))[1]
    assert read == ["" if cell is None else str(cell) for cell in row]
