"""What commands print: names come from agencies, and a terminal obeys some characters."""

import pytest

from handbill.cli.speaking import say, say_rows, warn

_STEERING = "a\x1b[31mb\u202ec\rd\ne"
_SHOWN = "a\\x1b[31mb\\u202ec\\rd\\ne"


def test_no_text_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say({"name": _STEERING, "names": ["\u202e"]}, as_json=False)
    say_rows([{"name": _STEERING}, {"name": "Zürich\xa0日本 😀"}], ["name"], as_json=False)
    warn("first\n\x1b[2Jsecond")
    printed, warned = capsys.readouterr()
    assert printed.splitlines() == [
        f"name   {_SHOWN}",
        'names  ["\\u202e"]',
        "name",
        _SHOWN,
        "Zürich\xa0日本 😀",
    ]
    assert warned == "first\n\\x1b[2Jsecond\n"


def test_json_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say({"name": "\u202e"}, as_json=True)
    assert capsys.readouterr().out == '{"name":"\u202e"}\n'
