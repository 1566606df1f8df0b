"""What every command says: its help, and what it answers to a mistyped word or folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from contract.test_commands import refused, status_of
from handbill.__main__ import app
from handbill.host.folders import Unusable
from masters import MASTER_KEY


def commands(
    group: TyperGroup, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Every command there is, with the words that name it."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), cast(TyperCommand, command)


# These make the folder, or only tell of settings.
WITHOUT_A_FOLDER = {
    ("agency", "create"),
    ("serve",),
    ("demo",),
    ("simulate",),
    ("migrate",),
    ("settings",),
    ("api",),
    ("edge",),
    ("judge",),
    ("fetcher",),
    ("worker",),
}


def least_words(words: tuple[str, ...], command: TyperCommand) -> tuple[str, ...]:
    """A command with no more than it must be given."""
    needed = [one.opts[0] for one in command.params if one.required]
    return words + tuple(
        word for name in needed for word in ((name, "x") if name.startswith("-") else ("x",))
    )


IN_A_FOLDER = [
    pytest.param(least_words(words, command), id=" ".join(words))
    for words, command in commands(cast(TyperGroup, get_command(app)))
    if words not in WITHOUT_A_FOLDER and any("--data" in one.opts for one in command.params)
]


def test_there_are_commands_to_try() -> None:
    assert len(IN_A_FOLDER) > 30


@pytest.mark.parametrize("words", IN_A_FOLDER)
def test_a_mistyped_folder_is_not_made(words: tuple[str, ...], tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    result = CliRunner(env={"HANDBILL_SECRETS_KEY": MASTER_KEY}).invoke(
        app, [*words, "--data", str(nowhere)]
    )
    # Some must be given one thing or another, or a number, which is asked for first.
    is_asked_wrongly = words[:2] in {
        ("stage-map", "set"),
        ("markup", "create"),
        ("rates", "set"),
        ("explain", "cap"),
        ("ledger", "rejudge"),
        ("person", "add"),
    }
    assert status_of(result) == (2 if is_asked_wrongly else 1), result.output
    assert not nowhere.exists()


EVERY_COMMAND = [
    pytest.param(words, id=" ".join(words))
    for words, _ in commands(cast(TyperGroup, get_command(app)))
]


@pytest.mark.parametrize("words", EVERY_COMMAND)
def test_an_option_that_is_not_there_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    result = CliRunner(env={"HANDBILL_SECRETS_KEY": MASTER_KEY}).invoke(
        app, [*words, "--no-such-option"]
    )
    assert status_of(result) == 2
    assert "No such option: --no-such-option" in result.output
    assert result.stdout == ""


def test_words_that_are_no_command_are_told() -> None:
    for words in (("nothing",), ("agency", "nothing"), ("ledger", "check", "extra")):
        assert (
            status_of(CliRunner(env={"HANDBILL_SECRETS_KEY": MASTER_KEY}).invoke(app, words)) == 2
        ), words


@pytest.mark.parametrize(
    "words", [("publisher", "list", "--agency", "acme"), ("callbacks", "run"), ("agency", "list")]
)
def test_a_mistyped_folder_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    result = CliRunner(env={"HANDBILL_SECRETS_KEY": MASTER_KEY}).invoke(
        app, [*words, "--data", str(tmp_path / "nowhere")]
    )
    refused(result, Unusable, "there are no records at")


def test_every_command_says_what_it_does() -> None:
    for words in (
        ("agency", "list"),
        ("agency", "show"),
        ("agency", "update"),
        ("api-key", "list"),
        ("api-key", "create"),
        ("api-key", "rotate"),
        ("api-key", "revoke"),
        ("client", "list"),
        ("api-client", "list"),
        ("api-client", "create"),
        ("api-client", "revoke"),
        ("stage-map", "show"),
        ("stage-map", "set"),
        ("feed", "list"),
        ("feed", "runs"),
    ):
        shown = (
            CliRunner(env={"HANDBILL_SECRETS_KEY": MASTER_KEY})
            .invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
            .stdout
        )
        assert {"--data", "--json"} <= set(shown.split()), words
