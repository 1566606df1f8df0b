"""Which operations a path names."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Match

from contract.gates import operation
from handbill.http.operations import Operation
from handbill.http.paths import Operations


def _row(name: str, verb: str, path: str) -> Operation:
    return operation(name, verb, path, lambda _: {})


ROUTES = Operations(
    [
        _row("one", "GET", "/things/{thing}"),
        _row("drop", "DELETE", "/things/{thing}"),
        _row("all", "GET", "/things/all"),
        _row("parts", "GET", "/things/{thing}/parts"),
        _row("part", "GET", "/things/all/{part}"),
        _row("change", "PUT", "/things/all/{part}"),
    ],
    Starlette(),
)


def _found(verb: str, path: str) -> tuple[Match, Any]:
    return ROUTES.matches({"type": "http", "path": path, "method": verb})


@pytest.mark.parametrize(
    ("verb", "path", "name", "ids"),
    [
        ("GET", "/things/a", "one", {"thing": "a"}),
        ("GET", "/things/{thing}", "one", {"thing": "{thing}"}),
        ("GET", "/things/a%2Fb%25", "one", {"thing": "a/b%"}),
        ("GET", "/things/all", "all", {}),
        ("DELETE", "/things/all", "drop", {"thing": "all"}),
        ("GET", "/things/parts", "one", {"thing": "parts"}),
        ("GET", "/things/a/parts", "parts", {"thing": "a"}),
        ("GET", "/things/all/parts", "part", {"part": "parts"}),
        ("GET", "/things/all/all", "part", {"part": "all"}),
        ("PATCH", "/things/all/x", "change", {"part": "x"}),
    ],
)
def test_a_word_wins_over_an_id_and_the_verb_over_both(
    verb: str, path: str, name: str, ids: dict[str, str]
) -> None:
    _, found = _found(verb, path)
    assert (found["verbs"][verb].name, found["path_params"]) == (name, ids)


def test_the_verbs_of_all_that_fit_are_told() -> None:
    _, found = _found("POST", "/things/all")
    assert {verb: row.name for verb, row in found["verbs"].items()} == {
        "GET": "all",
        "DELETE": "drop",
    }


@pytest.mark.parametrize(
    "path", ["*", "/", "/things", "/things/", "/things//parts", "/things/a/", "/things/a/b/c", "//"]
)
def test_other_paths_name_nothing(path: str) -> None:
    assert _found("GET", path) == (Match.NONE, {})
