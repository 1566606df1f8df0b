"""``handbill click-definition``, as it is typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handbill.__main__ import app
from handbill.cli.speaking import Mistaken
from handbill.kit.faults import Refused


def said(folder: Path, *words: str) -> dict[str, object]:
    told = CliRunner().invoke(
        app, [*words, "--data", str(folder), "--json"], catch_exceptions=False
    )
    assert told.exit_code == 0
    found: dict[str, object] = json.loads(told.stdout)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    said(tmp_path, "agency", "create", "acme")
    said(tmp_path, "publisher", "create", "P", "--agency", "acme")
    return tmp_path


def test_a_definition_is_set_shown_and_cleared(folder: Path) -> None:
    at = ("P", "--agency", "acme")
    made = said(
        folder,
        "click-definition",
        "set",
        *at,
        "--preset",
        "3",
        "--bot",
        "--latent",
        "off",
        "--most-clicks",
        "9",
    )
    assert (made["bot"], made["duplicate"], made["latent"]) == (True, 3600, None)
    assert made == said(folder, "click-definition", "show", *at)
    again = said(folder, "click-definition", "set", *at, "--most-clicks", "off", "--no-enable")
    assert again["newBot"] == {
        "joveoBotlogic": True,
        "cmBotLogic": True,
        "clicksPerAddressAndDay": None,
    }
    assert again["enable"] is False
    said(folder, "click-definition", "clear", *at)
    with pytest.raises(Mistaken, match="set` makes one"):
        said(folder, "click-definition", "show", *at)
    with pytest.raises(Mistaken, match="none to clear"):
        said(folder, "click-definition", "clear", *at)


def test_what_is_not_there_or_not_sound_is_said(folder: Path) -> None:
    ours = ("P", "--agency", "acme")
    for words, what in (
        (("X", "--agency", "acme"), "publisher 'X'"),
        ((*ours, "--client", "c"), "client 'c'"),
    ):
        with pytest.raises(Mistaken, match=f"the agency has no {what}"):
            said(folder, "click-definition", "show", *words)
    with pytest.raises(Mistaken, match="there is no agency 'x'"):
        said(folder, "click-definition", "show", "P", "--agency", "x")
    with pytest.raises(Mistaken, match="neither a whole number nor"):
        said(folder, "click-definition", "set", "P", "--agency", "acme", "--latent", "soon")
    with pytest.raises(Refused):
        said(folder, "click-definition", "set", "P", "--agency", "acme", "--preset", "9")
