"""Which operations a path names, and what a request's headers say."""

import pytest

from contract.gates import operation
from handbill.http.headers import HttpHeaders
from handbill.http.operations import Operation
from handbill.http.paths import Paths


def _row(name: str, verb: str, path: str) -> Operation:
    return operation(name, verb, path, lambda _: {})


PATHS = Paths(
    [
        _row("one", "GET", "/things/{thing}"),
        _row("drop", "DELETE", "/things/{thing}"),
        _row("all", "GET", "/things/all"),
        _row("parts", "GET", "/things/{thing}/parts"),
        _row("part", "GET", "/things/all/{part}"),
        _row("change", "PUT", "/things/all/{part}"),
    ]
)


@pytest.mark.parametrize(
    ("verb", "path", "name", "ids"),
    [
        ("GET", "/things/a", "one", {"thing": "a"}),
        ("GET", "/things/a%2Fb%25", "one", {"thing": "a/b%"}),
        ("GET", "/things/%ff", "one", {"thing": "\N{REPLACEMENT CHARACTER}"}),
        ("GET", "/things/all", "all", {}),
        ("DELETE", "/things/all", "drop", {"thing": "all"}),
        ("GET", "/things/a/parts", "parts", {"thing": "a"}),
        ("GET", "/things/all/parts", "part", {"part": "parts"}),
        ("PATCH", "/things/all/x", "change", {"part": "x"}),
    ],
)
def test_a_word_wins_over_an_id_and_the_verb_over_both(
    verb: str, path: str, name: str, ids: dict[str, str]
) -> None:
    place = PATHS.find(path, verb)
    assert place is not None
    assert (place.verbs[verb].name, place.ids) == (name, ids)


def test_the_verbs_of_all_that_fit_are_told() -> None:
    place = PATHS.find("/things/all", "POST")
    assert place is not None
    assert {verb: row.name for verb, row in place.verbs.items()} == {"GET": "all", "DELETE": "drop"}


@pytest.mark.parametrize(
    "path", ["", "*", "/", "/things", "/things/", "/things//parts", "/things/a/", "things/a", "//"]
)
def test_other_paths_name_nothing(path: str) -> None:
    assert PATHS.find(path, "GET") is None


def test_a_path_is_stated_once() -> None:
    twice = [_row("one", "GET", "/things/{thing}"), _row("two", "GET", "/things/{thing}")]
    with pytest.raises(ValueError, match="given twice"):
        Paths(twice)
    with pytest.raises(ValueError, match="are one path"):
        Paths([_row("one", "GET", "/things/{thing}"), _row("two", "PUT", "/things/{other}")])


def test_a_header_may_have_several_values() -> None:
    headers = HttpHeaders([(b"accept", b"a"), (b"x-name", b"\xe9"), (b"accept", b"b")])
    assert (headers.get("accept"), headers.every("accept")) == ("a", ["a", "b"])
    assert (headers.get("x-name"), "x-name" in headers) == ("é", True)
    assert (headers.get("other"), headers.every("other"), "other" in headers) == ("", [], False)
